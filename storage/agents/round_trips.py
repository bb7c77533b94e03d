"""Round trips beside the fills that they are made of; see sim/money/round_trips.py.

Whoever looks at an account's positions brings them up to its last fill first, under the lock of the
account's cursor in each market: so two who look at once fold no fill twice.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sim.market import MarketKind
from sim.money.round_trips import AccountFill, RoundTrip, fold
from sim.rows.messages import OrderType, Side
from sim.rows.order_types import is_stop, waits_for_trigger
from sim.signals.steps import ExitReason
from storage.postgres.unit_of_work import Connection, Row

FILLS_A_STEP = 500
"""That are folded at once."""

BEHIND = f"""
SELECT p.account_id, p.market_id FROM positions p JOIN markets m USING (market_id)
LEFT JOIN round_trip_cursors c USING (account_id, market_id)
WHERE p.account_id = ANY(%b) AND m.kind = '{MarketKind.PERPETUAL}' AND EXISTS (
    SELECT FROM fills f WHERE f.account_id = p.account_id AND f.market_id = p.market_id
        AND f.order_id > 0 AND f.id > coalesce(c.fill_id, 0))
ORDER BY p.account_id, p.market_id"""
"""Whoever has ever traded in a perpetual market has a position there, be it of nothing."""

LOCK_CURSOR = """
INSERT INTO round_trip_cursors (account_id, market_id, fill_id) VALUES (%s, %s, 0)
ON CONFLICT (account_id, market_id) DO UPDATE SET fill_id = round_trip_cursors.fill_id
RETURNING fill_id"""
MOVE_CURSOR = """
UPDATE round_trip_cursors SET fill_id = %s WHERE account_id = %s AND market_id = %s"""
NEW_FILLS = """
SELECT id, order_id, side, price_ticks, quantity_lots, fee_atoms, realized_pnl_atoms,
    created_at_us
FROM fills WHERE account_id = %s AND market_id = %s AND order_id > 0 AND id > %s
ORDER BY id LIMIT %s"""
TRIP = """opened_fill_id, direction, entry_lots, entry_tick_lots, exit_lots, exit_tick_lots,
    fees_atoms, realized_pnl_atoms, first_order_id, last_order_id, last_fill_id, opened_at_us,
    updated_at_us, closed_at_us"""
OPEN_TRIP = f"""
SELECT {TRIP} FROM round_trips
WHERE account_id = %s AND market_id = %s AND closed_at_us IS NULL"""
WRITE = f"""
INSERT INTO round_trips (market_id, account_id, {TRIP}, reason)
SELECT market_id, account_id, {TRIP}, reason
FROM jsonb_populate_recordset(NULL::round_trips, %s::jsonb)
ON CONFLICT (market_id, opened_fill_id) DO UPDATE SET
    entry_lots = excluded.entry_lots, entry_tick_lots = excluded.entry_tick_lots,
    exit_lots = excluded.exit_lots, exit_tick_lots = excluded.exit_tick_lots,
    fees_atoms = excluded.fees_atoms, realized_pnl_atoms = excluded.realized_pnl_atoms,
    last_order_id = excluded.last_order_id, last_fill_id = excluded.last_fill_id,
    updated_at_us = excluded.updated_at_us, closed_at_us = excluded.closed_at_us,
    reason = excluded.reason"""
WANTED = "(d.order_id = o.id OR d.id::text = o.client_order_id)"
"""Whether a decision d wanted an order o: it is called by the decision's id from the beginning, for
its own is noted with the decision only when it has been accepted."""

CLOSING_ORDERS = f"""
SELECT o.id, o.order_type, o.reduce_only, s.status,
    EXISTS (SELECT FROM decisions d WHERE d.session_id = s.id AND {WANTED})
FROM orders o LEFT JOIN trading_sessions s USING (account_id) WHERE o.id = ANY(%b)"""

LEAVING = ("STOPPING", "STOPPED")
"""Statuses of a session whose positions are being closed, or were."""


async def advance(connection: Connection, account_id: int) -> bool:
    """Bring the account's round trips further by FILLS_A_STEP fills in each market at most; whether
    that was all. The caller's transaction commits."""
    is_all = True
    behind = await connection.execute(BEHIND, ([account_id],))
    for _, market_id in await behind.fetchall():
        is_all &= await advance_market(connection, account_id, market_id)
    return is_all


async def advance_market(connection: Connection, account_id: int, market_id: str) -> bool:
    """The same in one market."""
    place = (account_id, market_id)
    cursor = await (await connection.execute(LOCK_CURSOR, place)).fetchone()
    assert cursor is not None
    found = await connection.execute(NEW_FILLS, (*place, cursor[0], FILLS_A_STEP))
    fills = [as_fill(row) for row in await found.fetchall()]
    if not fills:
        return True
    before = await (await connection.execute(OPEN_TRIP, place)).fetchone()
    changed = fold(None if before is None else RoundTrip(*before), fills)
    closed = [trip.last_order_id for trip in changed if trip.closed_at_us is not None]
    orders = await (await connection.execute(CLOSING_ORDERS, (closed,))).fetchall()
    reasons = {row[0]: exit_reason(row) for row in orders}
    await connection.execute(WRITE, (rows_of(place, changed, reasons),))
    await connection.execute(MOVE_CURSOR, (fills[-1].fill_id, *place))
    return len(fills) < FILLS_A_STEP


def rows_of(
    place: tuple[int, str], trips: Iterable[RoundTrip], reasons: Mapping[int, ExitReason]
) -> str:
    """Round trips as JSON of rows. Whoever was closed by no order of theirs was liquidated."""
    account_id, market_id = place
    rows: list[dict[str, Any]] = []
    for trip in trips:
        reason = reasons.get(trip.last_order_id, ExitReason.LIQUIDATED)
        said = None if trip.closed_at_us is None else reason
        rows.append(
            {**asdict(trip), "account_id": account_id, "market_id": market_id, "reason": said}
        )
    return json.dumps(rows)


def exit_reason(row: Sequence[Any]) -> ExitReason:
    """What a closing order's row says of why: its type, whose it was, and whether its session was
    being stopped."""
    _, order_type, reduce_only, session_status, is_decided = row
    if waits_for_trigger(OrderType(order_type)):
        return ExitReason.STOP_LOSS if is_stop(order_type) else ExitReason.TAKE_PROFIT
    if is_decided:
        return ExitReason.SIGNAL
    if session_status in LEAVING and reduce_only:
        return ExitReason.SESSION_STOPPED
    return ExitReason.MANUAL


def as_fill(row: Row) -> AccountFill:
    """A row of NEW_FILLS."""
    fill_id, order_id, side, *amounts, at_us = row
    price_ticks, quantity_lots, fee_atoms, realized_pnl_atoms = map(int, amounts)
    return AccountFill(
        fill_id,
        order_id,
        Side(side),
        price_ticks,
        quantity_lots,
        fee_atoms,
        realized_pnl_atoms,
        at_us,
    )
