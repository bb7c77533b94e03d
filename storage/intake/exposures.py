"""What accounts have in each market, as sim/money/margin.py reckons with it."""

from collections.abc import Iterable, Mapping
from typing import Any

from sim.market import MarketSpec
from sim.money.margin import Exposure, OpenSide, waiting_loss_ticks
from sim.money.position import Position
from sim.orders import LAST_OPEN_STATUS
from sim.refusals import Refusal, Refused
from sim.rows.messages import OrderType, Side
from storage.market.markets import SPEC_COLUMNS, spec_from_row
from storage.postgres.unit_of_work import Connection

HELD = """
SELECT l.account_id, l.market_id, l.leverage, coalesce(h.quantity_lots, 0),
    coalesce(h.cost_atoms, 0)
FROM leverages l LEFT JOIN positions h USING (account_id, market_id)
WHERE l.account_id = ANY(%b)"""
"""Whoever has ever placed an order in a market has a leverage there."""

OPEN_SIDES = f"""
SELECT o.account_id, o.market_id, o.side, count(*), sum(r.lots), sum(r.limit_ticks * r.lots),
    coalesce(sum(r.lots) FILTER (WHERE NOT o.reduce_only), 0),
    coalesce(sum(r.lots) FILTER (WHERE b.beyond), 0),
    coalesce(sum(r.limit_ticks * r.lots) FILTER (WHERE b.beyond), 0), r.waiting_id IS NOT NULL
FROM orders o JOIN market_prices p USING (market_id)
LEFT JOIN amendments a ON a.order_id = o.id
CROSS JOIN LATERAL (
    SELECT o.quantity_lots - o.filled_lots + greatest(a.added_lots, 0) AS lots,
        CASE o.side WHEN {Side.BUY:d} THEN greatest(o.price_ticks, a.price_ticks)
            ELSE least(o.price_ticks, nullif(a.price_ticks, 0)) END AS limit_ticks,
        CASE WHEN o.order_type > {OrderType.MARKET:d} AND o.triggered_at_us = 0 THEN o.id
            END AS waiting_id) r
CROSS JOIN LATERAL (
    SELECT r.waiting_id IS NULL AND CASE o.side WHEN {Side.BUY:d}
        THEN r.limit_ticks > p.mark_ticks ELSE r.limit_ticks < p.mark_ticks END AS beyond) b
WHERE o.account_id = ANY(%b) AND o.status <= {LAST_OPEN_STATUS:d} AND o.id <> ALL(%b::bigint[])
GROUP BY o.account_id, o.market_id, o.side, r.waiting_id"""
"""The fields of OpenSide, in their order, of all open orders but those named last, and whether they
wait: each of those by itself. One that is being amended counts at the worse of its two terms."""

MARKS = f"""
SELECT {", ".join("m." + column.strip() for column in SPEC_COLUMNS.split(","))},
    coalesce(p.mark_ticks, 0)
FROM markets m LEFT JOIN market_prices p USING (market_id)"""

Marked = Mapping[str, tuple[MarketSpec, int]]
"""Specification and mark of each market."""

Row = tuple[Any, ...]


def joined(
    held: Iterable[Row], open_sides: Iterable[Row], marked: Marked
) -> dict[int, dict[str, Exposure]]:
    """Rows of HELD and OPEN_SIDES, by account and market."""
    found: dict[int, dict[str, Exposure]] = {}
    for account_id, market_id, leverage, lots, cost in held:
        position = Position(lots, int(cost))
        exposure = Exposure(*marked[market_id], position, leverage)
        found.setdefault(account_id, {})[market_id] = exposure
    for account_id, market_id, side, *sums, waits in open_sides:
        held_there = found.get(account_id, {}).get(market_id)
        if held_there is not None:  # else it came between the statements: its account has changed
            add_open(held_there, Side(side), OpenSide(*map(int, sums)), waits)
    return found


def add_open(held: Exposure, side: Side, orders: OpenSide, waits: bool) -> None:
    """A row of OPEN_SIDES is one more part of what is open there."""
    if waits:
        limit_ticks = orders.tick_lots // orders.lots
        loss_ticks = waiting_loss_ticks(held.spec, side, limit_ticks, held.mark_ticks)
        orders.waiting_loss_ticks = loss_ticks * orders.lots
    held.open_sides[side] = held.open_sides.get(side, OpenSide()).joined(orders)


async def exposures(connection: Connection, account_id: int) -> dict[str, Exposure]:
    """What one account has, by market."""
    ids = [account_id]
    marks = await (await connection.execute(MARKS)).fetchall()
    held = await (await connection.execute(HELD, (ids,))).fetchall()
    open_sides = await (await connection.execute(OPEN_SIDES, (ids, []))).fetchall()
    marked = {row[0]: (spec_from_row(row[:-1]), row[-1]) for row in marks}
    return joined(held, open_sides, marked).get(account_id, {})


def check_marks(held: Iterable[Exposure]) -> None:
    """Raises Refused PRICE_UNAVAILABLE where a position or an open order has no mark price."""
    for one in held:
        if one.binds_leverage and one.mark_ticks <= 0:
            raise no_mark(one.spec.market_id)


def no_mark(market_id: str) -> Refused:
    """The refusal of whatever needs a mark price that is not there."""
    return Refused(Refusal.PRICE_UNAVAILABLE, f"{market_id} has no mark price at the moment")
