"""Lists by status and by time, and cursors that are not of the list they are sent to."""

from typing import Any

import pytest

from api.door.paging import cursor_text
from tests.api.deployment import Deployment, Person, error_of, small_order

T0_US = 1_767_225_600_000_000
SECOND_US = 1_000_000
STATUSES = {
    "PENDING": 1,
    "OPEN": 2,
    "PARTIALLY_FILLED": 3,
    "FILLED": 4,
    "CANCELLED": 5,
    "REJECTED": 6,
    "EXPIRED": 7,
}
FILL = """
INSERT INTO fills (market_id, event_seq, is_maker, order_id, account_id, side, price_ticks,
    quantity_lots, fee_atoms, realized_pnl_atoms, created_at_us)
VALUES ('ETH-PERP', %s, false, 1, %s, 1, 5991, 100, 29955, 0, %s)"""
LEG = """
INSERT INTO ledger_entries (source, seq, leg, account_id, asset, entry_type, amount_atoms,
    created_at_us) VALUES ('of test', %s, %s, %s, 'USDC', 'DEPOSIT', 0, %s)"""
TRADE = """
INSERT INTO trades (market_id, event_seq, price_ticks, quantity_lots, taker_side, created_at_us)
VALUES ('ETH-PERP', %s, 5991, 1, 1, %s)"""


def ids(person: Person, path: str, **query: Any) -> list[str]:
    response = person.get(path, params=query)
    assert response.status_code == 200, response.text
    return [row["id"] for row in response.json()]


@pytest.fixture
def one_of_each(exchange: Deployment, alice: Person) -> dict[str, str]:
    """An order in every status, by the status."""
    placed = {}
    for name, number in STATUSES.items():
        placed[name] = str(alice.post("/orders", small_order()).json()["orderId"])
        exchange.database.execute(
            "UPDATE orders SET status = %s, reason = CASE %s WHEN 6 THEN 10 WHEN 5 THEN 28"
            " WHEN 7 THEN 20 ELSE 0 END WHERE id = %s",
            (number, number, int(placed[name].removeprefix("order_"))),
        )
    return placed


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"status": "OPEN,PARTIALLY_FILLED"}, ["PARTIALLY_FILLED", "OPEN"]),
        ({"status": "EXPIRED,FILLED,PENDING"}, ["EXPIRED", "FILLED", "PENDING"]),
        ({"status": "REJECTED"}, ["REJECTED"]),
        ({"open": "true"}, ["PARTIALLY_FILLED", "OPEN", "PENDING"]),
        ({"open": "false"}, ["EXPIRED", "REJECTED", "CANCELLED", "FILLED"]),
        ({"open": "true", "status": "OPEN,FILLED"}, ["OPEN"]),
        ({"open": "true", "status": "FILLED"}, []),
        ({"marketId": "BTC-PERP", "open": "false", "limit": 2}, ["EXPIRED", "REJECTED"]),
        ({"marketId": "BTC-PERP"}, list(reversed(STATUSES))),
        ({"marketId": "ETH-PERP", "open": "true"}, []),
    ],
)
def test_orders_are_listed_by_status(
    query: dict[str, Any], wanted: list[str], one_of_each: dict[str, str], alice: Person
) -> None:
    assert ids(alice, "/orders", **query) == [one_of_each[name] for name in wanted]


@pytest.mark.parametrize("query", ["status=OPEN,", "status=OPEN,open", "open=1", "open=True"])
def test_a_status_that_is_none_is_400(query: str, alice: Person) -> None:
    assert error_of(alice.get(f"/orders?{query}")) == (400, "INVALID_REQUEST")


def test_only_a_rejected_order_has_a_rejection_and_only_a_cancelled_one_a_cancel_reason(
    one_of_each: dict[str, str], alice: Person
) -> None:
    told = {
        name: {
            key: value
            for key, value in alice.get(f"/orders/{order_id}").json().items()
            if key in ("rejectionReason", "cancelReason")
        }
        for name, order_id in one_of_each.items()
    }
    assert told == {
        **{name: {} for name in ("PENDING", "OPEN", "PARTIALLY_FILLED", "FILLED")},
        "REJECTED": {"rejectionReason": "POST_ONLY_WOULD_TAKE"},
        "CANCELLED": {"cancelReason": "DEAD_MANS_SWITCH"},
        "EXPIRED": {"cancelReason": "SELF_TRADE"},
    }


@pytest.fixture
def eleven(exchange: Deployment, alice: Person) -> None:
    """Eleven rows in each list, a second apart, three of them at one time."""
    first, execute = 500_000 + 20 * alice.user_id, exchange.database.execute
    execute("DELETE FROM trades WHERE market_id = 'ETH-PERP'")
    execute("DELETE FROM ledger_entries WHERE source = 'transfer' AND seq = %s", (alice.user_id,))
    for number in range(11):
        at_us = T0_US + (5 if 4 <= number <= 6 else number) * SECOND_US
        order_id = int(alice.post("/orders", small_order()).json()["orderId"].split("_")[1])
        execute("UPDATE orders SET created_at_us = %s WHERE id = %s", (at_us, order_id))
        execute(FILL, (first + number, alice.user_id, at_us))
        execute(LEG, (first + number, 0, alice.user_id, at_us))
        execute(TRADE, (first + number, at_us))


LISTS = ["/orders", "/fills", "/ledger", "/markets/ETH-PERP/trades"]


def seconds(person: Person, path: str, **query: Any) -> list[int]:
    """How many seconds after T0 the rows are of."""
    rows = person.get(path, params=query).json()
    return [row["createdAt"] // 1_000 - T0_US // SECOND_US for row in rows]


@pytest.mark.parametrize("path", LISTS)
def test_since_is_within_and_until_is_not(path: str, eleven: None, alice: Person) -> None:
    def at(number: int) -> int:
        return (T0_US + number * SECOND_US) // 1_000

    everything = [10, 9, 8, 7, 5, 5, 5, 3, 2, 1, 0]
    assert seconds(alice, path, since=at(0)) == everything
    for since in range(12):
        wanted = [number for number in everything if number >= since]
        assert seconds(alice, path, since=at(since)) == wanted
        assert seconds(alice, path, since=at(since), until=at(since)) == []
        until = [number for number in everything if since - 2 <= number < since]
        assert seconds(alice, path, since=at(max(0, since - 2)), until=at(since)) == until
    assert seconds(alice, path, since=at(5) + 1, until=at(9) + 1) == [9, 8, 7]
    assert seconds(alice, path, since=at(0), limit=3) == [10, 9, 8]
    wrong = alice.get(path, params={"since": at(2), "until": at(1)})
    assert error_of(wrong) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize("path", LISTS)
def test_a_window_pages_without_gap_or_repetition(path: str, eleven: None, alice: Person) -> None:
    since, until = T0_US // 1_000 + 1_000, T0_US // 1_000 + 9_000
    found: list[int] = []
    query: dict[str, Any] = {"since": since, "until": until, "limit": 2}
    while True:
        response = alice.get(path, params=query)
        found += [row["createdAt"] for row in response.json()]
        cursor = response.headers.get("X-Next-Cursor")
        if cursor is None:
            break
        query["cursor"] = cursor
    assert [(at - T0_US // 1_000) // 1_000 for at in found] == [8, 7, 5, 5, 5, 3, 2, 1]


@pytest.mark.parametrize("path", [*LISTS, "/simulations", "/markets/ETH-PERP/candles"])
@pytest.mark.parametrize(
    "cursor",
    [
        "7",
        "orders.7.00000000",
        cursor_text("elsewhere", 7),
        cursor_text("trades-BTC-PERP", 7),
        cursor_text("orders", 7)[:-1],
        cursor_text("orders", 7).replace("7", "8", 1),
        cursor_text("orders", 2**63),
    ],
)
def test_a_cursor_of_another_list_or_a_damaged_one_is_400_in_one_sentence(
    path: str, cursor: str, alice: Person
) -> None:
    refused = alice.get(path, params={"cursor": cursor})
    assert error_of(refused) == (400, "INVALID_REQUEST")
    assert refused.json()["error"]["message"].startswith("cursor: not one of this list")
