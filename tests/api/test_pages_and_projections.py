"""S28: what actors have written is read back exactly, in bounded pages, newest first."""

from typing import Any

import pytest

from api.door.paging import cursor_text
from storage.market.depth import levels_to_bytes
from tests.api.deployment import Deployment, Person, error_of, small_order

T0_US = 1_767_225_600_000_000


def insert(exchange: Deployment, table: str, **row: Any) -> None:
    names, places = ", ".join(row), ", ".join(["%s"] * len(row))
    statement = f"INSERT INTO {table} ({names}) VALUES ({places})"
    exchange.database.execute(statement, tuple(row.values()))


def fill(exchange: Deployment, person: Person, seq: int, **changes: Any) -> None:
    row: dict[str, Any] = {
        "market_id": "ETH-PERP",
        "event_seq": seq,
        "is_maker": False,
        "order_id": 1,
        "account_id": person.user_id,
        "side": 1,
        "price_ticks": 5_991,
        "quantity_lots": 100,
        "fee_atoms": 29_955,
        "realized_pnl_atoms": 0,
        "created_at_us": T0_US,
    }
    insert(exchange, "fills", **{**row, **changes})


def test_an_order_shows_what_its_fills_made_of_it(exchange: Deployment, alice: Person) -> None:
    order = small_order(marketId="ETH-PERP", price="60", quantity="3")
    order_id = alice.post("/orders", order).json()["orderId"]
    number = int(order_id.removeprefix("order_"))
    fill(exchange, alice, 100, order_id=number, price_ticks=5_991, quantity_lots=100)
    fill(exchange, alice, 101, order_id=number, price_ticks=5_993, quantity_lots=50)
    exchange.database.execute(
        "UPDATE orders SET status = 5, filled_lots = 150, filled_tick_lots = 898750, reason = 24"
        " WHERE id = %s",
        (number,),
    )
    shown = alice.get(f"/orders/{order_id}").json()
    assert shown["status"] == "CANCELLED"
    assert shown["cancelReason"] == "CLIENT"
    assert "rejectionReason" not in shown
    assert (shown["filledQuantity"], shown["remainingQuantity"]) == ("1.5", "1.5")
    assert shown["averagePrice"] == "59.91666667"
    assert error_of(alice.delete(f"/orders/{order_id}")) == (409, "ORDER_NOT_OPEN")


def test_a_fill_reads_to_the_last_digit(exchange: Deployment, alice: Person) -> None:
    fill(exchange, alice, 200)
    fill(exchange, alice, 201, is_maker=True, side=2, fee_atoms=11_982, realized_pnl_atoms=-7)
    newest, oldest = alice.get("/fills").json()
    assert oldest == {
        "id": "ETH-PERP-200:taker",
        "tradeId": "ETH-PERP-200",
        "orderId": "order_1",
        "userId": alice.name,
        "accountId": alice.account_name,
        "marketId": "ETH-PERP",
        "side": "BUY",
        "liquidityRole": "TAKER",
        "price": "59.91",
        "quantity": "1",
        "notional": "59.91",
        "fee": "0.029955",
        "realizedPnl": "0",
        "createdAt": T0_US // 1_000,
    }
    assert newest["id"] == "ETH-PERP-201:maker"
    assert (newest["fee"], newest["realizedPnl"]) == ("0.011982", "-0.000007")


def test_a_position_is_valued_at_mark(exchange: Deployment, alice: Person) -> None:
    insert(
        exchange,
        "positions",
        account_id=alice.user_id,
        market_id="ETH-PERP",
        quantity_lots=-100,
        cost_atoms=-60_910_000,
        realized_pnl_atoms=-29_955,
        updated_at_us=T0_US,
    )
    insert(exchange, "leverages", account_id=alice.user_id, market_id="ETH-PERP", leverage=10)
    assert alice.get("/positions").json() == [
        {
            "userId": alice.name,
            "accountId": alice.account_name,
            "marketId": "ETH-PERP",
            "quantity": "-1",
            "entryPrice": "60.91",
            "realizedPnl": "-0.029955",
            "unrealizedPnl": "1",
            "markPrice": "59.91",
            "leverage": 10,
            "updatedAt": T0_US // 1_000,
        }
    ]


def pages(person: Person, path: str, **query: Any) -> list[list[str]]:
    """The ids of every page, following the cursor."""
    found: list[list[str]] = []
    cursor = None
    while True:
        asked = query | ({"cursor": cursor} if cursor else {})
        response = person.get(path, params=asked)
        assert response.status_code == 200, response.text
        found.append([row["id"] for row in response.json()])
        cursor = response.headers.get("X-Next-Cursor")
        if cursor is None:
            return found


def test_s28_fills_of_one_instant_page_without_gap_or_repetition(
    exchange: Deployment, alice: Person
) -> None:
    for number in range(10):
        fill(exchange, alice, 300 + number // 2, is_maker=number % 2 == 0)
    assert [len(page) for page in pages(alice, "/fills", limit=4)] == [4, 4, 2]
    ids = [row for page in pages(alice, "/fills", limit=3) for row in page]
    assert len(set(ids)) == 10
    assert ids == [row for page in pages(alice, "/fills", limit=500) for row in page]


def test_s28_orders_page_newest_first(alice: Person) -> None:
    placed = [alice.post("/orders", small_order()).json()["orderId"] for _ in range(7)]
    assert pages(alice, "/orders", limit=3) == [placed[6:3:-1], placed[3:0:-1], placed[:1]]


def test_orders_are_filtered(alice: Person) -> None:
    named = alice.post("/orders", small_order(clientOrderId="named")).json()["orderId"]
    eth = small_order(marketId="ETH-PERP", price="10", quantity="1")
    other = alice.post("/orders", eth).json()["orderId"]

    def ids(**query: str) -> list[str]:
        return [order["id"] for order in alice.get("/orders", params=query).json()]

    assert ids(clientOrderId="named") == [named]
    assert ids(marketId="ETH-PERP") == [other]
    assert ids(status="PENDING") == [other, named]
    assert ids(status="CANCELLED") == []
    assert error_of(alice.get("/orders?marketId=DOGE-PERP")) == (404, "MARKET_NOT_FOUND")


def test_s28_the_ledger_pages(alice: Person) -> None:
    for _ in range(4):
        alice.post("/deposits", {"asset": "USDC", "amount": "1"})
    assert [len(page) for page in pages(alice, "/ledger", limit=2)] == [2, 2, 1]


@pytest.mark.parametrize("path", ["/orders", "/fills", "/ledger", "/markets/BTC-PERP/trades"])
@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=501",
        "limit=1000000000",
        "limit=1e2",
        "limit=",
        "limit=1&limit=2",
        "limit=%D9%A3",
        "limit=1.0",
        "cursor=",
        "cursor=x",
        "cursor=-1",
        "cursor=99999999999999999999",
        "cursor=1%00",
        "cursor=" + "9" * 100,
        "offset=10",
        "&".join(f"a{n}=1" for n in range(50)),
    ],
)
def test_s28_a_page_outside_the_bounds_is_400(path: str, query: str, alice: Person) -> None:
    refused = alice.get(f"{path}?{query}")
    assert error_of(refused) == (400, "INVALID_REQUEST")


def test_s28_the_deepest_page_is_as_bounded_as_the_first(alice: Person) -> None:
    for name in ("orders", "fills", "ledger"):
        path = f"/{name}?cursor={cursor_text(name, 1)}&limit=500"
        assert alice.get(path).json() == []


def test_the_book_shows_levels_best_first(exchange: Deployment) -> None:
    import numpy as np

    bids = levels_to_bytes(np.array([[659_999, 1_250, 2], [659_998, 1, 1]], dtype=np.int64))
    exchange.database.execute(
        "UPDATE market_views SET event_seq = 7, at_us = %s, bids = %s WHERE market_id = 'BTC-PERP'",
        (T0_US, bids),
    )
    book = exchange.http.get("/markets/BTC-PERP/orderbook?depth=1").json()
    assert (book["marketId"], book["sequence"], book["asks"]) == ("BTC-PERP", 7, [])
    assert book["bids"] == [
        {
            "price": "65999.9",
            "quantity": "1.25",
            "orderCount": 2,
            "priceTicks": "65999.9",
            "totalQtyLots": "1.25",
        }
    ]
    assert error_of(exchange.http.get("/markets/BTC-PERP/orderbook?depth=101"))[0] == 400


def test_prices_are_mark_and_index(exchange: Deployment) -> None:
    one = exchange.http.get("/prices/BTC-PERP").json()
    assert (one["markPrice"], one["indexPrice"], one["fundingRate"]) == ("66000", "66000", "0")
    assert exchange.http.get("/prices").json()[0] == one
    assert error_of(exchange.http.get("/prices/DOGE-PERP")) == (404, "MARKET_NOT_FOUND")


def test_the_tape_shows_the_takers_side(exchange: Deployment) -> None:
    for seq in (1, 2, 3):
        insert(
            exchange,
            "trades",
            market_id="BTC-PERP",
            event_seq=seq,
            price_ticks=660_001,
            quantity_lots=250,
            taker_side=2,
            created_at_us=T0_US,
        )
    response = exchange.http.get("/markets/BTC-PERP/trades?limit=2")
    assert [trade["id"] for trade in response.json()] == ["BTC-PERP-3", "BTC-PERP-2"]
    assert (
        response.json()[0] | {"price": "66000.1", "quantity": "0.25", "side": "SELL"}
        == (response.json()[0])
    )
    cursor = response.headers["X-Next-Cursor"]
    last = exchange.http.get(f"/markets/BTC-PERP/trades?limit=2&cursor={cursor}")
    assert [trade["id"] for trade in last.json()] == ["BTC-PERP-1"]
