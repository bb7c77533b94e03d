"""How droids stand: sessions, positions, history and figures, newest first; and their pools.

Whose they are is asked before, of rows.find.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import fetch_all, fetch_one

SESSIONS_MAX = 100
ACTIVE = "ACTIVE"
"""The status of a position that is open."""

SESSIONS = f"""
SELECT id, status, note, started_at_us, stopped_at_us FROM droid_sessions
WHERE droid_id = %s ORDER BY id DESC LIMIT {SESSIONS_MAX}"""
BOTS = """
SELECT id, droid_id, position_id, bucket, tick_lower, tick_upper, liquidity, status FROM droid_bots
"""
OF_DROID = "WHERE droid_id = %s AND id < %s ORDER BY id DESC LIMIT %s"
HISTORY = f"""
SELECT id, time_s, price, aum_quote_atoms, base_positions, quote_positions, wallet_wei
FROM droid_history {OF_DROID}"""
FIGURES = """
SELECT DISTINCT ON (s.droid_id) s.droid_id, t.figures
FROM droid_sessions s LEFT JOIN droid_states t ON t.session_id = s.id
WHERE s.droid_id = ANY(%s) ORDER BY s.droid_id, s.id DESC"""
POOLS = (
    "SELECT id, block_number, sqrt_price_x96, tick, liquidity, amount0, amount1, price FROM pools"
)

Figures = Mapping[str, Any]
"""What a droid's actor has written of how it stands: see DroidStateRow.figures."""


@dataclass(frozen=True)
class SessionView:
    """From placing to closing."""

    session_id: int
    status: str
    note: str | None
    started_at_us: int
    stopped_at_us: int | None


@dataclass(frozen=True)
class BotView:
    """One position of a droid."""

    bot_id: int
    droid_id: int
    position_id: bytes
    bucket: int
    tick_lower: int
    tick_upper: int
    liquidity: int
    status: str

    def is_in_range(self, tick: int) -> bool:
        """Whether it earns fees while the pool is at this tick."""
        return self.status == ACTIVE and self.tick_lower <= tick < self.tick_upper


@dataclass(frozen=True)
class HistoryView:
    """How a droid stood at a block's end; units as DroidHistoryRow."""

    history_id: int
    time_s: int
    price: float
    aum_quote_atoms: int
    base_positions: int
    quote_positions: int
    wallet_wei: int


@dataclass(frozen=True)
class PoolView:
    """A pool after the newest block; as PoolRow."""

    pool_id: int
    block_number: int
    sqrt_price_x96: int
    tick: int
    liquidity: int
    amounts: tuple[int, int]
    price: float


async def sessions(pool: AsyncPool, droid_id: int) -> list[SessionView]:
    """The newest of a droid."""
    return [SessionView(*row) for row in await fetch_all(pool, SESSIONS, (droid_id,))]


async def bots(pool: AsyncPool, droid_id: int, before_id: int, limit: int) -> list[BotView]:
    """A page of a droid's positions, open and closed."""
    rows = await fetch_all(pool, BOTS + OF_DROID, (droid_id, before_id, limit))
    return [as_bot(row) for row in rows]


def as_bot(row: Sequence[Any]) -> BotView:
    """A row of BOTS."""
    bot_id, droid_id, position_id, bucket, tick_lower, tick_upper, liquidity, status = row
    ticks = (tick_lower, tick_upper)
    return BotView(bot_id, droid_id, bytes(position_id), bucket, *ticks, int(liquidity), status)


async def history(pool: AsyncPool, droid_id: int, before_id: int, limit: int) -> list[HistoryView]:
    """A page of how a droid stood."""
    rows = await fetch_all(pool, HISTORY, (droid_id, before_id, limit))
    return [HistoryView(*row[:3], *map(int, row[3:])) for row in rows]


async def figures(pool: AsyncPool, droid_ids: Sequence[int]) -> dict[int, Figures]:
    """Of the newest session of each droid, once its actor has written some."""
    rows = await fetch_all(pool, FIGURES, (list(droid_ids),))
    told = {droid_id: json.loads(text) for droid_id, text in rows if text is not None}
    return {droid_id: figures for droid_id, figures in told.items() if figures}


async def pools(pool: AsyncPool) -> dict[int, PoolView]:
    """The pools by id; none before the chain's first block."""
    return {row[0]: as_pool(row) for row in await fetch_all(pool, POOLS)}


async def pool_now(pool: AsyncPool, pool_id: int) -> PoolView | None:
    """One of them."""
    row = await fetch_one(pool, f"{POOLS} WHERE id = %s", (pool_id,))
    return None if row is None else as_pool(row)


def as_pool(row: Sequence[Any]) -> PoolView:
    """A row of POOLS."""
    pool_id, block_number, sqrt_price_x96, tick, liquidity, amount0, amount1, price = row
    amounts = (int(amount0), int(amount1))
    return PoolView(
        pool_id, block_number, int(sqrt_price_x96), tick, int(liquidity), amounts, price
    )
