"""Whatever a list is filtered for, the server reads little more than the page it answers."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from sim.orders import OrderStatus
from storage.order_states import OPEN
from storage.postgres.database import connect
from storage.reading import market_data, order_lists, time_window, views
from storage.reading.order_lists import OrderFilter
from storage.reading.time_window import TimeWindow
from storage.reading.views import FillFilter

ROWS = 60_000
OPEN_ORDERS = 200
ACCOUNT = 1_000
PAGE = 50
ROWS_READ_MAX = 5 * PAGE + OPEN_ORDERS
OF_ACCOUNT = {"limit": PAGE, "account": ACCOUNT}
INSERT_ORDERS = f"""
INSERT INTO orders (id, account_id, market_id, client_order_id, body_hash, side, order_type,
    time_in_force, price_ticks, quantity_lots, filled_lots, leverage, reduce_only, post_only,
    reserved_atoms, status, reason, created_at_us, updated_at_us)
SELECT n, {ACCOUNT} + n % 2, CASE n % 100 WHEN 0 THEN 'ETH-PERP' ELSE 'BTC-PERP' END, 'c' || n, '',
    1, 1, 1, 1, 1, 0, 1, false, false, 0,
    CASE WHEN n > {ROWS - 2 * OPEN_ORDERS} THEN 2 WHEN n % 10000 < 2 THEN 6 ELSE 4 END, 0, n, n
FROM generate_series(1, {ROWS}) AS n"""
INSERT_FILLS = f"""
INSERT INTO fills (market_id, event_seq, is_maker, order_id, account_id, side, price_ticks,
    quantity_lots, fee_atoms, realized_pnl_atoms, created_at_us)
SELECT CASE n % 1000 WHEN 0 THEN 'ETH-PERP' ELSE 'BTC-PERP' END, n, false, 1 + n / 2,
    {ACCOUNT} + n % 2, 1, 1, 1, 0, 0, n
FROM generate_series(1, {ROWS}) AS n"""
INSERT_LEDGER = f"""
INSERT INTO ledger_entries (source, seq, leg, account_id, asset, entry_type, amount_atoms,
    created_at_us)
SELECT 'of test', n, 0, {ACCOUNT} + n % 2, 'USDC', 'DEPOSIT', 1, n
FROM generate_series(1, {ROWS}) AS n"""
INSERT_TRADES = f"""
INSERT INTO trades (market_id, event_seq, price_ticks, quantity_lots, taker_side, created_at_us)
SELECT CASE n % 2 WHEN 0 THEN 'ETH-PERP' ELSE 'BTC-PERP' END, n, 1, 1, 1, n
FROM generate_series(1, {ROWS}) AS n"""
INSERT_CANDLES = f"""
INSERT INTO candles SELECT 'BTC-PERP', n, 1, 1, 1, 1, 1, 1, 1, 60000000 * (1 + n % 6)
FROM generate_series(1, {ROWS}) AS n"""


@pytest.fixture(scope="module")
def many_rows(
    postgres: Any, template_database: str
) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    name = "many_rows"
    with psycopg.connect(postgres.admin_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} OWNER sandpit_owner TEMPLATE {template_database}")
        with connect(postgres.urls(name).owner, "test") as connection:
            for statement in (INSERT_ORDERS, INSERT_FILLS, INSERT_LEDGER, INSERT_TRADES):
                connection.execute(statement)
            connection.execute(INSERT_CANDLES)
            yield connection
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def orders(**changes: Any) -> tuple[str, dict[str, Any]]:
    """A list of orders."""
    wanted = OrderFilter(**changes)
    statuses = wanted.statuses if wanted.statuses is not None else frozenset(OrderStatus)
    values = {
        "statuses": [int(status) for status in statuses],
        "ended": [int(status) for status in statuses if not status.is_open],
        "market": wanted.market_id,
        "name": wanted.client_order_id,
        "first": wanted.window.since_us,
        "end": wanted.before_id,
    }
    return order_lists.statement_for(wanted), values


def fills(**changes: Any) -> tuple[str, dict[str, Any]]:
    """A list of fills."""
    wanted = FillFilter(**changes)
    values = {
        "order": wanted.order_id,
        "market": wanted.market_id,
        "first": wanted.window.since_us,
        "end": wanted.before_id,
    }
    return views.fills_statement(wanted), values


def these(*statuses: OrderStatus) -> frozenset[OrderStatus]:
    return frozenset(statuses)


LATE, EARLY = TimeWindow(since_us=ROWS - 200), TimeWindow(since_us=100)
LISTS: dict[str, tuple[str, Any]] = {
    "orders": orders(),
    "orders since a time": orders(window=LATE),
    "the last page of orders": orders(before_id=3 * PAGE),
    "rejected orders": orders(statuses=these(OrderStatus.REJECTED)),
    "rejected orders since lately": orders(statuses=these(OrderStatus.REJECTED), window=LATE),
    "rejected orders since long ago": orders(statuses=these(OrderStatus.REJECTED), window=EARLY),
    "rejected and expired orders": orders(
        statuses=these(OrderStatus.REJECTED, OrderStatus.EXPIRED)
    ),
    "open orders": orders(statuses=these(*(one for one in OrderStatus if one.is_open))),
    "filled orders of a market with few": orders(
        statuses=these(OrderStatus.FILLED), market_id="ETH-PERP"
    ),
    "open orders of a market": orders(statuses=these(OrderStatus.OPEN), market_id="ETH-PERP"),
    "orders of a market": orders(market_id="ETH-PERP"),
    "an order by its name": orders(client_order_id="c500"),
    "fills": fills(),
    "fills since a time": fills(window=LATE),
    "the last page of fills": fills(before_id=3 * PAGE),
    "fills of a market with few": fills(market_id="ETH-PERP"),
    "fills of an order": fills(order_id=7),
    "fills of somebody else's order": fills(order_id=6),
    "ledger": (views.SELECT_LEDGER, (ACCOUNT, 0, 2**63 - 1, PAGE)),
    "trades": (market_data.SELECT_TRADES, ("BTC-PERP", 0, 2**63 - 1, PAGE)),
    "candles": (
        market_data.SELECT_CANDLES,
        ("BTC-PERP", 300_000_000, 0, 2**63 - 1, PAGE),
    ),
    "an order": (order_lists.SELECT_ONE, (ACCOUNT, 7, ACCOUNT)),
}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def rows_read(
    connection: psycopg.Connection[Any], statement: str, values: Any
) -> tuple[int, set[str]]:
    """Rows that scans of tables touched, and the kinds of the scans."""
    row = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values).fetchone()
    assert row is not None
    scans = [node for node in nodes(row[0][0]["Plan"]) if "Relation Name" in node]
    touched = sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in scans
    )
    return int(touched), {node["Node Type"] for node in scans}


@pytest.mark.parametrize("analysed", [False, True])
def test_a_page_of_every_list_reads_little_more_than_itself(
    analysed: bool, many_rows: psycopg.Connection[Any]
) -> None:
    if analysed:
        many_rows.execute("ANALYZE")
    read = {}
    for name, (statement, values) in LISTS.items():
        if "since long ago" in name and not analysed:
            continue  # how much a window holds is known from statistics alone
        asked = values if isinstance(values, tuple) else {**values, **OF_ACCOUNT}
        touched, kinds = rows_read(many_rows, statement, asked)
        if touched > ROWS_READ_MAX or "Seq Scan" in kinds:
            read[name] = (touched, kinds)
    assert read == {}


@pytest.mark.parametrize(
    ("sequence", "whose"),
    [
        (time_window.ORDERS, ACCOUNT),
        (time_window.FILLS, ACCOUNT),
        (time_window.LEDGER, ACCOUNT),
        (time_window.TRADES, "BTC-PERP"),
    ],
)
def test_the_first_number_after_a_time_is_found_in_a_few_dozen_reads(
    sequence: time_window.Sequence, whose: int | str, many_rows: psycopg.Connection[Any]
) -> None:
    statement = time_window.HALVE.format(**vars(sequence))
    for time_us in (0, 1, 2, ROWS // 3, ROWS - 1, ROWS, ROWS + 1):
        values = {"whose": whose, "time": time_us}
        touched, kinds = rows_read(many_rows, statement, values)
        assert touched < 80
        assert "Seq Scan" not in kinds
        found = many_rows.execute(statement, values).fetchone()
        next_one = many_rows.execute(
            f"SELECT min({sequence.number}) FROM {sequence.table} WHERE {sequence.whose} = %s"
            f" AND created_at_us >= %s{sequence.only}",
            (whose, time_us),
        ).fetchone()
        last_before = many_rows.execute(
            f"SELECT coalesce(max({sequence.number}), -1) FROM {sequence.table}"
            f" WHERE {sequence.whose} = %s AND created_at_us < %s{sequence.only}",
            (whose, time_us),
        ).fetchone()
        assert found is not None
        assert next_one is not None
        assert last_before is not None
        assert last_before[0] < found[0] <= (next_one[0] or 2**63)


def test_an_open_order_changes_in_place_and_its_indexes_are_left_alone(
    many_rows: psycopg.Connection[tuple[int, int]],
) -> None:
    """Until it ends: every tenth of them, so that their pages have room."""
    some = 2 * OPEN_ORDERS // 10
    for status, in_place in ((OrderStatus.PARTIALLY_FILLED, some), (OrderStatus.FILLED, 0)):
        with many_rows.transaction(force_rollback=True):
            before = changes(many_rows)
            many_rows.execute(
                "UPDATE orders SET status = %s, filled_lots = 1, updated_at_us = 1"
                f" WHERE {OPEN} AND id %% 10 = 0",
                (status,),
            )
            assert changes(many_rows) - before == Counter(all=some, in_place=in_place)


def changes(connection: psycopg.Connection[tuple[int, int]]) -> Counter[str]:
    """Of rows of orders in this session so far, and those that no index has seen."""
    row = connection.execute(
        "SELECT pg_stat_get_xact_tuples_updated('orders'::regclass),"
        " pg_stat_get_xact_tuples_hot_updated('orders'::regclass)"
    ).fetchone()
    assert row is not None
    return Counter(all=row[0], in_place=row[1])
