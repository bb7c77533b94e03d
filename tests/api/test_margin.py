"""How an account stands, and its leverage in a market."""

import pytest

from api.flux.envelope import error_body
from api.flux.refusal_examples import EXAMPLES
from tests.api.deployment import Deployment, Person, error_of, small_order
from tests.builders import MARK_TICKS, position

LONG = 100 * 6_091 * 100
"""1 ETH at 60.91, in atoms; mark is 59.91."""


def test_an_account_tells_equity_margins_and_what_may_leave(
    exchange: Deployment, alice: Person
) -> None:
    position(exchange.database, alice.user_id, 100, LONG)
    account = alice.get("/account").json()
    (held,) = account.pop("positions")
    assert account == {
        "userId": alice.name,
        "accountId": alice.account_name,
        "asset": "USDC",
        "total": "10000",
        "locked": "0",
        "equity": "9999",
        "unrealizedPnl": "-1",
        "initialMargin": "5.991",
        "maintenanceMargin": "0.29955",
        "openLoss": "0",
        "available": "9993.009",
        "withdrawable": "9993.009",
        "marginRatio": "0.00003",
        "leverages": [{"marketId": "ETH-PERP", "leverage": 10}],
    }
    assert "liquidationPrice" not in held
    assert (held["notional"], held["unrealizedPnl"], held["markPrice"]) == ("59.91", "-1", "59.91")
    assert alice.get("/balances").json()[0]["available"] == "9993.009"


def test_the_liquidation_price_is_the_mark_at_which_equity_is_the_maintenance_margin(
    exchange: Deployment,
) -> None:
    poor = exchange.person("10")
    position(exchange.database, poor.user_id, 100, LONG)
    (held,) = poor.get("/account").json()["positions"]
    assert held["liquidationPrice"] == "51.17"  # 10 + 51.17 - 60.91 is 0.5 % of it


def test_what_is_available_may_be_below_zero_and_what_may_leave_is_not(
    exchange: Deployment,
) -> None:
    poor = exchange.person("6")
    position(exchange.database, poor.user_id, 100, LONG)
    account, (balance,) = poor.get("/account").json(), poor.get("/balances").json()
    assert (account["equity"], account["initialMargin"]) == ("5", "5.991")
    assert (account["available"], account["withdrawable"]) == ("-0.991", "0")
    assert balance["available"] == "-0.991"
    schemas = exchange.http.get("/openapi.json").json()["components"]["schemas"]
    told = schemas["AccountAnswer"]["properties"]
    assert "Below 0 where open positions have lost so much" in told["available"]["description"]
    assert "What may leave, never below 0" in told["withdrawable"]["description"]


def test_what_open_orders_lose_at_once_is_told(exchange: Deployment, alice: Person) -> None:
    sent = small_order(marketId="ETH-PERP", price="60.91", quantity="1", leverage=20)
    assert alice.post("/orders", sent).status_code == 202
    account = alice.get("/account").json()
    assert (account["openLoss"], account["locked"]) == ("1.030455", "4.075955")
    assert account["available"] == "9995.924045"


def test_a_position_without_a_mark_is_no_number(exchange: Deployment, alice: Person) -> None:
    position(exchange.database, alice.user_id, 100, LONG)
    change = "UPDATE market_prices SET mark_ticks = %s WHERE market_id = 'ETH-PERP'"
    exchange.database.execute(change, (0,))
    account, (balance,) = alice.get("/account"), alice.get("/balances").json()
    exchange.database.execute(change, (MARK_TICKS["ETH-PERP"],))
    assert error_of(account) == (503, "UNAVAILABLE")
    assert (balance["total"], balance.get("available")) == ("10000", None)


def put(person: Person, leverage: object, market_id: str = "ETH-PERP") -> tuple[int, object]:
    answer = person.put("/leverage", {"marketId": market_id, "leverage": leverage})
    body = answer.json()
    return answer.status_code, body.get("leverage", body.get("error", {}).get("code"))


def test_leverage_is_set_for_the_orders_to_come(exchange: Deployment, alice: Person) -> None:
    assert put(alice, 20) == (200, 20)
    sent = small_order(marketId="ETH-PERP", price="59", quantity="1")
    order_id = alice.post("/orders", sent).json()["orderId"]
    assert alice.get(f"/orders/{order_id}").json()["leverage"] == 20
    assert error_of(alice.post("/orders", sent | {"leverage": 5})) == (400, "INVALID_ORDER")
    said = alice.post("/orders", sent | {"leverage": 5}).json()["error"]["message"]
    assert said.endswith("which is 20; PUT /leverage changes it")
    assert put(alice, 10) == (409, "LEVERAGE_IN_USE")
    assert put(alice, 20) == (200, 20)


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_an_order_that_opens_or_only_closes_keeps_the_leverage_that_it_was_checked_at(
    side: str, exchange: Deployment, alice: Person
) -> None:
    position(exchange.database, alice.user_id, 100, LONG)
    order = small_order(marketId="ETH-PERP", side=side, price="59.91", quantity="1")
    assert alice.post("/orders", order).status_code == 202
    refused = alice.put("/leverage", {"marketId": "ETH-PERP", "leverage": 5})
    code, sentence, details = EXAMPLES["setLeverage"][409]
    shown = error_body(code, sentence.replace("BTC-PERP", "ETH-PERP"), details)
    assert (refused.status_code, refused.json()) == (409, shown)
    assert "were checked at leverage 10" in sentence


def test_leverage_is_within_what_the_market_allows(alice: Person) -> None:
    assert put(alice, 21) == (400, "INVALID_ORDER")
    assert put(alice, 0) == (400, "INVALID_REQUEST")
    assert put(alice, 5, "DOGE-PERP") == (404, "MARKET_NOT_FOUND")
