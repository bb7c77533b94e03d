"""What accounts have in each market, as sim/money/margin.py reckons with it."""

from collections.abc import Iterable, Mapping
from typing import Any

from sim.market import MarketSpec
from sim.money.margin import Exposure, OpenSide
from sim.money.position import Position
from sim.orders import LAST_OPEN_STATUS
from sim.refusals import Refusal, Refused
from sim.rows.messages import Side
from storage.market.markets import SPEC_COLUMNS, spec_from_row
from storage.postgres.unit_of_work import Connection

HELD = """
SELECT l.account_id, l.market_id, l.leverage, coalesce(h.quantity_lots, 0),
    coalesce(h.cost_atoms, 0)
FROM leverages l LEFT JOIN positions h USING (account_id, market_id)
WHERE l.account_id = ANY(%b)"""
"""Whoever has ever placed an order in a market has a leverage there."""

OPEN_SIDES = f"""
SELECT o.account_id, o.market_id, o.side, count(*), sum(r.lots), sum(o.price_ticks * r.lots),
    coalesce(sum(r.lots) FILTER (WHERE NOT o.reduce_only), 0),
    coalesce(sum(r.lots) FILTER (WHERE r.beyond), 0),
    coalesce(sum(o.price_ticks * r.lots) FILTER (WHERE r.beyond), 0)
FROM orders o JOIN market_prices p USING (market_id) CROSS JOIN LATERAL (
    SELECT o.quantity_lots - o.filled_lots AS lots,
        CASE o.side WHEN {Side.BUY:d} THEN o.price_ticks > p.mark_ticks
            ELSE o.price_ticks < p.mark_ticks END AS beyond) r
WHERE o.account_id = ANY(%b) AND o.status <= {LAST_OPEN_STATUS:d}
GROUP BY o.account_id, o.market_id, o.side"""
"""The fields of OpenSide, in their order."""

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
    for account_id, market_id, side, *sums in open_sides:
        held_there = found.get(account_id, {}).get(market_id)
        if held_there is not None:  # else it came between the statements: its account has changed
            held_there.open_sides[Side(side)] = OpenSide(*map(int, sums))
    return found


async def exposures(connection: Connection, account_id: int) -> dict[str, Exposure]:
    """What one account has, by market."""
    ids = ([account_id],)
    marks = await (await connection.execute(MARKS)).fetchall()
    held = await (await connection.execute(HELD, ids)).fetchall()
    open_sides = await (await connection.execute(OPEN_SIDES, ids)).fetchall()
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
