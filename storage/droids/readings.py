"""How droids stand: sessions, positions, history and figures, newest first; and their pools.

Whose they are is asked before, of rows.find.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sim.units import format_scaled
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import fetch_all, fetch_one

SESSIONS_MAX = 100
ACTIVE = "ACTIVE"
"""The status of a position that is open."""

SESSION = """
s.id, s.status, s.note, s.started_at_us, s.stopped_at_us, s.funded_quote_atoms, t.figures
FROM droid_sessions s LEFT JOIN droid_states t ON t.session_id = s.id"""
SESSIONS = f"""
SELECT {SESSION} WHERE s.droid_id = %s ORDER BY s.id DESC LIMIT {SESSIONS_MAX}"""
NEWEST_SESSIONS = f"""
SELECT DISTINCT ON (s.droid_id) s.droid_id, {SESSION}
WHERE s.droid_id = ANY(%s) ORDER BY s.droid_id, s.id DESC"""
BOTS = """
SELECT id, droid_id, position_id, bucket, tick_lower, tick_upper, liquidity, status FROM droid_bots
"""
OF_DROID = "WHERE droid_id = %s AND id < %s ORDER BY id DESC LIMIT %s"
HISTORY = f"""
SELECT id, time_s, price, aum_quote_atoms, base_positions, quote_positions, wallet_wei
FROM droid_history {OF_DROID}"""
POOLS = (
    "SELECT id, block_number, sqrt_price_x96, tick, liquidity, amount0, amount1, price FROM pools"
)

QUOTE_DECIMALS = 6
"""Of both quote tokens."""

Figures = Mapping[str, Any]
"""How a droid stands: see DroidStateRow.figures."""


@dataclass(frozen=True)
class SessionView:
    """From placing to closing. `told` is what the droid's actor has written of how it stands."""

    session_id: int
    status: str
    note: str | None
    started_at_us: int
    stopped_at_us: int | None
    funded_quote_atoms: int
    told: Figures

    @property
    def figures(self) -> Figures:
        """How it stands, with what the session itself says; before its actor has written any, all
        is as it was funded."""
        return {**begun(self.funded_quote_atoms), **self.told, **self.standing}

    @property
    def standing(self) -> Figures:
        return {"status": self.status, "note": self.note}


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
    return [as_session(row) for row in await fetch_all(pool, SESSIONS, (droid_id,))]


def as_session(row: Sequence[Any]) -> SessionView:
    """A row of SESSION."""
    session_id, status, note, started_at_us, stopped_at_us, funded_quote_atoms, figures = row
    told = {} if figures is None else json.loads(figures)
    times = (started_at_us, stopped_at_us)
    return SessionView(session_id, status, note, *times, int(funded_quote_atoms), told)


def begun(funded_quote_atoms: int) -> Figures:
    """Of a session that nobody has looked at yet."""
    return {
        "equity_usd": format_scaled(funded_quote_atoms, QUOTE_DECIMALS),
        "fees_earned_usd": "0",
        "gas_spent_usd": "0",
        "impermanent_loss_usd": "0",
    }


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
    """Of the newest session of each droid that has run."""
    rows = await fetch_all(pool, NEWEST_SESSIONS, (list(droid_ids),))
    return {droid_id: as_session(row).figures for droid_id, *row in rows}


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
