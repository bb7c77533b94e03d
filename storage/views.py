"""What an account sees of itself: orders, fills, positions, balances, ledger. Newest first.

Every query filters by account in SQL, so somebody else's row and a missing one
are the same answer. Lists are pages: `limit` rows after a cursor that the
previous page's last row yields.
"""

from dataclasses import dataclass
from typing import Any

from sim.messages import OrderType, Reason, Side, TimeInForce
from sim.orders import OrderStatus
from sim.position import Position
from storage.accounts import Role, Standing, UserStatus
from storage.database import AsyncPool
from storage.transfers import Balance
from storage.unit_of_work import fetch_all, fetch_one, typed

ID_MAX = 2**63 - 1

ORDER_COLUMNS = """o.id, o.account_id, o.market_id, o.client_order_id, o.side, o.order_type,
    o.time_in_force, o.price_ticks, o.quantity_lots, o.filled_lots, o.leverage, o.reduce_only,
    o.post_only, o.reserved_atoms, o.status, o.reason, o.created_at_us, o.updated_at_us,
    CASE WHEN o.filled_lots > 0 THEN
        (SELECT sum(f.price_ticks::numeric * f.quantity_lots) FROM fills f
         WHERE f.order_id = o.id AND f.account_id = o.account_id) END"""
SELECT_ORDER = f"""
SELECT u.role, u.status, {ORDER_COLUMNS}
FROM users u LEFT JOIN orders o ON o.account_id = u.id AND o.id = %s WHERE u.id = %s"""
SELECT_ORDERS = f"""
SELECT {ORDER_COLUMNS} FROM orders o WHERE o.account_id = %s AND o.id < %s
  AND (%s::text IS NULL OR o.market_id = %s) AND (%s::int[] IS NULL OR o.status = ANY(%s))
  AND (%s::text IS NULL OR o.client_order_id = %s)
ORDER BY o.id DESC LIMIT %s"""
SELECT_FILLS = """
SELECT market_id, event_seq, is_maker, order_id, account_id, side, price_ticks, quantity_lots,
    fee_atoms, realized_pnl_atoms, created_at_us
FROM fills WHERE account_id = %s
  AND (created_at_us, market_id, event_seq, is_maker) < (%s, %s, %s, %s)
  AND (%s::text IS NULL OR market_id = %s) AND (%s::bigint IS NULL OR order_id = %s)
ORDER BY created_at_us DESC, market_id DESC, event_seq DESC, is_maker DESC LIMIT %s"""
SELECT_POSITIONS = """
SELECT h.account_id, h.market_id, h.quantity_lots, h.cost_atoms, h.realized_pnl_atoms, h.leverage,
    h.updated_at_us, coalesce(p.mark_ticks, 0)
FROM positions h LEFT JOIN market_prices p USING (market_id)
WHERE h.account_id = %s AND h.quantity_lots <> 0 ORDER BY h.market_id"""
SELECT_BALANCES = """
SELECT account_id, asset, total_atoms, locked_atoms, open_orders FROM balances
WHERE account_id = %s ORDER BY asset"""
SELECT_LEDGER = """
SELECT id, account_id, asset, entry_type, amount_atoms, balance_after_atoms, source, seq, leg,
    reference, created_at_us
FROM ledger_entries WHERE account_id = %s AND id < %s ORDER BY id DESC LIMIT %s"""


ORDER_TYPES = {
    4: Side,
    5: OrderType,
    6: TimeInForce,
    14: OrderStatus,
    15: Reason,
    18: lambda tick_lots: int(tick_lots or 0),
}


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


@dataclass(frozen=True)
class FillView:
    """One side of a trade, as its account sees it."""

    market_id: str
    event_seq: int
    is_maker: bool
    order_id: int
    account_id: int
    side: Side
    price_ticks: int
    quantity_lots: int
    fee_atoms: int
    realized_pnl_atoms: int
    created_at_us: int


@dataclass(frozen=True)
class PositionView:
    """An open position. `mark_ticks` is 0 while the market has no mark price."""

    account_id: int
    market_id: str
    quantity_lots: int
    cost_atoms: int
    realized_pnl_atoms: int
    leverage: int
    updated_at_us: int
    mark_ticks: int

    @property
    def position(self) -> Position:
        """As sim/position.py reckons with it."""
        return Position(self.quantity_lots, self.cost_atoms)


@dataclass(frozen=True)
class LedgerView:
    """One leg of a ledger transaction."""

    entry_id: int
    account_id: int
    asset: str
    entry_type: str
    amount_atoms: int
    balance_after_atoms: int | None
    source: str
    seq: int
    leg: int
    reference: str | None
    created_at_us: int


@dataclass(frozen=True)
class OrderFilter:
    """Which orders; None does not filter. `before_id` is the cursor."""

    market_id: str | None = None
    statuses: tuple[OrderStatus, ...] | None = None
    client_order_id: str | None = None
    before_id: int = ID_MAX


@dataclass(frozen=True)
class FillCursor:
    """The last fill of a page; the next page is what sorts below it."""

    created_at_us: int = ID_MAX
    market_id: str = ""
    event_seq: int = ID_MAX
    is_maker: bool = True


async def order(
    pool: AsyncPool, account_id: int, order_id: int
) -> tuple[Standing | None, OrderView | None]:
    """The account's standing and one of its orders, in one round trip: the read that bots poll."""
    row = await fetch_one(pool, SELECT_ORDER, (order_id, account_id))
    if row is None:
        return None, None
    standing = Standing(Role(row[0]), UserStatus(row[1]))
    return standing, order_from_row(row[2:]) if row[2] is not None else None


async def orders(
    pool: AsyncPool, account_id: int, wanted: OrderFilter, limit: int
) -> list[OrderView]:
    """A page of this account's orders."""
    statuses = [int(status) for status in wanted.statuses] if wanted.statuses else None
    values = (
        account_id,
        wanted.before_id,
        *(wanted.market_id,) * 2,
        *(statuses,) * 2,
        *(wanted.client_order_id,) * 2,
        limit,
    )
    return [order_from_row(row) for row in await fetch_all(pool, SELECT_ORDERS, values)]


def order_from_row(row: tuple[Any, ...]) -> OrderView:
    """A row of ORDER_COLUMNS."""
    return OrderView(*typed(row, ORDER_TYPES))


async def fills(
    pool: AsyncPool,
    account_id: int,
    after: FillCursor,
    limit: int,
    market_id: str | None = None,
    order_id: int | None = None,
) -> list[FillView]:
    """A page of this account's fills."""
    values = (
        account_id,
        after.created_at_us,
        after.market_id,
        after.event_seq,
        after.is_maker,
        *(market_id,) * 2,
        *(order_id,) * 2,
        limit,
    )
    rows = await fetch_all(pool, SELECT_FILLS, values)
    return [FillView(*typed(row, {5: Side})) for row in rows]


async def positions(pool: AsyncPool, account_id: int) -> list[PositionView]:
    """This account's open positions, by market."""
    rows = await fetch_all(pool, SELECT_POSITIONS, (account_id,))
    return [PositionView(*row) for row in rows]


async def balances(pool: AsyncPool, account_id: int) -> list[Balance]:
    """This account's money, by asset."""
    return [Balance(*row) for row in await fetch_all(pool, SELECT_BALANCES, (account_id,))]


async def ledger(pool: AsyncPool, account_id: int, before_id: int, limit: int) -> list[LedgerView]:
    """A page of this account's ledger legs."""
    rows = await fetch_all(pool, SELECT_LEDGER, (account_id, before_id, limit))
    return [LedgerView(*row) for row in rows]
