"""Positions as their accounts' owners see them: round trips with what surrounds them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sim.market import MarketSpec
from sim.money.position import Position, unrealized_pnl_atoms
from sim.money.round_trips import RoundTrip
from sim.orders import OrderStatus
from sim.rows.messages import OrderType
from storage.agents.round_trips import BEHIND, TRIP, WANTED, advance
from storage.order_states import OPEN
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import Row, fetch_all, unit_of_work

STEPS_MAX = 1_000
"""Of one look: half a million fills that nobody has looked at before."""

POSITIONS_MAX = 500
OF_TRIP = ", ".join(f"r.{name}" for name in TRIP.replace("\n", " ").replace(" ", "").split(","))
STOPS = f"{OrderType.STOP:d}, {OrderType.STOP_LIMIT:d}, {OrderType.TRAILING:d}"
PROFITS = f"{OrderType.TAKE_PROFIT:d}, {OrderType.TAKE_PROFIT_LIMIT:d}"
LEAVES = f"""
CASE WHEN r.closed_at_us IS NULL THEN (
    SELECT max(o.trigger_ticks) FROM orders o
    WHERE o.account_id = r.account_id AND o.market_id = r.market_id AND o.{OPEN}
        AND o.reduce_only AND o.order_type IN ({{types}}))
ELSE (
    SELECT o.trigger_ticks FROM orders o
    WHERE o.account_id = r.account_id AND o.market_id = r.market_id
        AND o.id > r.first_order_id AND o.id < coalesce((
            SELECT n.first_order_id FROM round_trips n
            WHERE n.account_id = r.account_id AND n.market_id = r.market_id
                AND n.opened_fill_id > r.opened_fill_id AND n.first_order_id > r.first_order_id
            ORDER BY n.opened_fill_id LIMIT 1), {2**63 - 1})
        AND o.reduce_only AND o.order_type IN ({{types}})
        AND o.status <> {OrderStatus.REJECTED:d} AND o.created_at_us <= r.closed_at_us
    ORDER BY o.id DESC LIMIT 1)
END"""
"""Of a closed one the last that there was before it closed, among the orders of its time."""

SELECT_POSITIONS = f"""
SELECT r.market_id, s.id, r.reason, coalesce(h.quantity_lots, 0), coalesce(h.cost_atoms, 0),
    coalesce(p.mark_ticks, 0), {LEAVES.format(types=STOPS)}, {LEAVES.format(types=PROFITS)},
    (SELECT coalesce(c.reasoning, d.reasoning) FROM orders o
        JOIN decisions d ON d.session_id = s.id AND {WANTED}
        LEFT JOIN decisions c ON c.id = d.cause_id
        WHERE o.id = r.first_order_id LIMIT 1),
    {OF_TRIP}
FROM accounts a JOIN round_trips r ON r.account_id = a.id
LEFT JOIN trading_sessions s ON s.account_id = r.account_id
LEFT JOIN positions h ON h.account_id = r.account_id AND h.market_id = r.market_id
LEFT JOIN market_prices p ON p.market_id = r.market_id
WHERE a.owner_id = %(user)s AND a.id = ANY(%(accounts)b)
    AND (%(market)s::text IS NULL OR r.market_id = %(market)s){{only}}
ORDER BY r.opened_fill_id DESC LIMIT {POSITIONS_MAX}"""
ONLY = {True: " AND r.closed_at_us IS NULL", False: " AND r.closed_at_us IS NOT NULL", None: ""}
"""By whether they are to be open."""

OWN_ACCOUNTS = """
SELECT a.id FROM accounts a LEFT JOIN trading_sessions s ON s.account_id = a.id
WHERE a.owner_id = %s AND (a.id = a.owner_id OR s.id IS NOT NULL) ORDER BY a.id"""
TRADING_ACCOUNTS = """
SELECT a.id FROM accounts a LEFT JOIN trading_sessions s ON s.account_id = a.id
WHERE a.owner_id = %s AND (a.id = a.owner_id OR s.stopped_at_us IS NULL AND s.id IS NOT NULL)
ORDER BY a.id"""
POSITIONS_OF = """
SELECT f.order_id, r.opened_fill_id FROM (
    SELECT order_id, account_id, market_id, max(id) AS last_id FROM fills
    WHERE order_id = ANY(%b) AND order_id > 0 GROUP BY order_id, account_id, market_id) f
CROSS JOIN LATERAL (
    SELECT opened_fill_id FROM round_trips
    WHERE account_id = f.account_id AND market_id = f.market_id AND opened_fill_id <= f.last_id
    ORDER BY opened_fill_id DESC LIMIT 1) r"""


@dataclass(frozen=True)
class PositionView:
    """A round trip.

    position     what the account has in the market now
    mark_ticks   0 while the market has no mark price
    stop_ticks, profit_ticks   where it would be left by an order that lies in the market, or would
                               have been by the last one that did
    """

    market_id: str
    session_id: UUID | None
    exit_reason: str | None
    position: Position
    mark_ticks: int
    stop_ticks: int | None
    profit_ticks: int | None
    entry_reason: str | None
    trip: RoundTrip

    def unrealized_atoms(self, spec: MarketSpec) -> int:
        """What closing at mark would bring; nothing without a mark, and of what is closed."""
        if self.trip.closed_at_us is not None or not self.mark_ticks:
            return 0
        return unrealized_pnl_atoms(self.position, self.mark_ticks, spec)


async def brought_up(pool: AsyncPool, account_ids: Sequence[int]) -> None:
    """All fills of these accounts are in their round trips."""
    behind = await fetch_all(pool, BEHIND, (list(account_ids),))
    for account_id in sorted({row[0] for row in behind}):
        for _ in range(STEPS_MAX):
            async with unit_of_work(pool) as connection:
                if await advance(connection, account_id):
                    break


async def own_accounts(pool: AsyncPool, user_id: int) -> list[int]:
    """The user's MAIN account and those of all sessions that there ever were."""
    return [row[0] for row in await fetch_all(pool, OWN_ACCOUNTS, (user_id,))]


async def trading_accounts(pool: AsyncPool, user_id: int) -> list[int]:
    """The user's MAIN account and those of sessions that have not stopped."""
    return [row[0] for row in await fetch_all(pool, TRADING_ACCOUNTS, (user_id,))]


async def positions(
    pool: AsyncPool,
    user_id: int,
    account_ids: Sequence[int],
    market_id: str | None,
    is_open: bool | None,
) -> list[PositionView]:
    """Of those of these accounts that are the user's, the newest first; None: open and closed."""
    await brought_up(pool, account_ids)
    values = {"user": user_id, "accounts": list(account_ids), "market": market_id}
    statement = SELECT_POSITIONS.format(only=ONLY[is_open])
    return [as_position(row) for row in await fetch_all(pool, statement, values)]


async def positions_of_orders(
    pool: AsyncPool, account_ids: Sequence[int], order_ids: Sequence[int]
) -> dict[int, int]:
    """Of each order that traded, by what fill the position was opened that it came to last."""
    if not order_ids:
        return {}
    await brought_up(pool, account_ids)
    return {row[0]: row[1] for row in await fetch_all(pool, POSITIONS_OF, (list(order_ids),))}


def as_position(row: Row) -> PositionView:
    """A row of SELECT_POSITIONS."""
    market_id, session_id, reason, lots, cost, mark, stop, profit, why, *trip = row
    position = Position(lots, int(cost))
    return PositionView(
        market_id, session_id, reason, position, mark, stop, profit, why, RoundTrip(*trip)
    )
