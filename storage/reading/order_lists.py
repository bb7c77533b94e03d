"""An account's orders, newest first. Whatever is filtered for, an index finds it.

Open orders are few, for an account may only have so many; ended ones are found by their status.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sim.orders import OrderStatus
from sim.roles import Role
from sim.rows.messages import OrderType, Reason, Side, TimeInForce
from storage.order_states import ENDED, OPEN
from storage.people.accounts import Standing, UserStatus
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import fetch_all, fetch_one, typed
from storage.reading.time_window import EVER, NUMBER_MAX, ORDERS, TimeWindow

COLUMNS = """o.id, o.account_id, o.market_id, o.client_order_id, o.side, o.order_type,
    o.time_in_force, o.price_ticks, o.quantity_lots, o.filled_lots, o.leverage, o.reduce_only,
    o.post_only, o.reserved_atoms, o.status, o.reason, o.created_at_us, o.updated_at_us,
    o.filled_tick_lots, o.trigger_ticks, o.on_mark, o.triggered_at_us, o.expires_us, o.link_id,
    o.amend_reason, EXISTS (SELECT FROM amendments WHERE order_id = o.id) AS amend_pending"""
SELECT_ONE = f"""
SELECT u.role, u.status, a.id IS NOT NULL, {COLUMNS}
FROM users u LEFT JOIN accounts a ON a.owner_id = u.id AND a.id = %s
LEFT JOIN orders o ON o.account_id = a.id AND o.id = %s WHERE u.id = %s"""
OWN = "o.account_id = %(account)s AND o.id < %(end)s"
SINCE = " AND o.id >= %(first)s"
"""Only where it is asked for: of two bounds the planner thinks that little lies between them."""

IN_MARKET = " AND o.market_id = %(market)s"
NEWEST = "ORDER BY id DESC LIMIT %(limit)s"
SELECT_ALL = f"SELECT {COLUMNS} FROM orders o WHERE {OWN}{{since}} {NEWEST}"
SELECT_THESE = f"SELECT {COLUMNS} FROM orders o WHERE o.id = ANY(%s)"
SELECT_NAMED = f"""
WITH named AS MATERIALIZED (
    SELECT {COLUMNS} FROM orders o
    WHERE o.account_id = %(account)s AND o.client_order_id = %(name)s)
SELECT * FROM named o WHERE {OWN}{{since}} AND o.status = ANY(%(statuses)s)
    AND (%(market)s::text IS NULL OR o.market_id = %(market)s) {NEWEST}"""
SELECT_BY_STATUS = f"""
WITH open AS MATERIALIZED (
    SELECT {COLUMNS} FROM orders o
    WHERE o.account_id = %(account)s AND o.{OPEN}{{in_market}})
SELECT * FROM open o WHERE {OWN}{{since}} AND o.status = ANY(%(statuses)s)
UNION ALL
SELECT ended.* FROM unnest(%(ended)s::int[]) AS asked(status) CROSS JOIN LATERAL (
    SELECT {COLUMNS} FROM orders o
    WHERE {OWN}{{since}} AND o.{ENDED}
        AND o.ended_status = asked.status{{in_market}}
    {NEWEST}) AS ended
{NEWEST}"""

TYPES = {4: Side, 5: OrderType, 6: TimeInForce, 14: OrderStatus, 15: Reason, 18: int, 24: Reason}


@dataclass(frozen=True)
class OrderView:
    """An order with what became of it. `filled_tick_lots` is Σ price × quantity of its fills."""

    order_id: int
    account_id: int
    market_id: str
    client_order_id: str | None
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    price_ticks: int
    quantity_lots: int
    filled_lots: int
    leverage: int
    reduce_only: bool
    post_only: bool
    reserved_atoms: int
    status: OrderStatus
    reason: Reason
    created_at_us: int
    updated_at_us: int
    filled_tick_lots: int
    trigger_ticks: int
    on_mark: bool
    triggered_at_us: int
    expires_us: int
    link_id: str | None
    amend_reason: Reason
    amend_pending: bool


@dataclass(frozen=True)
class OrderFilter:
    """Which orders; None does not filter. `before_id` is the cursor."""

    market_id: str | None = None
    statuses: frozenset[OrderStatus] | None = None
    client_order_id: str | None = None
    before_id: int = NUMBER_MAX
    window: TimeWindow = EVER


async def order(
    pool: AsyncPool, user_id: int, account_id: int, order_id: int
) -> tuple[Standing | None, OrderView | None]:
    """The user's standing and an order of their account, in one round trip: the read that bots
    poll."""
    row = await fetch_one(pool, SELECT_ONE, (account_id, order_id, user_id))
    if row is None:
        return None, None
    standing = Standing(Role(row[0]), UserStatus(row[1]), row[2])
    return standing, order_from_row(row[3:]) if row[3] is not None else None


async def these_orders(pool: AsyncPool, ids: Sequence[int]) -> list[OrderView]:
    """Orders by their numbers, whosever they are."""
    return [order_from_row(row) for row in await fetch_all(pool, SELECT_THESE, (list(ids),))]


async def orders(
    pool: AsyncPool, account_id: int, wanted: OrderFilter, limit: int
) -> list[OrderView]:
    """A page of this account's orders."""
    first, end = await ORDERS.numbers(pool, account_id, wanted.window)
    values = page_values(wanted, limit) | {
        "account": account_id,
        "first": first,
        "end": min(end, wanted.before_id),
    }
    return [order_from_row(row) for row in await fetch_all(pool, statement_for(wanted), values)]


def page_values(wanted: OrderFilter, limit: int) -> dict[str, Any]:
    """What the query asks with, but whose orders and since when."""
    statuses = sorted(wanted.statuses if wanted.statuses is not None else OrderStatus)
    return {
        "end": wanted.before_id,
        "market": wanted.market_id,
        "name": wanted.client_order_id,
        "statuses": [int(status) for status in statuses],
        "ended": [int(status) for status in statuses if not status.is_open],
        "limit": limit,
    }


def statement_for(wanted: OrderFilter) -> str:
    """The query that has an index for what is filtered."""
    since = SINCE if wanted.window.since_us else ""
    in_market = IN_MARKET if wanted.market_id is not None else ""
    if wanted.client_order_id is not None:
        return SELECT_NAMED.format(since=since)
    if in_market or wanted.statuses is not None:
        return SELECT_BY_STATUS.format(since=since, in_market=in_market)
    return SELECT_ALL.format(since=since)


def order_from_row(row: tuple[Any, ...]) -> OrderView:
    """A row of COLUMNS."""
    return OrderView(*typed(row, TYPES))
