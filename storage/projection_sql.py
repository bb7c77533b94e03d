"""The statements that projecting a run of events is made of."""

from typing import Any

import psycopg

from sim.market import MarketSpec
from sim.settlement import Settlement

CURSOR = "SELECT batch_no FROM projections WHERE market_id = %s"
MOVE_CURSOR = """
UPDATE projections SET batch_no = %s, command_seq = %s, event_seq = %s
WHERE market_id = %s AND batch_no = %s"""
ORDERS = """
SELECT id, account_id, quantity_lots, filled_lots, reserved_atoms, leverage, status
FROM orders WHERE id = ANY(%b)"""
LOCK_BALANCES = """
SELECT account_id, total_atoms FROM balances
WHERE account_id = ANY(%b) AND asset = %s ORDER BY account_id FOR UPDATE"""
POSITIONS = """
SELECT account_id, quantity_lots, cost_atoms, realized_pnl_atoms, leverage, updated_at_us
FROM positions WHERE market_id = %s AND account_id = ANY(%b)"""

UPDATE_ORDERS = """
UPDATE orders o SET filled_lots = x.filled, reserved_atoms = x.reserved, status = x.status,
    reason = x.reason, updated_at_us = greatest(x.at, o.created_at_us)
FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::int[], %b::int[], %b::bigint[])
    AS x(id, filled, reserved, status, reason, at)
WHERE o.id = x.id"""
CHANGE_BALANCES = """
UPDATE balances b SET total_atoms = b.total_atoms + x.total,
    locked_atoms = b.locked_atoms + x.locked, open_orders = b.open_orders + x.orders
FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::int[]) AS x(id, total, locked, orders)
WHERE b.account_id = x.id AND b.asset = %s"""
UPSERT_POSITIONS = """
INSERT INTO positions (account_id, market_id, quantity_lots, cost_atoms, realized_pnl_atoms,
    leverage, updated_at_us)
SELECT x.id, %s, x.lots, x.cost, x.realized, x.leverage, x.at
FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::int[], %b::bigint[])
    AS x(id, lots, cost, realized, leverage, at)
ON CONFLICT (account_id, market_id) DO UPDATE SET quantity_lots = excluded.quantity_lots,
    cost_atoms = excluded.cost_atoms, realized_pnl_atoms = excluded.realized_pnl_atoms,
    leverage = excluded.leverage, updated_at_us = excluded.updated_at_us"""
INSERT_FILLS = """
INSERT INTO fills (market_id, event_seq, is_maker, order_id, account_id, side, price_ticks,
    quantity_lots, fee_atoms, realized_pnl_atoms, created_at_us)
SELECT %s, x.* FROM unnest(%b::bigint[], %b::bool[], %b::bigint[], %b::bigint[], %b::int[],
    %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[]) AS x"""
INSERT_TRADES = """
INSERT INTO trades (market_id, event_seq, price_ticks, quantity_lots, taker_side, created_at_us)
SELECT %s, x.*
FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::int[], %b::bigint[]) AS x"""
INSERT_LEDGER = """
INSERT INTO ledger_entries (source, asset, seq, leg, account_id, entry_type, amount_atoms,
    balance_after_atoms, reference, created_at_us)
SELECT %s, %s, x.* FROM unnest(%b::bigint[], %b::int[], %b::bigint[], %b::text[], %b::bigint[],
    %b::bigint[], %b::text[], %b::bigint[]) AS x"""
UPSERT_CANDLES = """
INSERT INTO candles AS c (market_id, open_time_us, open_ticks, high_ticks, low_ticks, close_ticks,
    volume_lots, notional_atoms, trade_count)
SELECT %s, x.* FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[],
    %b::bigint[], %b::bigint[], %b::bigint[]) AS x
ON CONFLICT (market_id, open_time_us) DO UPDATE SET
    high_ticks = greatest(c.high_ticks, excluded.high_ticks),
    low_ticks = least(c.low_ticks, excluded.low_ticks), close_ticks = excluded.close_ticks,
    volume_lots = c.volume_lots + excluded.volume_lots,
    notional_atoms = c.notional_atoms + excluded.notional_atoms,
    trade_count = c.trade_count + excluded.trade_count"""


def write(connection: psycopg.Connection[Any], spec: MarketSpec, settled: Settlement) -> None:
    """Write all that a settlement has changed, in one round trip."""
    market = (spec.market_id,)
    with connection.pipeline():
        if settled.touched_orders:
            connection.execute(UPDATE_ORDERS, order_columns(settled))
        if settled.changes:
            connection.execute(CHANGE_BALANCES, (*balance_columns(settled), spec.quote_asset))
        if settled.touched_holdings:
            connection.execute(UPSERT_POSITIONS, market + position_columns(settled))
        if settled.trades:
            connection.execute(INSERT_TRADES, market + transposed(settled.trades))
            connection.execute(INSERT_FILLS, market + fill_columns(settled))
            connection.execute(UPSERT_CANDLES, market + candle_columns(settled))
        if settled.ledger:
            columns = ledger_columns(settled)
            connection.execute(INSERT_LEDGER, (spec.market_id, spec.quote_asset, *columns))


def transposed(rows: list[tuple[Any, ...]]) -> tuple[list[Any], ...]:
    """Rows to columns."""
    return tuple(map(list, zip(*rows, strict=True)))


def order_columns(settled: Settlement) -> tuple[list[Any], ...]:
    """id, filled, reserved, status, reason, time."""
    return transposed(
        [
            (
                order_id,
                order.filled_lots,
                order.reserved_atoms,
                int(order.status),
                order.reason,
                order.updated_at_us,
            )
            for order_id, order in settled.touched_orders.items()
        ]
    )


def balance_columns(settled: Settlement) -> tuple[list[Any], ...]:
    """account, total, locked, open orders: differences."""
    return transposed(
        [
            (account_id, change.total_atoms, change.locked_atoms, change.open_orders)
            for account_id, change in settled.changes.items()
        ]
    )


def position_columns(settled: Settlement) -> tuple[list[Any], ...]:
    """account, lots, cost, realised, leverage, time."""
    return transposed(
        [
            (
                account_id,
                held.position.quantity_lots,
                held.position.cost_atoms,
                held.realized_pnl_atoms,
                held.leverage,
                held.updated_at_us,
            )
            for account_id, held in settled.touched_holdings.items()
        ]
    )


def fill_columns(settled: Settlement) -> tuple[list[Any], ...]:
    """The fields of Fill, in their order."""
    return transposed([tuple(vars(fill).values()) for fill in settled.fills])


def candle_columns(settled: Settlement) -> tuple[list[Any], ...]:
    """open time, then the fields of Candle in their order."""
    return transposed([(opened, *vars(c).values()) for opened, c in settled.candles.items()])


def ledger_columns(settled: Settlement) -> tuple[list[Any], ...]:
    """batch, leg, account, type, amount, balance after, reference, time."""
    return transposed([tuple(vars(entry).values()) for entry in settled.ledger])
