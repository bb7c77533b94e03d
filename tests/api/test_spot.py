"""Spot markets over HTTP: what is reserved, exchanged, refused and told, in two assets."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.servers.embedded import EmbeddedPostgres, EmbeddedValkey
from tests.api.conftest import empty_database
from tests.api.deployment import Deployment, Person, error_of
from tests.api.trading_floor import seen, trading_floor
from tests.auditor import audit
from tests.waiting import eventually

SPOT = "ETH_USDC"


@pytest.fixture(scope="module")
def traded(
    postgres: EmbeddedPostgres, valkey: EmbeddedValkey, template_database: str, servers_dir: Path
) -> Iterator[Deployment]:
    """An API process, and a spot market behind it."""
    urls = empty_database(postgres, template_database, "api_spot")
    with trading_floor(urls, valkey, servers_dir / "spot", SPOT) as floor:
        yield floor.exchange


def limit(side: str, quantity: str, price: str = "59.91", **more: Any) -> dict[str, Any]:
    sent = {"marketId": SPOT, "side": side, "type": "LIMIT", "quantity": quantity, "price": price}
    return {**sent, **more}


def balances(person: Person) -> dict[str, tuple[str, str, str]]:
    """Total, locked and available, by asset."""
    return {
        one["asset"]: (one["total"], one["locked"], one["available"])
        for one in person.get("/balances").json()
    }


def rich(deployment: Deployment, eth: str = "5") -> Person:
    person = deployment.person()
    assert person.post("/deposits", {"asset": "ETH", "amount": eth}).status_code == 201
    return person


def placed(person: Person, order: dict[str, Any]) -> str:
    answer = person.post("/orders", order)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["orderId"])


def test_an_order_is_filled_and_both_assets_have_changed_hands(traded: Deployment) -> None:
    buyer, seller = traded.person(), rich(traded)
    bought = placed(buyer, limit("BUY", "0.5"))
    assert balances(buyer)["USDC"] == ("10000", "29.969978", "9970.030022")
    sold = placed(seller, limit("SELL", "0.5"))
    told = seen(seller, sold, status="FILLED")
    seen(buyer, bought, status="FILLED")
    assert "leverage" not in told
    assert told["reduceOnly"] is False
    # 0.5 at 59.91 is 29.955; maker 2, taker 5 of 10,000
    assert balances(buyer) == {
        "ETH": ("0.5", "0", "0.5"),
        "USDC": ("9970.039009", "0", "9970.039009"),
    }
    assert balances(seller) == {
        "ETH": ("4.5", "0", "4.5"),
        "USDC": ("10029.940022", "0", "10029.940022"),
    }
    rows = traded.database.execute(
        "SELECT asset, total_atoms FROM balances WHERE account_id = %s ORDER BY asset",
        (buyer.user_id,),
    ).fetchall()
    assert [(asset, int(atoms)) for asset, atoms in rows] == [
        ("ETH", 50_000_000),
        ("USDC", 9_970_039_009),
    ]
    assert buyer.get("/positions").json() == []
    audit(traded.database)


def test_the_ledger_tells_each_side_of_a_trade_by_asset(traded: Deployment) -> None:
    buyer, seller = traded.person(), rich(traded)
    bought = placed(buyer, limit("BUY", "0.1"))
    placed(seller, limit("SELL", "0.1"))
    seen(buyer, bought, status="FILLED")
    legs = [(one["type"], one["asset"], one["amount"]) for one in buyer.get("/ledger").json()]
    assert legs[:3] == [
        ("TRADING_FEE", "USDC", "-0.001199"),
        ("TRADE", "USDC", "-5.991"),
        ("TRADE", "ETH", "0.1"),
    ]
    assert [one["realizedPnl"] for one in buyer.get("/fills").json()] == ["0"]
    after = {one["asset"]: one.get("balanceAfter") for one in reversed(buyer.get("/ledger").json())}
    assert after == {asset: total for asset, (total, _, _) in balances(buyer).items()}


@pytest.mark.parametrize(
    ("more", "field", "said"),
    [
        ({"leverage": 5}, "leverage", "paid in full and have no leverage; leave it out"),
        ({"leverage": 1}, "leverage", "paid in full and have no leverage; leave it out"),
        ({"reduceOnly": True}, "reduceOnly", "no positions to reduce; leave reduceOnly out"),
    ],
)
def test_what_only_a_perpetual_has_is_refused_in_words(
    more: dict[str, Any], field: str, said: str, traded: Deployment
) -> None:
    answer = traded.person().post("/orders", limit("BUY", "0.1", **more))
    assert error_of(answer) == (400, "INVALID_ORDER")
    error = answer.json()["error"]
    assert error["details"]["field"] == field
    assert said in error["message"]


def test_a_spot_market_has_no_leverage_to_set(traded: Deployment) -> None:
    answer = traded.person().put("/leverage", {"marketId": SPOT, "leverage": 1})
    assert error_of(answer) == (400, "INVALID_ORDER")
    assert "is a spot market" in answer.json()["error"]["message"]


def test_nobody_sells_or_spends_what_he_has_not(traded: Deployment) -> None:
    person = rich(traded, "0.3")
    placed(person, limit("SELL", "0.2", "61"))
    short = person.post("/orders", limit("SELL", "0.101", "61"))
    assert error_of(short) == (400, "INSUFFICIENT_MARGIN")
    details = short.json()["error"]["details"]
    assert (details["asset"], details["required"], details["available"]) == ("ETH", "0.101", "0.1")
    placed(person, limit("SELL", "0.1", "61"))
    assert balances(person)["ETH"] == ("0.3", "0.3", "0")
    dear = person.post("/orders", limit("BUY", "170", "59"))
    details = dear.json()["error"]["details"]
    assert (details["asset"], details["available"]) == ("USDC", "10000")


def test_markets_say_their_kind_and_a_spot_market_nothing_of_positions(traded: Deployment) -> None:
    markets = {one["id"]: one for one in traded.http.get("/markets").json()}
    kinds = {market_id: one["kind"] for market_id, one in markets.items()}
    assert kinds == {"BTC-PERP": "PERPETUAL", "ETH-PERP": "PERPETUAL", SPOT: "SPOT"}
    of_positions = set(markets["ETH-PERP"]) - set(markets[SPOT])
    assert of_positions == {
        *("maxLeverage", "initialMarginRate", "maintenanceMarginRate"),
        *("fundingIntervalHours", "fundingRateCap"),
    }
    assert markets[SPOT] == traded.http.get(f"/markets/{SPOT}").json()
    assert "fundingRate" not in traded.http.get(f"/prices/{SPOT}").json()


def test_what_everybody_sees_of_a_market_is_there_under_a_name_with_an_underscore(
    traded: Deployment,
) -> None:
    buyer, seller = traded.person(), rich(traded)
    placed(seller, limit("SELL", "1", "60.5", clientOrderId="far"))
    bought = placed(buyer, limit("BUY", "0.25"))
    placed(seller, limit("SELL", "0.2"))
    seen(buyer, bought, status="PARTIALLY_FILLED")
    book = traded.http.get(f"/markets/{SPOT}/orderbook").json()
    assert (book["bids"][0]["price"], book["bids"][0]["quantity"]) == ("59.91", "0.05")
    assert book["asks"][0]["price"] == "60.5"
    trade = traded.http.get(f"/markets/{SPOT}/trades?limit=1").json()[0]
    assert (trade["price"], trade["quantity"], trade["side"]) == ("59.91", "0.2", "SELL")
    fill = buyer.get(f"/fills?marketId={SPOT}&orderId={bought}").json()[0]
    assert (fill["tradeId"], fill["notional"]) == (trade["id"], "11.982")
    candle = traded.http.get(f"/markets/{SPOT}/candles").json()[0]
    assert candle["close"] == "59.91"
    (open_order,) = seller.get(f"/orders?open=true&marketId={SPOT}").json()
    assert open_order["clientOrderId"] == "far"
    assert buyer.delete(f"/orders?marketId={SPOT}").json()["requested"] == 1
    seen(buyer, bought, status="CANCELLED")
    seller.delete("/orders")
    eventually(lambda: balances(seller)["ETH"] == ("4.8", "0", "4.8"))


def test_listed_assets_come_and_go_in_their_own_atoms(traded: Deployment) -> None:
    person = traded.person()
    answer = person.post("/deposits", {"asset": "ETH", "amount": "0.00000001"})
    assert answer.json() | {"userId": ""} == {
        "userId": "",
        "accountId": person.account_name,
        "asset": "ETH",
        "total": "0.00000001",
        "locked": "0",
    }
    fine = person.post("/deposits", {"asset": "ETH", "amount": "1.000000016"}).json()["error"]
    assert "more than 8 decimals" in fine["message"]
    assert fine["details"]["nearest"] == "1.00000002"
    least = person.post("/withdrawals", {"asset": "ETH", "amount": "0"}).json()["error"]
    assert least["details"]["nearest"] == "0.00000001"
    most = person.post("/deposits", {"asset": "ETH", "amount": "1000000000.1"}).json()["error"]
    assert most["details"]["nearest"] == "1000000000"
    much = person.post("/withdrawals", {"asset": "ETH", "amount": "0.00000002"})
    assert error_of(much) == (400, "INSUFFICIENT_MARGIN")
    gone = person.post("/withdrawals", {"asset": "ETH", "amount": "0.00000001"})
    assert (gone.status_code, gone.json()["total"]) == (201, "0")
    assert balances(person) == {"ETH": ("0", "0", "0"), "USDC": ("10000", "0", "10000")}


def test_accounts_begin_and_begin_anew_with_assets_and_move_them(traded: Deployment) -> None:
    person = traded.person()
    other = person.opened(ETH="2", USDC="5")
    assert balances(other) == {"ETH": ("2", "0", "2"), "USDC": ("5", "0", "5")}
    sent = {"from": other.account_name, "to": person.account_name, "asset": "ETH", "amount": "0.5"}
    for key, _ in (("one", 1), ("one", 2)):
        moved = person.post("/accounts/transfers", sent, key=key).json()
        assert (moved["from"]["total"], moved["to"]["total"]) == ("1.5", "0.5")
    assert balances(person)["ETH"] == ("0.5", "0", "0.5")
    anew = other.post("/account/reset", {"balances": {"ETH": "0.1"}})
    assert (anew.json()["asset"], anew.json()["total"]) == ("USDC", "0")
    assert balances(other) == {"ETH": ("0.1", "0", "0.1"), "USDC": ("0", "0", "0")}
    audit(traded.database)


def test_an_asset_that_no_market_trades_is_told_which_ones_are_there(traded: Deployment) -> None:
    person = traded.person()
    for path, sent in (
        ("/deposits", {"asset": "BTC", "amount": "1"}),
        ("/account/reset", {"balances": {"BTC": "1"}}),
        ("/accounts", {"name": "x", "balances": {"BTC": "1"}}),
    ):
        refused = person.post(path, sent)
        assert error_of(refused) == (400, "UNKNOWN_ASSET")
        assert refused.json()["error"]["message"] == "The asset must be USDC, ETH or USDT"


def test_too_many_balances_are_told_in_entries(traded: Deployment) -> None:
    many = {f"A{number}": "1" for number in range(11)}
    refused = traded.person().post("/account/reset", {"balances": many})
    assert error_of(refused)[0] == 400
    assert refused.json()["error"]["message"] == "balances: must have 10 entries or fewer"


def test_an_open_purchase_shows_in_the_account_as_what_it_would_pay(traded: Deployment) -> None:
    person = traded.person()
    placed(person, limit("BUY", "1", "59"))
    account = person.get("/account").json()
    assert (account["locked"], account["openLoss"]) == ("59.0295", "59.0295")
    assert (account["available"], account["withdrawable"]) == ("9940.9705", "9940.9695")
    assert (account["positions"], account["leverages"]) == ([], [])
    assert error_of(person.post("/account/reset")) == (409, "ACCOUNT_NOT_FLAT")
    person.delete("/orders")
    eventually(lambda: person.get("/account").json()["locked"] == "0")


def test_a_sale_that_waits_locks_what_it_sells_and_is_amended_with_it(traded: Deployment) -> None:
    person = rich(traded, "1")
    stop = limit("SELL", "0.4", type="STOP", triggerPrice="58")
    del stop["price"]
    order_id = placed(person, stop)
    seen(person, order_id, status="OPEN")
    assert balances(person)["ETH"] == ("1", "0.4", "0.6")
    for quantity, locked in (("0.7", "0.7"), ("0.25", "0.25")):
        answer = person.patch(f"/orders/{order_id}", {"quantity": quantity})
        assert answer.status_code == 202, answer.text
        seen(person, order_id, quantity=quantity)
        assert balances(person)["ETH"][1] == locked
    much = person.patch(f"/orders/{order_id}", {"quantity": "1.001"})
    details = much.json()["error"]["details"]
    assert (details["asset"], details["required"], details["available"]) == ("ETH", "1.001", "1")
    person.delete(f"/orders/{order_id}")
    seen(person, order_id, status="CANCELLED")
    assert balances(person)["ETH"] == ("1", "0", "1")


def test_a_purchase_at_another_price_locks_what_it_then_may_pay(traded: Deployment) -> None:
    person = traded.person("100")
    order_id = placed(person, limit("BUY", "1", "56"))
    seen(person, order_id, status="OPEN")
    for price, locked in (("58", "58.029"), ("55", "55.0275")):
        answer = person.patch(f"/orders/{order_id}", {"price": price})
        assert answer.status_code == 202, answer.text
        seen(person, order_id, price=price)
        assert balances(person)["USDC"][1] == locked
    dear = person.patch(f"/orders/{order_id}", {"quantity": "2"})
    assert error_of(dear) == (400, "INSUFFICIENT_MARGIN")
    person.delete(f"/orders/{order_id}")
    seen(person, order_id, status="CANCELLED")
    audit(traded.database)
