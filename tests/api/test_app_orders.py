"""The trading app's orders on spot markets, in JSON numbers, on the same account as Flux's."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from storage.servers.embedded import EmbeddedPostgres, EmbeddedValkey
from tests.api.browsers import client as browser
from tests.api.browsers import close_all, error_of
from tests.api.conftest import empty_database
from tests.api.deployment import Deployment, Person
from tests.api.trading_floor import Floor, trading_floor
from tests.waiting import eventually

SPOT = "ETH_USDC"
ORDER_KEYS = {
    *("orderId", "userId", "market", "side", "orderType", "quantity", "price", "stopPrice"),
    *("timeInForce", "status", "expiresAt", "createdAt"),
    *("filledQuantity", "averagePrice", "fee", "reason"),
}
DOCUMENTED = """{
    "market": "ETH_USDC",
    "side": "BUY",
    "orderType": "LIMIT",
    "quantity": 1.5,
    "price": 3200.00,
    "timeInForce": "GTC",
    "stopPrice": null,
    "expiresAt": null
  }"""


@pytest.fixture(scope="module")
def traded(
    postgres: EmbeddedPostgres, valkey: EmbeddedValkey, template_database: str, servers_dir: Path
) -> Iterator[Floor]:
    """An API process, and a spot market behind it."""
    urls = empty_database(postgres, template_database, "api_app_orders")
    with trading_floor(urls, valkey, servers_dir / "app_orders", SPOT) as floor:
        floor.mark_at(5_991, SPOT)
        yield floor


class Trader:
    """Someone with money, in a browser."""

    def __init__(self, exchange: Deployment) -> None:
        self.person: Person = exchange.person()
        assert self.person.post("/deposits", {"asset": "ETH", "amount": "5"}).status_code == 201
        self.http = browser(exchange, auth_token=self.person.token)

    def places(self, **fields: Any) -> httpx.Response:
        order = {
            "market": SPOT,
            "side": "BUY",
            "orderType": "LIMIT",
            "quantity": 0.5,
            "price": 59.91,
            **fields,
        }
        return self.http.post("/api/orders", json=order)

    def placed(self, **fields: Any) -> dict[str, Any]:
        answer = self.places(**fields)
        assert answer.status_code == 201, answer.text
        return dict(answer.json()["order"])

    def order(self, order_id: str) -> dict[str, Any]:
        return dict(self.http.get(f"/api/orders/{order_id}").json()["order"])

    def cancels(self, order_id: str) -> httpx.Response:
        return self.http.delete(f"/api/orders/{order_id}")

    def sees(self, order_id: str, status: str) -> dict[str, Any]:
        eventually(lambda: self.order(order_id)["status"] == status)
        return self.order(order_id)

    @property
    def money(self) -> dict[str, tuple[Decimal, Decimal]]:
        text = self.http.get("/api/balances").text
        rows = json.loads(text, parse_float=Decimal, parse_int=Decimal)["balances"]
        return {row["asset"]: (row["total"], row["locked"]) for row in rows}


@pytest.fixture
def ann(traded: Floor) -> Iterator[Trader]:
    trader = Trader(traded.exchange)
    yield trader
    trader.person.delete("/orders")
    close_all()


@pytest.fixture
def ben(traded: Floor, ann: Trader) -> Iterator[Trader]:
    trader = Trader(traded.exchange)
    yield trader
    trader.person.delete("/orders")


@pytest.fixture
def eve(app: Deployment) -> Iterator[Trader]:
    """Someone where no market takes what is accepted, and the document's price is near mark."""
    app.database.execute(
        "UPDATE market_prices SET mark_ticks = 320000, index_ticks = 320000 WHERE market_id = %s",
        (SPOT,),
    )
    yield Trader(app)
    close_all()


def test_the_documented_order_as_it_stands(eve: Trader) -> None:
    headers = {"Content-Type": "application/json"}
    answer = eve.http.post("/api/orders", content=DOCUMENTED, headers=headers)
    assert answer.status_code == 201, answer.text
    order = answer.json()["order"]
    assert set(answer.json()) == {"order"}
    assert set(order) == ORDER_KEYS
    assert order.items() >= {
        "userId": eve.person.name, "market": SPOT, "side": "BUY", "orderType": "LIMIT",
        "quantity": 1.5, "price": 3200, "stopPrice": None, "timeInForce": "GTC", "status": "OPEN",
        "expiresAt": None, "filledQuantity": 0, "averagePrice": None, "fee": 0, "reason": None,
    }.items()  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", order["createdAt"])
    assert eve.http.get("/api/orders").json() == {"orders": [order]}
    assert eve.http.get(f"/api/orders/{order['orderId']}").json() == {"order": order}
    assert eve.money["USDC"] == (Decimal(10_000), Decimal("4802.4"))
    asked = eve.cancels(order["orderId"])  # after two seconds it is still to be done
    assert (asked.status_code, asked.json()) == (202, {"order": order})


def test_an_order_is_cancelled_when_that_is_answered(ann: Trader) -> None:
    order = ann.placed()
    gone = ann.cancels(order["orderId"])
    assert gone.status_code == 200, gone.text
    assert gone.json()["order"] == order | {"status": "CANCELLED", "reason": "CLIENT"}
    assert ann.money["USDC"] == (Decimal(10_000), Decimal(0))


def test_numbers_are_exact_both_ways(ann: Trader) -> None:
    for quantity, told in (("0.001", "0.001"), ("0.0010", "0.001"), ("100e-3", "0.1"), ("1", "1")):
        answer = ann.http.post(
            "/api/orders",
            content=f'{{"market":"{SPOT}","side":"BUY","orderType":"LIMIT",'
            f'"quantity":{quantity},"price":10.010}}',
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code == 201, answer.text
        assert f'"quantity":{told},"price":10.01,' in answer.text


def test_two_trade_and_the_orders_and_the_money_say_so(ann: Trader, ben: Trader) -> None:
    bid = ann.placed(quantity=0.5, price=59.91)
    ask = ben.placed(side="SELL", quantity=0.5, price=59.91)
    sold = ben.sees(ask["orderId"], "FILLED")
    bought = ann.sees(bid["orderId"], "FILLED")
    assert (sold["filledQuantity"], sold["averagePrice"]) == (0.5, 59.91)
    assert (bought["fee"], sold["fee"]) == (0.005991, 0.014978)
    assert ann.money == {
        "ETH": (Decimal("5.5"), Decimal(0)),
        "USDC": (Decimal("9970.039009"), Decimal(0)),
    }
    assert ben.money["ETH"] == (Decimal("4.5"), Decimal(0))


def test_the_order_is_the_same_in_flux(ann: Trader) -> None:
    order = ann.placed()
    by_flux = ann.person.get(f"/orders/{order['orderId']}").json()
    assert (by_flux["orderId"], by_flux["marketId"], by_flux["quantity"]) == (
        order["orderId"],
        SPOT,
        "0.5",
    )
    assert ann.person.delete(f"/orders/{order['orderId']}").status_code == 202
    assert ann.sees(order["orderId"], "CANCELLED")["reason"] == "CLIENT"


def test_who_cancels_what_has_ended_is_told_how_it_ended(ann: Trader, ben: Trader) -> None:
    bid = ann.placed()["orderId"]
    ben.placed(side="SELL")
    filled = ann.sees(bid, "FILLED")
    answer = ann.cancels(bid)
    assert (answer.status_code, answer.json()) == (
        409,
        {"error": "The order is not open any more", "code": "409", "order": filled},
    )
    other = ann.placed(price=10)["orderId"]
    first, again = ann.cancels(other), ann.cancels(other)
    assert (first.status_code, again.status_code) == (200, 409)
    assert again.json()["order"] == first.json()["order"]


def test_a_stop_waits_for_the_last_trade_and_has_no_price(
    traded: Floor, ann: Trader, ben: Trader
) -> None:
    stop = ann.placed(side="SELL", orderType="STOP", price=None, stopPrice=55, quantity=0.1)
    assert (stop["price"], stop["stopPrice"], stop["status"]) == (None, 55, "OPEN")
    limit = ann.placed(side="SELL", orderType="STOP_LIMIT", price=54.5, stopPrice=55, quantity=0.1)
    assert (limit["price"], limit["stopPrice"]) == (54.5, 55)
    ben.placed(side="BUY", price=55, quantity=1)
    seller = Trader(traded.exchange)
    seller.placed(side="SELL", price=55, quantity=0.2)
    assert ann.sees(stop["orderId"], "FILLED")["averagePrice"] == 55
    assert ann.sees(limit["orderId"], "FILLED")["averagePrice"] == 55


def later(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_gtd_ends_by_itself(ann: Trader) -> None:
    order = ann.placed(timeInForce="GTD", expiresAt=later(1), price=10)
    assert (order["timeInForce"], order["status"]) == ("GTD", "OPEN")
    assert order["expiresAt"].endswith("Z")
    assert ann.sees(order["orderId"], "EXPIRED")["reason"] == "TIME"


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"market": "BTC-PERP"}, 400, "no spot market"),
        ({"market": "NO_SUCH"}, 404, "GET /api/markets"),
        ({"quantity": 0.0005}, 400, "0.001"),
        ({"price": 59.911}, 400, "59.91"),
        ({"price": None}, 400, "needs a price"),
        ({"orderType": "MARKET"}, 400, "has no price"),
        ({"orderType": "STOP", "price": None}, 400, "stopPrice"),
        ({"stopPrice": 50}, 400, "stopPrice"),
        ({"timeInForce": "GTD"}, 400, "expiresAt"),
        ({"expiresAt": "2030-01-01T00:00:00Z"}, 400, "expiresAt"),
        ({"timeInForce": "GTD", "expiresAt": "2020-01-01T00:00:00Z"}, 400, "expiresAt"),
        ({"timeInForce": "GTD", "expiresAt": "2030-01-01T00:00:00"}, 400, "zone"),
        ({"timeInForce": "GTD", "expiresAt": "tomorrow"}, 400, "2026-05-01T09:00:00.000Z"),
        (
            {"timeInForce": "GTD", "expiresAt": "2020-01-01t00:00:00z"},
            400,
            "2020-01-01T00:00:00.000Z",
        ),
        ({"timeInForce": "GTD", "expiresAt": "2037-W18-6T09:00Z"}, 400, "must be a time"),
        ({"timeInForce": "GTD", "expiresAt": "20370501T090000Z"}, 400, "must be a time"),
        ({"timeInForce": "GTD", "expiresAt": "0001-01-01T00:00:00+14:00"}, 400, "expiresAt"),
        ({"timeInForce": "GTD", "expiresAt": 1}, 400, "expiresAt"),
        ({"side": "buy"}, 400, "side"),
        ({"orderType": "TRAILING_STOP"}, 400, "orderType"),
        ({"quantity": "NaN"}, 400, "quantity"),
        ({"quantity": -1}, 400, "quantity"),
        ({"quantity": True}, 400, "quantity"),
        ({"accountId": "account_1"}, 400, "accountId"),
        ({"filledQuantity": 1}, 400, "filledQuantity"),
        ({"leverage": 2}, 400, "leverage"),
        ({"quantity": 10_000}, 400, "599400 USDC"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_half_made(
    fields: dict[str, Any], status: int, said: str, ann: Trader
) -> None:
    answer = ann.places(**fields)
    assert error_of(answer) == status
    assert said in answer.json()["error"], answer.text
    assert ann.http.get("/api/orders").json() == {"orders": []}
    assert ann.money["USDC"] == (Decimal(10_000), Decimal(0))


def test_somebody_elses_order_is_as_one_that_is_none(ann: Trader, ben: Trader) -> None:
    mine = ann.placed()["orderId"]
    for ask in (ben.http.get, ben.http.delete):
        foreign, missing = ask(f"/api/orders/{mine}"), ask("/api/orders/order_999999")
        assert error_of(foreign) == error_of(missing) == 404
        assert foreign.content == missing.content
    assert ann.order(mine)["status"] == "OPEN"


def test_pages_and_statuses(ann: Trader) -> None:
    ids = [ann.placed(price=10 + number)["orderId"] for number in range(5)]
    ann.cancels(ids[0])
    found, cursor = [], None
    while True:
        asked = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        answer = ann.http.get("/api/orders", params=asked)
        found += [order["orderId"] for order in answer.json()["orders"]]
        cursor = answer.headers.get("X-Next-Cursor")
        if cursor is None:
            break
    assert found == ids[::-1]
    still = ann.http.get("/api/orders", params={"status": "OPEN"}).json()["orders"]
    assert [order["orderId"] for order in still] == ids[:0:-1]
    assert error_of(ann.http.get("/api/orders", params={"status": "NONE"})) == 400


def test_the_same_key_is_the_same_order(eve: Trader) -> None:
    sent = json.loads(DOCUMENTED)
    headers = {"Idempotency-Key": "once"}
    first, again = (eve.http.post("/api/orders", json=sent, headers=headers) for _ in range(2))
    assert first.json()["order"]["orderId"] == again.json()["order"]["orderId"]
    assert len(eve.http.get("/api/orders").json()["orders"]) == 1


def test_money_comes_in_numbers(ann: Trader) -> None:
    answer = ann.http.post("/api/deposits", json={"asset": "ETH", "amount": 2.5})
    assert (answer.status_code, answer.json()) == (
        201,
        {"balance": {"asset": "ETH", "total": 7.5, "locked": 0}},
    )
    answer = ann.http.post("/api/deposits", json={"asset": "DOGE", "amount": 1})
    assert error_of(answer) == 400
    (market,) = ann.http.get("/api/markets").json()["markets"]
    assert (market["market"], market["tickSize"], market["status"]) == (SPOT, 0.01, "ACTIVE")


def test_the_header_chooses_an_account_here_too(ann: Trader, ben: Trader) -> None:
    other = ann.person.opened(USDC="100")
    chosen = {"X-Account": str(other.account)}
    order = {"market": SPOT, "side": "BUY", "orderType": "LIMIT", "quantity": 1, "price": 59}
    placed = ann.http.post("/api/orders", json=order, headers=chosen).json()["order"]["orderId"]
    assert ann.http.get("/api/orders").json() == {"orders": []}
    (seen,) = ann.http.get("/api/orders", headers=chosen).json()["orders"]
    assert seen["orderId"] == placed
    for path in ("/api/orders", "/api/balances", f"/api/orders/{placed}"):
        assert error_of(ben.http.get(path, headers=chosen)) == 404
    assert error_of(ben.http.post("/api/orders", json=order, headers=chosen)) == 404
    assert ann.http.delete(f"/api/orders/{placed}", headers=chosen).status_code == 200


def test_two_keys_are_no_key(ann: Trader) -> None:
    headers = [("Idempotency-Key", "one"), ("Idempotency-Key", "two")]
    answer = ann.http.post("/api/orders", json=json.loads(DOCUMENTED), headers=headers)
    assert (error_of(answer), "without spaces" in answer.text) == (400, True)
