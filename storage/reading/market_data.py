"""What everybody sees of a market: its listing, book, prices, trades and candles."""

import asyncio
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.market import MarketSpec
from sim.money.candles import INTERVALS_US, MINUTE_US
from sim.rows.messages import MarketStatus, Side
from storage.market.depth import levels_from_bytes
from storage.market.markets import SPEC_COLUMNS, spec_from_row
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import fetch_all, fetch_one, typed
from storage.reading.time_window import EVER, TRADES, TimeWindow

LISTING_AGE_S_MAX = 1.0
"""A listing is read again when it is older: a new market or status shows within a second."""

UNTOLD = "no reason is known"

SELECT_LISTING = f"SELECT {SPEC_COLUMNS}, status, halt_reason FROM markets ORDER BY ordinal"
SELECT_HALTED = f"""
SELECT market_id, halt_reason FROM markets
WHERE status = {MarketStatus.HALTED:d} ORDER BY ordinal"""
SELECT_HALTS = f"SELECT market_id, status = {MarketStatus.HALTED:d} FROM markets"
SELECT_BOOK = "SELECT event_seq, at_us, bids, asks FROM market_views WHERE market_id = %s"
SELECT_PRICES = """
SELECT market_id, index_ticks, mark_ticks, updated_at_us FROM market_prices
WHERE (%s::text IS NULL OR market_id = %s) ORDER BY market_id"""
SELECT_TRADES = """
SELECT event_seq, price_ticks, quantity_lots, taker_side, created_at_us FROM trades
WHERE market_id = %s AND event_seq >= %s AND event_seq < %s ORDER BY event_seq DESC LIMIT %s"""
SELECT_TRADES_AFTER = """
SELECT event_seq, price_ticks, quantity_lots, taker_side, created_at_us FROM trades
WHERE market_id = %s AND event_seq > %s ORDER BY event_seq LIMIT %s"""
SELECT_CANDLES = """
SELECT open_time_us, open_ticks, high_ticks, low_ticks, close_ticks, volume_lots, notional_atoms,
    trade_count, simulated
FROM candles
WHERE market_id = %s AND width_us = %s AND open_time_us >= %s AND open_time_us < %s
ORDER BY open_time_us DESC LIMIT %s"""


SELECT_MINUTES = f"""
SELECT min(open_time_us), max(open_time_us) FROM candles
WHERE market_id = %s AND width_us = {MINUTE_US}"""


@dataclass(frozen=True)
class ListedMarket:
    """A market and whether it takes orders; halt_reason says why it does not for now."""

    spec: MarketSpec
    status: MarketStatus
    halt_reason: str | None = None


@dataclass(frozen=True)
class BookView:
    """Visible levels, arrays of shape (n, 3): ticks, lots, orders; best first."""

    event_seq: int
    at_us: int
    bids: npt.NDArray[np.int64]
    asks: npt.NDArray[np.int64]


@dataclass(frozen=True)
class PriceView:
    """Index and mark of a market."""

    market_id: str
    index_ticks: int
    mark_ticks: int
    updated_at_us: int


@dataclass(frozen=True)
class TradeView:
    """One trade on the public tape."""

    event_seq: int
    price_ticks: int
    quantity_lots: int
    taker_side: Side
    created_at_us: int


@dataclass(frozen=True)
class CandleView:
    """Prices and volume of one interval; whether some of it is a simulated past."""

    open_time_us: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: int
    notional_atoms: int
    trade_count: int
    simulated: bool


class MarketCatalog:
    """The listing, kept for a second at a time so that an order need not read it."""

    def __init__(self, pool: AsyncPool) -> None:
        self._pool = pool
        self._markets: dict[str, ListedMarket] = {}
        self._read_at_s = -LISTING_AGE_S_MAX
        self._reading = asyncio.Lock()

    async def markets(self) -> dict[str, ListedMarket]:
        """Every market by id, in the order of listing. Raises DatabaseUnavailable."""
        if self._stale():
            async with self._reading:
                if self._stale():
                    rows = await fetch_all(self._pool, SELECT_LISTING)
                    self._markets = {
                        row[0]: ListedMarket(
                            spec_from_row(row[:-2]), MarketStatus(row[-2]), row[-1]
                        )
                        for row in rows
                    }
                    self._read_at_s = time.monotonic()
        return self._markets

    async def find(self, market_id: str) -> ListedMarket | None:
        """One market, or None."""
        return (await self.markets()).get(market_id)

    def _stale(self) -> bool:
        return time.monotonic() - self._read_at_s > LISTING_AGE_S_MAX


async def halted_markets(pool: AsyncPool) -> dict[str, str]:
    """Why, of every market that is halted. Raises DatabaseUnavailable."""
    rows = await fetch_all(pool, SELECT_HALTED)
    return {market_id: reason or UNTOLD for market_id, reason in rows}


async def market_halts(pool: AsyncPool) -> dict[str, bool]:
    """Of every market whether it is halted. Raises DatabaseUnavailable."""
    return dict(await fetch_all(pool, SELECT_HALTS))


async def book(pool: AsyncPool, market_id: str, depth: int) -> BookView | None:
    """The best `depth` levels of both sides after the last batch."""
    row = await fetch_one(pool, SELECT_BOOK, (market_id,))
    if row is None:
        return None
    bids, asks = levels_from_bytes(row[2])[:depth], levels_from_bytes(row[3])[:depth]
    return BookView(row[0], row[1], bids, asks)


async def prices(pool: AsyncPool, market_id: str | None = None) -> list[PriceView]:
    """Index and mark of one market or of all."""
    rows = await fetch_all(pool, SELECT_PRICES, (market_id, market_id))
    return [PriceView(*row) for row in rows]


async def trades(
    pool: AsyncPool, market_id: str, before_seq: int, limit: int, window: TimeWindow = EVER
) -> list[TradeView]:
    """A page of the tape, newest first."""
    first, end = await TRADES.numbers(pool, market_id, window)
    values = (market_id, first, min(end, before_seq), limit)
    rows = await fetch_all(pool, SELECT_TRADES, values)
    return [TradeView(*typed(row, {3: Side})) for row in rows]


async def trades_after(
    pool: AsyncPool, market_id: str, event_seq: int, limit: int
) -> list[TradeView]:
    """The next of the tape, oldest first."""
    rows = await fetch_all(pool, SELECT_TRADES_AFTER, (market_id, event_seq, limit))
    return [TradeView(*typed(row, {3: Side})) for row in rows]


async def candles(
    pool: AsyncPool, market_id: str, interval: str, window: TimeWindow, limit: int
) -> list[CandleView]:
    """The last `limit` candles that open within the window, newest first.

    Intervals without a trade have no candle.
    """
    values = (market_id, INTERVALS_US[interval], window.since_us, window.until_us, limit)
    rows = await fetch_all(pool, SELECT_CANDLES, values)
    return [CandleView(*typed(row, {5: int, 6: int})) for row in rows]


async def minutes_span(pool: AsyncPool, market_id: str) -> tuple[int, int] | None:
    """When a market's first and last minute with a candle open; None where it has none."""
    row = await fetch_one(pool, SELECT_MINUTES, (market_id,))
    return (int(row[0]), int(row[1])) if row is not None and row[0] is not None else None
