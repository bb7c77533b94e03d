"""What accounts have in each market, as sim/money/margin.py reckons with it."""

from collections.abc import Iterable, Mapping
from typing import Any

from sim.market import MarketSpec
from sim.money.margin import Exposure, OpenSide, OrderTerms, join_orders
from sim.money.position import Position
from sim.orders import LAST_OPEN_STATUS
from sim.refusals import Refusal, Refused
from sim.rows.messages import OrderType, Side
from storage.market.markets import SPEC_COLUMNS_OF_M, spec_from_row
from storage.postgres.unit_of_work import Connection

HELD = """
SELECT l.account_id, l.market_id, l.leverage, coalesce(h.quantity_lots, 0),
    coalesce(h.cost_atoms, 0)
FROM leverages l LEFT JOIN positions h USING (account_id, market_id)
WHERE l.account_id = ANY(%b)"""
"""Whoever has ever placed an order in a perpetual market has a leverage there."""

OPEN_SIDES = f"""
SELECT o.account_id, o.market_id, o.side, count(*), sum(r.lots), sum(o.price_ticks * r.lots),
    coalesce(sum(r.lots) FILTER (WHERE NOT o.reduce_only), 0),
    coalesce(sum(r.lots) FILTER (WHERE r.beyond), 0),
    coalesce(sum(o.price_ticks * r.lots) FILTER (WHERE r.beyond), 0), r.special_id IS NOT NULL,
    bool_or(o.order_type > {OrderType.MARKET:d} AND o.triggered_at_us = 0),
    coalesce(max(a.added_lots), 0), coalesce(max(a.price_ticks), 0)
FROM orders o JOIN market_prices p USING (market_id)
LEFT JOIN amendments a ON a.order_id = o.id
CROSS JOIN LATERAL (
    SELECT o.quantity_lots - o.filled_lots AS lots,
        CASE o.side WHEN {Side.BUY:d} THEN o.price_ticks > p.mark_ticks
            ELSE o.price_ticks < p.mark_ticks END AS beyond,
        CASE WHEN a.order_id > 0 OR (o.order_type > {OrderType.MARKET:d} AND o.triggered_at_us = 0)
            THEN o.id END AS special_id) r
WHERE o.account_id = ANY(%b) AND o.status <= {LAST_OPEN_STATUS:d} AND o.id <> ALL(%b::bigint[])
GROUP BY o.account_id, o.market_id, o.side, r.special_id"""
"""The first fields of OpenSide, in their order, of all open orders but those named last. One that
waits or is being amended stands by itself, with what says so."""

MARKS = f"""
SELECT {SPEC_COLUMNS_OF_M},
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
    for account_id, market_id, side, *columns in open_sides:
        held_there = found.get(account_id, {}).get(market_id)
        if held_there is None and marked[market_id][0].is_spot:
            held_there = Exposure(*marked[market_id])
            found.setdefault(account_id, {})[market_id] = held_there
        if held_there is not None:  # else it came between the statements: its account has changed
            orders, (is_special, *special) = OpenSide(*map(int, columns[:6])), columns[6:]
            if is_special:
                join_special(held_there, Side(side), orders, *special)
            else:
                plain = held_there.open_sides.get(Side(side), OpenSide())
                held_there.open_sides[Side(side)] = plain.joined(orders)
    return found


def join_special(
    held: Exposure, side: Side, order: OpenSide, waits: bool, added_lots: int, price_ticks: int
) -> None:
    """An order that waits, or is being amended: that counts at the worse of its two terms."""
    limit_ticks = order.tick_lots // order.lots
    worse = max if side == Side.BUY else min
    terms = OrderTerms(
        side,
        order.lots + max(0, added_lots),
        worse(limit_ticks, price_ticks or limit_ticks),
        limit_ticks,
        reduce_only=order.plain_lots == 0,
        waits=waits,
    )
    join_orders(held, terms)


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
