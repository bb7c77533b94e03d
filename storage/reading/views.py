"""What an account sees of itself: fills, positions, balances, ledger. Newest first.

Every query filters by account in SQL, so somebody else's row and a missing one
are the same answer. Lists are pages: `limit` rows below a number, which is that of
the previous page's last row. Orders are in order_lists.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sim.money.position import Position
from sim.rows.messages import Side
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import Row, fetch_all, typed
from storage.reading.time_window import EVER, FILLS, LEDGER, NUMBER_MAX, TimeWindow

FILL_COLUMNS = """id, market_id, event_seq, is_maker, order_id, account_id, side, price_ticks,
    quantity_lots, fee_atoms, realized_pnl_atoms, created_at_us"""
SELECT_THESE_FILLS = f"""
SELECT {FILL_COLUMNS} FROM fills WHERE account_id = ANY(%s) AND order_id > 0 AND id = ANY(%s)"""
SELECT_FILLS = f"""
SELECT {FILL_COLUMNS} FROM fills
WHERE {{whose}} = %(account)s AND order_id > 0 AND id < %(end)s{{only}}
ORDER BY id DESC LIMIT %(limit)s"""
SINCE = " AND id >= %(first)s"
IN_MARKET = " AND market_id = %(market)s"
OF_ORDER = " AND order_id = %(order)s"
BY_ACCOUNT = "account_id"
BY_ORDER = "account_id + 0"
"""An order has few fills and an account many: this says to look at the order's."""

FEES_OF = """
SELECT order_id, sum(fee_atoms) FROM fills WHERE order_id = ANY(%b) AND order_id > 0
GROUP BY order_id"""
SELECT_POSITIONS = """
SELECT h.account_id, h.market_id, h.quantity_lots, h.cost_atoms,
    h.realized_pnl_atoms - h.realized_before_atoms, l.leverage, h.updated_at_us,
    coalesce(p.mark_ticks, 0)
FROM positions h JOIN leverages l USING (account_id, market_id)
LEFT JOIN market_prices p USING (market_id)
WHERE h.account_id = ANY(%s) AND h.quantity_lots <> 0 ORDER BY h.market_id"""
SELECT_LEDGER = """
SELECT id, account_id, asset, entry_type, amount_atoms, balance_after_atoms, source, seq, leg,
    reference, created_at_us
FROM ledger_entries WHERE account_id = %s AND id >= %s AND id < %s ORDER BY id DESC LIMIT %s"""


@dataclass(frozen=True)
class FillView:
    """One side of a trade, as its account sees it; `fill_id` numbers the account's fills."""

    fill_id: int
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
    """An open position. `mark_ticks` is 0 while the market has no mark price.

    `realized_pnl_atoms` is since the account began, or began anew.
    """

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
        """As sim/money/position.py reckons with it."""
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


async def fees_of(pool: AsyncPool, order_ids: Sequence[int]) -> dict[int, int]:
    """What the fills of each of these orders have cost, in atoms of the quote asset."""
    return {row[0]: int(row[1]) for row in await fetch_all(pool, FEES_OF, (list(order_ids),))}


@dataclass(frozen=True)
class FillFilter:
    """Which fills; None does not filter. `before_id` is the cursor."""

    market_id: str | None = None
    order_id: int | None = None
    before_id: int = NUMBER_MAX
    window: TimeWindow = EVER


async def fills(pool: AsyncPool, account_id: int, wanted: FillFilter, limit: int) -> list[FillView]:
    """A page of this account's fills."""
    first, end = await FILLS.numbers(pool, account_id, wanted.window)
    values = {
        "account": account_id,
        "first": first,
        "end": min(end, wanted.before_id),
        "market": wanted.market_id,
        "order": wanted.order_id,
        "limit": limit,
    }
    return [fill_from_row(row) for row in await fetch_all(pool, fills_statement(wanted), values)]


async def these_fills(
    pool: AsyncPool, account_ids: Sequence[int], ids: Sequence[int]
) -> list[FillView]:
    """Fills of these accounts by their numbers."""
    rows = await fetch_all(pool, SELECT_THESE_FILLS, (list(account_ids), list(ids)))
    return [fill_from_row(row) for row in rows]


def fill_from_row(row: Row) -> FillView:
    """A row of FILL_COLUMNS."""
    return FillView(*typed(row, {6: Side}))


def fills_statement(wanted: FillFilter) -> str:
    """The query with the conditions that are asked for, and no others: see order_lists.SINCE."""
    only = SINCE if wanted.window.since_us else ""
    only += IN_MARKET if wanted.market_id is not None else ""
    only += OF_ORDER if wanted.order_id is not None else ""
    whose = BY_ORDER if wanted.order_id is not None else BY_ACCOUNT
    return SELECT_FILLS.format(whose=whose, only=only)


async def positions(pool: AsyncPool, account_id: int) -> list[PositionView]:
    """This account's open positions, by market."""
    return await positions_of(pool, [account_id])


async def positions_of(pool: AsyncPool, account_ids: Sequence[int]) -> list[PositionView]:
    """These accounts' open positions, by market."""
    rows = await fetch_all(pool, SELECT_POSITIONS, (list(account_ids),))
    return [PositionView(*typed(row, {4: int})) for row in rows]


async def ledger(
    pool: AsyncPool, account_id: int, before_id: int, limit: int, window: TimeWindow = EVER
) -> list[LedgerView]:
    """A page of this account's ledger legs."""
    first, end = await LEDGER.numbers(pool, account_id, window)
    values = (account_id, first, min(end, before_id), limit)
    return [LedgerView(*row) for row in await fetch_all(pool, SELECT_LEDGER, values)]
