"""The statements that projecting a run of events is made of."""

from typing import Any

import psycopg

from sim.market import MarketSpec
from sim.money.amending import Amendment
from sim.money.candles import every_interval
from sim.money.ledger import ENTRY_CODES
from sim.money.settlement import OrderState, Settlement
from sim.orders import OrderStatus
from sim.rows.messages import Side

CURSOR = "SELECT batch_no, event_seq FROM projections WHERE market_id = %s"
MOVE_CURSOR = """
WITH moved AS (UPDATE projections SET batch_no = %s, command_seq = %s, event_seq = %s
               WHERE market_id = %s AND batch_no = %s RETURNING 1)
SELECT 1 / count(*) FROM moved"""
"""Division by zero where the cursor is elsewhere: it aborts the rest of the round trip with it."""

ORDERS = """
SELECT id, account_id, quantity_lots, filled_lots, filled_tick_lots, reserved_atoms, status, side
FROM orders WHERE id = ANY(%b)"""
AMENDMENTS = """
SELECT order_id, added_lots, price_ticks, trigger_ticks, reserved_atoms, needed_atoms, needed_lots,
    may_open
FROM amendments WHERE order_id = ANY(%b)"""
END_AMENDMENTS = "DELETE FROM amendments WHERE order_id = ANY(%b)"
CHANGE_TERMS = """
UPDATE orders SET price_ticks = coalesce(nullif(%b, 0), price_ticks),
    trigger_ticks = coalesce(nullif(%b, 0), trigger_ticks),
    triggered_at_us = coalesce(nullif(%b, 0), triggered_at_us),
    amend_reason = coalesce(%b, amend_reason),
    updated_at_us = greatest(%b, updated_at_us), may_open = coalesce(%b, may_open)
WHERE id = %b"""
LOCK_BALANCES = """
SELECT 1 FROM balances WHERE account_id = ANY(%b::bigint[] || ARRAY(
    SELECT account_id FROM listened_accounts WHERE account_id = ANY(%b)))
AND asset = %s ORDER BY account_id FOR UPDATE"""
"""Before any number of a fill, of a ledger leg or of a frame is drawn: see BalanceRow. Whose orders
change and nothing else is locked where somebody listens: their frames are numbered, too."""

ADD_BALANCES = """
INSERT INTO balances (account_id, asset, total_atoms, locked_atoms, open_orders)
SELECT id, %s, 0, 0, 0 FROM unnest(%b::bigint[]) AS id ON CONFLICT DO NOTHING"""
"""Who buys an asset for the first time has no row of it yet."""

POSITIONS = """
SELECT account_id, quantity_lots, cost_atoms, realized_pnl_atoms, updated_at_us
FROM positions WHERE market_id = %s AND account_id = ANY(%b)"""

UPDATE_ORDERS = """
UPDATE orders o SET quantity_lots = x.quantity, filled_lots = x.filled,
    filled_tick_lots = x.tick_lots, reserved_atoms = x.reserved, status = x.status,
    reason = x.reason, updated_at_us = greatest(x.at, o.created_at_us)
FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::numeric[], %b::bigint[], %b::int[],
    %b::int[], %b::bigint[]) AS x(id, quantity, filled, tick_lots, reserved, status, reason, at)
WHERE o.id = x.id"""
CHANGE_BALANCES = """
UPDATE balances b SET version = b.version + 1, total_atoms = b.total_atoms + x.total,
    locked_atoms = b.locked_atoms + x.locked, open_orders = b.open_orders + x.orders,
    stamped_at_us = greatest(b.stamped_at_us, x.at)
FROM (SELECT u.*, %s::text AS asset FROM unnest(%b::bigint[], %b::numeric[], %b::numeric[],
    %b::int[], %b::bigint[]) AS u(id, total, locked, orders, at) OFFSET 0) x
WHERE b.account_id = x.id AND b.asset = x.asset"""
"""Balances are looked up by both columns of their key, whatever the planner believes: before their
first ANALYZE it takes an asset for rare, and would read everybody's balance for each batch. So here
and in what reads them: OFFSET 0 is what it cannot see through."""

UPSERT_POSITIONS = """
INSERT INTO positions (account_id, market_id, quantity_lots, cost_atoms, realized_pnl_atoms,
    updated_at_us)
SELECT x.id, %s, x.lots, x.cost, x.realized, x.at
FROM unnest(%b::bigint[], %b::bigint[], %b::numeric[], %b::numeric[], %b::bigint[])
    AS x(id, lots, cost, realized, at)
ON CONFLICT (account_id, market_id) DO UPDATE SET quantity_lots = excluded.quantity_lots,
    cost_atoms = excluded.cost_atoms, realized_pnl_atoms = excluded.realized_pnl_atoms,
    updated_at_us = excluded.updated_at_us"""
INSERT_FILLS = """
INSERT INTO fills (market_id, event_seq, is_maker, order_id, account_id, side, price_ticks,
    quantity_lots, fee_atoms, realized_pnl_atoms, created_at_us)
SELECT %s, x.seq, x.is_maker, x.order_id, x.account_id, x.side, x.ticks, x.lots, x.fee, x.realized,
    greatest(x.at, b.stamped_at_us)
FROM unnest(%b::bigint[], %b::bool[], %b::bigint[], %b::bigint[], %b::int[], %b::bigint[],
    %b::bigint[], %b::numeric[], %b::numeric[], %b::bigint[]) WITH ORDINALITY
    AS x(seq, is_maker, order_id, account_id, side, ticks, lots, fee, realized, at, n)
LEFT JOIN LATERAL (
    SELECT stamped_at_us FROM balances WHERE asset = %s
        AND account_id = CASE WHEN x.order_id > 0 THEN x.account_id END OFFSET 0) b ON true
ORDER BY x.n"""
"""Before the balances are changed: `stamped_at_us` is the time of what the account saw last."""

INSERT_TRADES = """
INSERT INTO trades (market_id, event_seq, price_ticks, quantity_lots, taker_side, created_at_us)
SELECT %s, x.*
FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::int[], %b::bigint[]) AS x"""
INSERT_LEDGER = """
INSERT INTO ledger_entries (source, seq, leg, account_id, asset, entry_type, amount_atoms,
    balance_after_atoms, reference, created_at_us)
SELECT %s, x.seq, x.leg, x.account_id, x.asset, x.kind, x.amount, b.total_atoms + x.so_far,
    x.reference, greatest(x.at, q.stamped_at_us)
FROM unnest(%b::bigint[], %b::int[], %b::bigint[], %b::text[], %b::text[], %b::numeric[],
    %b::numeric[], %b::text[], %b::bigint[]) WITH ORDINALITY
    AS x(seq, leg, account_id, asset, kind, amount, so_far, reference, at, n)
LEFT JOIN LATERAL (
    SELECT total_atoms FROM balances
    WHERE account_id = x.account_id AND asset = x.asset OFFSET 0) b ON true
LEFT JOIN LATERAL (
    SELECT stamped_at_us FROM balances
    WHERE account_id = x.account_id AND asset = %s OFFSET 0) q ON true
ORDER BY x.n"""
"""`so_far` is what the account's legs up to this one come to: balances are changed after."""

INSERT_STRATEGY_LEGS = """
INSERT INTO strategy_ledger (source, first_seq, last_seq, asset, account_ids, entry_codes,
    amounts_atoms, created_at_us)
VALUES (%s, %s, %s, %s, %b::bigint[], %b::smallint[], %b::numeric[], %s)"""

UPSERT_CANDLES = """
INSERT INTO candles AS c (market_id, width_us, open_time_us, open_ticks, high_ticks, low_ticks,
    close_ticks, volume_lots, notional_atoms, trade_count)
SELECT %s, x.* FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[],
    %b::bigint[], %b::numeric[], %b::numeric[], %b::bigint[]) AS x
ON CONFLICT (market_id, width_us, open_time_us) DO UPDATE SET
    high_ticks = greatest(c.high_ticks, excluded.high_ticks),
    low_ticks = least(c.low_ticks, excluded.low_ticks), close_ticks = excluded.close_ticks,
    volume_lots = c.volume_lots + excluded.volume_lots,
    notional_atoms = c.notional_atoms + excluded.notional_atoms,
    trade_count = c.trade_count + excluded.trade_count"""


def write(
    connection: psycopg.Connection[Any], cursor: tuple[Any, ...], spec: MarketSpec, done: Settlement
) -> None:
    """Move the cursor and write all that a settlement has changed: one round trip, one commit.

    Accounts are locked for as long as the server takes, never while we compute.
    Raises psycopg's DivisionByZero where the cursor is elsewhere.
    """
    market, asset = (spec.market_id,), spec.quote_asset
    with connection.pipeline(), connection.transaction():
        connection.execute(MOVE_CURSOR, cursor)
        if done.changes or done.orders:
            connection.execute(LOCK_BALANCES, (*accounts_of(done), asset))
        if done.touched_orders:
            connection.execute(UPDATE_ORDERS, order_columns(done))
        for order_id, changed in done.changed_terms:
            connection.execute(CHANGE_TERMS, (*vars(changed).values(), order_id))
        if done.amended:
            connection.execute(END_AMENDMENTS, (done.amended,))
        if done.trades:
            connection.execute(INSERT_TRADES, market + transposed(done.trades))
            connection.execute(UPSERT_CANDLES, market + candle_columns(done))
        if done.touched_holdings:
            connection.execute(UPSERT_POSITIONS, market + position_columns(done))
        if done.fills:
            connection.execute(INSERT_FILLS, (*market, *fill_columns(done), asset))
        if traded := balance_columns(done, spec.base_asset):
            connection.execute(ADD_BALANCES, (spec.base_asset, traded[0]))
        if done.ledger:
            connection.execute(INSERT_LEDGER, (*market, *ledger_columns(done), asset))
        for row in strategy_rows(spec, cursor, done):
            connection.execute(INSERT_STRATEGY_LEGS, row)
        for touched in dict.fromkeys(one for _, one in done.changes):
            connection.execute(CHANGE_BALANCES, (touched, *balance_columns(done, touched)))


def accounts_of(done: Settlement) -> tuple[list[int], list[int]]:
    """Those whose money changes, and those whose orders do."""
    ordered = {order.account_id for order in done.orders.values()}
    return sorted({account_id for account_id, _ in done.changes}), sorted(ordered)


def order_state(row: tuple[Any, ...]) -> OrderState:
    """A row of ORDERS."""
    _, account_id, quantity, filled, tick_lots, reserved, status, side = row
    quantities = (quantity, filled, int(tick_lots), reserved)
    is_sale = side == Side.SELL
    return OrderState(account_id, *quantities, OrderStatus(status), is_sale=is_sale)


def amendment(row: tuple[Any, ...]) -> Amendment:
    """A row of AMENDMENTS, without its order."""
    return Amendment(*row[1:])


def transposed(rows: list[tuple[Any, ...]]) -> tuple[list[Any], ...]:
    """Rows to columns."""
    return tuple(map(list, zip(*rows, strict=True)))


def order_columns(settled: Settlement) -> tuple[list[Any], ...]:
    """id, quantity, filled, Σ price × filled, reserved, status, reason, time."""
    return transposed(
        [
            (
                order_id,
                order.quantity_lots,
                order.filled_lots,
                order.filled_tick_lots,
                order.reserved_atoms,
                int(order.status),
                order.reason,
                order.updated_at_us,
            )
            for order_id, order in settled.touched_orders.items()
        ]
    )


def balance_columns(settled: Settlement, asset: str) -> tuple[list[Any], ...]:
    """account, then the fields of BalanceChange in their order; nothing where none has changed."""
    return transposed(
        [
            (account_id, *vars(change).values())
            for (account_id, changed), change in settled.changes.items()
            if changed == asset
        ]
    )


def position_columns(settled: Settlement) -> tuple[list[Any], ...]:
    """account, lots, cost, realised, time."""
    return transposed(
        [
            (
                account_id,
                held.position.quantity_lots,
                held.position.cost_atoms,
                held.realized_pnl_atoms,
                held.updated_at_us,
            )
            for account_id, held in settled.touched_holdings.items()
        ]
    )


def fill_columns(settled: Settlement) -> tuple[list[Any], ...]:
    """The fields of Fill, in their order."""
    return transposed([tuple(vars(fill).values()) for fill in settled.fills])


def candle_columns(settled: Settlement) -> tuple[list[Any], ...]:
    """width, open time, then the fields of Candle in their order; of every interval."""
    candles = every_interval(settled.candles)
    return transposed([(*place, *vars(candle).values()) for place, candle in candles.items()])


def ledger_columns(settled: Settlement) -> tuple[list[Any], ...]:
    """The fields of LedgerEntry, in their order."""
    return transposed([tuple(vars(entry).values()) for entry in settled.ledger])


def strategy_rows(
    spec: MarketSpec, cursor: tuple[Any, ...], settled: Settlement
) -> list[tuple[object, ...]]:
    """What simulated traders gained and paid in all batches of a settlement, one row an asset."""
    last_seq, first_seq = cursor[0], cursor[-1] + 1
    legs: dict[str, list[tuple[int, int, int]]] = {}
    for (asset, account_id, entry_type), atoms in settled.strategy_legs.items():
        legs.setdefault(asset, []).append((account_id, ENTRY_CODES[entry_type], atoms))
    return [
        (spec.market_id, first_seq, last_seq, asset, *transposed(found), settled.trades[-1][-1])
        for asset, found in legs.items()
    ]
