"""Recomputes money and orders from the journal alone, and compares with every projection.

Its own model: fractions instead of atoms of a cost basis, dictionaries instead of SQL.
"""

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import psycopg

from sim.money.ledger import ENTRY_CODES, STRATEGIES_FIRST, EntryType
from sim.rows.layouts import kept_rows
from sim.rows.messages import EVENT, CommandKind, EventKind, OrderFlag, Side
from storage.market.journal import journal_after

RATE = Fraction(1, 1_000_000)
OPEN, PART, FILLED, CANCELED, REJECTED, EXPIRED = 2, 3, 4, 5, 6, 7
ENDS = {
    EventKind.CANCELED: CANCELED,
    EventKind.REJECTED: REJECTED,
    EventKind.EXPIRED: EXPIRED,
}


class Book:
    """What a market's events say, market by market."""

    def __init__(self) -> None:
        self.status: dict[int, int] = {}
        self.filled: dict[int, int] = defaultdict(int)
        self.amended: dict[int, int] = {}
        self.reduces: dict[int, bool] = {}
        self.cut: dict[int, int] = defaultdict(int)
        self.position: dict[int, int] = defaultdict(int)
        self.cash: dict[int, int] = defaultdict(int)
        self.fees: dict[int, int] = defaultdict(int)
        self.sides: set[tuple[int, ...]] = set()


def audit(connection: psycopg.Connection[Any]) -> None:
    """Raises AssertionError for the first promise that does not hold."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        for market_id, tick_lot, maker, taker, lot_atoms in markets(connection):
            book = replayed(connection, market_id, tick_lot, maker, taker)
            check_orders(connection, market_id, book)
            if lot_atoms:
                check_exchanged(connection, market_id, book, lot_atoms)
            else:
                check_positions(connection, market_id, book)
            check_fills(connection, market_id, book)
            check_commands(connection, market_id)
        check_money(connection)


def markets(connection: psycopg.Connection[Any]) -> list[tuple[str, int, int, int, int]]:
    """Each with the atoms of a lot at a tick, both fees, and the base atoms of a spot lot, or 0."""
    rows = connection.execute(
        "SELECT market_id, tick_size::numeric * lot_size::numeric * 1000000, maker_fee_ppm,"
        " taker_fee_ppm, CASE kind WHEN 'SPOT' THEN lot_size::numeric * 100000000 ELSE 0 END"
        " FROM markets"
    )
    return [(row[0], int(row[1]), row[2], row[3], int(row[4])) for row in rows]


def replayed(
    connection: psycopg.Connection[Any], market_id: str, tick_lot: int, maker: int, taker: int
) -> Book:
    """The journal up to the projection's cursor; event numbers have no gap."""
    book, expected_seq = Book(), 1
    row = connection.execute(
        "SELECT batch_no FROM projections WHERE market_id = %s", (market_id,)
    ).fetchone()
    assert row is not None
    for batch_no, data in journal(connection, market_id, 5):
        if batch_no > row[0]:
            break
        for event in np.frombuffer(data, dtype=EVENT):
            assert event["event_seq"] == expected_seq, f"{market_id}: event {expected_seq}"
            expected_seq += 1
            learn(book, event, tick_lot, maker, taker)
    return book


def journal(
    connection: psycopg.Connection[Any], market_id: str, column: int
) -> Iterator[tuple[int, bytes]]:
    """Every batch's number with its inputs (column 4) or events (5), packed or not."""
    last = 0
    while rows := journal_after(connection, market_id, last, 1_000):
        for row in rows:
            assert row[0] == last + 1, f"{market_id}: batch {last + 1}"
            last = row[0]
            yield last, row[column]


def learn(book: Book, event: Any, tick_lot: int, maker: int, taker: int) -> None:
    """One event into the model."""
    kind, order_id = int(event["kind"]), int(event["order_id"])
    if kind in (EventKind.RESTED, EventKind.WAITING, EventKind.AMENDED):
        book.reduces[order_id] = bool(event["flags"] & OrderFlag.REDUCE_ONLY)
    if kind == EventKind.TRADE:
        notional = int(event["price_ticks"]) * int(event["quantity_lots"]) * tick_lot
        sign = 1 if event["side"] == Side.BUY else -1
        assert event["account_id"] != event["maker_account_id"], "a self-trade"
        for who, own, rate, direction in (
            ("", order_id, taker, sign),
            ("maker_", int(event["maker_order_id"]), maker, -sign),
        ):
            account = int(event[f"{who}account_id"])
            assert book.status.get(own, OPEN) <= PART, f"order {own} trades after its end"
            book.filled[own] += int(event["quantity_lots"])
            book.status[own] = PART
            book.position[account] += direction * int(event["quantity_lots"])
            book.cash[account] -= direction * notional
            book.fees[account] += -int(-notional * rate * RATE // 1)
            if account < STRATEGIES_FIRST:
                side = Side.BUY if direction == 1 else Side.SELL
                book.sides.add((int(event["event_seq"]), bool(who), own, account, int(side)))
    elif kind == EventKind.RESTED:
        book.status[order_id] = PART if book.filled[order_id] else OPEN
    elif kind == EventKind.REDUCED:
        assert book.status.get(order_id, OPEN) <= PART, f"order {order_id} is cut after its end"
        book.cut[order_id] += int(event["quantity_lots"])
    elif kind == EventKind.WAITING:
        book.status[order_id] = OPEN
    elif kind == EventKind.AMENDED:
        assert book.status.get(order_id, OPEN) <= PART, f"order {order_id} is amended too late"
        book.amended[order_id] = book.filled[order_id] + int(event["quantity_lots"])
        book.cut[order_id] = 0
    elif kind in ENDS:
        assert book.status.get(order_id, OPEN) <= PART, f"order {order_id} ends twice"
        book.status[order_id] = ENDS[EventKind(kind)]


def check_orders(connection: psycopg.Connection[Any], market_id: str, book: Book) -> None:
    """Status and quantities of every order follow from its command and the events."""
    rows = connection.execute(
        "SELECT id, status, filled_lots, quantity_lots, reserved_atoms, reduce_only OR NOT may_open"
        " FROM orders WHERE market_id = %s",
        (market_id,),
    ).fetchall()
    asked = ordered(connection, market_id)
    for order_id, status, filled, quantity, reserved, opens_nothing in rows:
        wished = book.amended.get(order_id, asked.get(order_id, quantity))
        assert quantity == wished - book.cut[order_id], f"order {order_id}"
        said = book.status.get(order_id, 1)
        if book.filled[order_id] == quantity:
            said = FILLED
        assert (status, filled) == (said, book.filled[order_id]), f"order {order_id}"
        assert filled <= quantity
        assert status <= PART or reserved == 0, f"order {order_id} still reserves"
        reduces = book.reduces.get(order_id, opens_nothing)
        assert reduces == opens_nothing, f"order {order_id} may open, or not, in its market alone"
    known = {row[0] for row in rows}
    assert {order_id for order_id in book.status if order_id > 0} <= known


def ordered(connection: psycopg.Connection[Any], market_id: str) -> dict[int, int]:
    """Lots of every order that the market was asked to place, by id."""
    found: dict[int, int] = {}
    for _, data in journal(connection, market_id, 4):
        rows = kept_rows(data)
        places = rows[rows["kind"] == CommandKind.PLACE]
        found.update(
            zip(places["order_id"].tolist(), places["quantity_lots"].tolist(), strict=True)
        )
    return found


def check_positions(connection: psycopg.Connection[Any], market_id: str, book: Book) -> None:
    """Positions sum to zero, and cash plus cost is what was realised, less fees."""
    rows = connection.execute(
        "SELECT account_id, quantity_lots, cost_atoms, realized_pnl_atoms FROM positions"
        " WHERE market_id = %s",
        (market_id,),
    ).fetchall()
    assert sum(row[1] for row in rows) == 0, f"{market_id}: positions do not sum to zero"
    for account_id, lots, cost, realized in rows:
        assert lots == book.position[account_id]
        assert realized == book.cash[account_id] + cost - book.fees[account_id]
        assert lots or cost == 0
    assert {account for account, lots in book.position.items() if lots} <= {row[0] for row in rows}


def check_exchanged(
    connection: psycopg.Connection[Any], market_id: str, book: Book, lot_atoms: int
) -> None:
    """In a spot market every trader gained and paid what it traded; only strategies' holdings are
    kept as positions, beginning with what they were given."""
    trades = connection.execute(TRADED, {"market": market_id, "kind": ENTRY_CODES[EntryType.TRADE]})
    gained = {(account, asset): atoms for account, asset, atoms in trades if atoms}
    expected = {(account, "USDC"): cash for account, cash in book.cash.items()}
    (base,) = connection.execute(BASE, (market_id,)).fetchone() or ("",)
    expected |= {(account, base): lots * lot_atoms for account, lots in book.position.items()}
    assert gained == {place: atoms for place, atoms in expected.items() if atoms}, market_id
    given = {
        account: (atoms // lot_atoms, worth)
        for account, atoms, worth in connection.execute(GIVEN, (market_id,))
    }
    rows = connection.execute(HOLDINGS, (market_id,)).fetchall()
    for account, lots, cost, realized in rows:
        given_lots, worth = given.get(account, (0, 0))
        assert lots == given_lots + book.position[account], f"{market_id}: account {account}"
        assert realized == book.cash[account] + cost - worth - book.fees[account]
        assert lots or cost == 0
    traders = {account for account in book.position if account >= STRATEGIES_FIRST}
    assert {row[0] for row in rows} == traders | set(given)


def check_fills(connection: psycopg.Connection[Any], market_id: str, book: Book) -> None:
    """Clients' fills are their sides of the trades; what strategies trade is in no table."""
    rows = connection.execute(
        "SELECT event_seq, is_maker, order_id, account_id, side FROM fills WHERE market_id = %s",
        (market_id,),
    ).fetchall()
    assert len(rows) == len(set(rows)), f"{market_id}: a fill is there twice"
    assert set(rows) == book.sides, f"{market_id}: fills that are not the journal's"


def check_commands(connection: psycopg.Connection[Any], market_id: str) -> None:
    """Numbers are gap-free, of an account in order of identity (another's may commit before), and
    each was applied exactly once."""
    numbered = connection.execute(
        "SELECT account_id, command_seq FROM commands WHERE market_id = %s"
        " AND command_seq IS NOT NULL ORDER BY account_id, id",
        (market_id,),
    ).fetchall()
    assert numbered == sorted(numbered)
    assert sorted(row[1] for row in numbered) == list(range(1, len(numbered) + 1))
    applied: list[int] = []
    for _, data in journal(connection, market_id, 4):
        applied += [seq for seq in kept_rows(data)["command_seq"].tolist() if seq]
    assert applied == list(range(1, len(applied) + 1))


HOLDINGS = """
SELECT account_id, quantity_lots, cost_atoms, realized_pnl_atoms FROM positions
WHERE market_id = %s"""
BASE = "SELECT base_asset FROM markets WHERE market_id = %s"
GIVEN = """
SELECT account_id, sum(amount_atoms) FILTER (WHERE asset <> 'USDC'),
    -sum(amount_atoms) FILTER (WHERE asset = 'USDC')
FROM ledger_entries WHERE source = 'endowment' AND reference = %s AND account_id >= 1000
GROUP BY 1"""
TRADED = """
SELECT account_id, asset, sum(amount) FROM (
    SELECT account_id, asset, amount_atoms AS amount FROM ledger_entries
    WHERE source = %(market)s AND entry_type = 'TRADE'
    UNION ALL SELECT x.account_id, asset, x.amount FROM strategy_ledger
    CROSS JOIN LATERAL unnest(account_ids, entry_codes, amounts_atoms)
        AS x(account_id, code, amount)
    WHERE source = %(market)s AND code = %(kind)s) AS legs
WHERE account_id >= 1000 GROUP BY 1, 2"""
LEDGER_LEGS = """
SELECT source, seq, account_id, asset, amount_atoms::numeric AS amount_atoms FROM ledger_entries
UNION ALL
SELECT 'strategies of ' || source, last_seq, x.account_id, asset, x.amount
FROM strategy_ledger
CROSS JOIN LATERAL unnest(account_ids, amounts_atoms) AS x(account_id, amount)"""
"""Every leg there is, clients' and strategies': balances are sums of these."""
UNBALANCED = f"""
SELECT source, seq FROM ({LEDGER_LEGS}) AS legs GROUP BY source, seq, asset
HAVING sum(amount_atoms) <> 0"""
WRONG_TOTALS = f"""
SELECT account_id, asset, b.total_atoms, l.total FROM balances b FULL JOIN (
    SELECT account_id, asset, sum(amount_atoms) AS total FROM ({LEDGER_LEGS}) AS legs
    WHERE account_id >= 1000 GROUP BY 1, 2) AS l
USING (account_id, asset) WHERE coalesce(b.total_atoms, 0) <> coalesce(l.total, 0)"""
WRONG_HOLDS = """
SELECT account_id, asset, locked_atoms, open_orders FROM balances b
WHERE (locked_atoms, open_orders) <>
    (SELECT coalesce(sum(o.reserved_atoms + coalesce(a.reserved_atoms, 0)) FILTER (WHERE b.asset =
            CASE WHEN kind = 'SPOT' AND side = 2 THEN base_asset ELSE quote_asset END), 0),
        count(*) FILTER (WHERE b.asset = quote_asset)
     FROM orders o JOIN markets m USING (market_id) LEFT JOIN amendments a ON a.order_id = o.id
     WHERE o.account_id = b.account_id AND o.status <= 3)"""
SOLD_UNOWNED = """
SELECT account_id, asset FROM balances
WHERE asset <> 'USDC' AND (total_atoms < 0 OR total_atoms < locked_atoms)"""
WRONG_AFTER = """
SELECT * FROM (SELECT account_id, asset, id, balance_after_atoms,
    sum(amount_atoms) OVER (PARTITION BY account_id, asset ORDER BY id) AS running
    FROM ledger_entries) l
WHERE account_id < 1000000000 AND balance_after_atoms <> running"""
"""Strategies trade between the entries that stand here."""
WRONG_FILLS = """
SELECT f.market_id, f.event_seq FROM fills f LEFT JOIN trades t USING (market_id, event_seq)
WHERE (f.price_ticks, f.quantity_lots) IS DISTINCT FROM (t.price_ticks, t.quantity_lots)"""


def check_money(connection: psycopg.Connection[Any]) -> None:
    """Every ledger transaction sums to zero, and balances and holds are sums."""
    for name, statement in (
        ("ledger transactions that do not sum to zero", UNBALANCED),
        ("balances that are not the sum of their ledger", WRONG_TOTALS),
        ("holds that are not the sum of open reservations", WRONG_HOLDS),
        ("assets that are locked or gone and were never there", SOLD_UNOWNED),
        ("ledger entries with a wrong balance after", WRONG_AFTER),
        ("fills that are not as their trades", WRONG_FILLS),
    ):
        assert connection.execute(statement).fetchall() == [], name
