"""What agents see of a market: candles, the book, mark, other venues of its asset."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.chain.known_pools import POOLS
from sim.market import MarketKind, MarketSpec
from sim.money.candles import INTERVALS_US
from sim.signals.arbitrage import Venue
from sim.signals.books import Book, Look
from sim.signals.candles import Candles
from sim.units import part_of_ppm
from storage.market.depth import levels_from_bytes
from storage.market.markets import SPEC_COLUMNS_OF_M, spec_from_row
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import Row, fetch_all

CANDLES_SEEN = 300
"""Of a minute each: what any usual period looks back, and the means' memory behind it."""

LEVELS_SEEN = 20

SELECT_SYMBOLS = f"""
SELECT s.symbol, {SPEC_COLUMNS_OF_M} FROM symbols s JOIN markets m USING (market_id)
ORDER BY m.ordinal"""
SELECT_CANDLES = """
SELECT open_time_us, open_ticks, high_ticks, low_ticks, close_ticks, volume_lots FROM candles
WHERE market_id = %s AND width_us = %s ORDER BY open_time_us DESC LIMIT %s"""
SELECT_BOOKS = f"""
SELECT {SPEC_COLUMNS_OF_M}, v.at_us, v.bids, v.asks, coalesce(p.mark_ticks, 0),
    coalesce(p.updated_at_us, 0)
FROM markets m JOIN market_views v USING (market_id) LEFT JOIN market_prices p USING (market_id)
WHERE m.base_asset = %s ORDER BY m.ordinal"""
SELECT_POOLS = """
SELECT p.id, p.price, p.sqrt_price_x96, p.liquidity FROM pools p, chain_head h
WHERE h.halt_reason IS NULL ORDER BY p.id"""
POOLED_ASSET = "ETH"


@dataclass(frozen=True)
class Traded:
    """A symbol and its market."""

    symbol: str
    spec: MarketSpec


@dataclass(frozen=True, eq=False)
class BookSight:
    """A market's book and mark as they were last written.

    levels   int64 (n, 3) of both sides as they lie in the book, bids first
    """

    spec: MarketSpec
    at_us: int
    levels: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
    mark_ticks: int
    priced_at_us: int

    @property
    def book(self) -> Book:
        """As agents see it."""
        bids, asks = (in_units(side[:LEVELS_SEEN], self.spec) for side in self.levels)
        return Book(bids, asks)

    @property
    def look(self) -> Look:
        return Look(self.at_us / 1e6, self.book)


async def traded_symbols(pool: AsyncPool) -> list[Traded]:
    """Every symbol, in the order of its market's listing."""
    rows = await fetch_all(pool, SELECT_SYMBOLS)
    return [Traded(row[0], spec_from_row(row[1:])) for row in rows]


async def candles_seen(pool: AsyncPool, spec: MarketSpec) -> Candles:
    """The newest CANDLES_SEEN minutes, the one under way among them, in units of quote and base."""
    values = (spec.market_id, INTERVALS_US["1m"], CANDLES_SEEN)
    rows = await fetch_all(pool, SELECT_CANDLES, values)
    table = np.array([[int(one) for one in row] for row in reversed(rows)], np.int64)
    table = table.reshape(-1, 6)
    prices = np.ascontiguousarray(table[:, 1:5].T * float(spec.tick_size))
    volume = np.asarray(table[:, 5] * float(spec.lot_size), np.float64)
    opened, high, low, close = prices
    return Candles(table[:, 0] // 1_000_000, opened, high, low, close, volume)


async def books_of(pool: AsyncPool, base_asset: str) -> list[BookSight]:
    """Of every market of an asset."""
    return [as_sight(row) for row in await fetch_all(pool, SELECT_BOOKS, (base_asset,))]


def as_sight(row: Row) -> BookSight:
    """A row of SELECT_BOOKS."""
    *spec, at_us, bids, asks, mark_ticks, priced_at_us = row
    levels = levels_from_bytes(bids), levels_from_bytes(asks)
    return BookSight(spec_from_row(spec), at_us, levels, mark_ticks, priced_at_us)


def in_units(levels: npt.NDArray[np.int64], spec: MarketSpec) -> npt.NDArray[np.float64]:
    """Levels in units of quote and base."""
    found: npt.NDArray[np.float64] = levels * np.array(
        [float(spec.tick_size), float(spec.lot_size), 1.0]
    )
    return found


def venue_of(sight: BookSight, now_us: int) -> Venue | None:
    """A market as one place where its asset is traded; None where a side is empty."""
    book = sight.book
    if book.middle is None:
        return None
    bid, ask = book.bids[0], book.asks[0]
    liquidity = min(bid[0] * bid[1], ask[0] * ask[1])
    fee = part_of_ppm(sight.spec.taker_fee_ppm)
    age_s = max(0, now_us - sight.at_us) / 1e6
    prices = float(bid[0]), float(ask[0])
    return Venue(sight.spec.market_id, *prices, fee, float(liquidity), age_s)


async def venues_of(
    pool: AsyncPool, market_id: str, books: Sequence[BookSight], now_us: int
) -> tuple[Venue | None, list[Venue]]:
    """A perpetual market, and the other places where its asset is traded: spot markets, pools."""
    here = next((one for one in books if one.spec.market_id == market_id), None)
    spot = [one for one in books if one.spec.kind == MarketKind.SPOT]
    others = [venue for one in spot if (venue := venue_of(one, now_us)) is not None]
    if here is not None and here.spec.base_asset == POOLED_ASSET:
        others += [pool_venue(*row) for row in await fetch_all(pool, SELECT_POOLS)]
    return venue_of(here, now_us) if here is not None else None, others


def pool_venue(pool_id: int, price: float, sqrt_price_x96: int, liquidity: int) -> Venue:
    """A pool's price holds until its next block, so it has no age. What lies at it is what moves it
    by as much as its fee."""
    known = POOLS[pool_id]
    fee = known.fee_pips / 1e6
    root = int(sqrt_price_x96) / 2**96
    at_price = int(liquidity) * (root if known.terms.quote_token else 1 / root)
    worth = at_price * fee / 2 / 10**known.quote.decimals
    return Venue(f"pool {pool_id}", price, price, fee, worth, 0.0)
