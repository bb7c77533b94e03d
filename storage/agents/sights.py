"""What agents see of a market: candles, the book, mark, other venues of its asset."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.chain.known_pools import POOLS
from sim.market import MarketSpec
from sim.money.candles import INTERVALS_US
from sim.signals.arbitrage import Venue
from sim.signals.candles import Candles
from sim.signals.sights import CANDLES_SEEN, BookSight, candles_of, venues_in
from storage.market.depth import levels_from_bytes
from storage.market.markets import SPEC_COLUMNS_OF_M, spec_from_row
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import Row, fetch_all

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


async def traded_symbols(pool: AsyncPool) -> list[Traded]:
    """Every symbol, in the order of its market's listing."""
    rows = await fetch_all(pool, SELECT_SYMBOLS)
    return [Traded(row[0], spec_from_row(row[1:])) for row in rows]


async def candles_seen(pool: AsyncPool, spec: MarketSpec) -> Candles:
    """The newest CANDLES_SEEN minutes, the one under way among them, in units of quote and base."""
    values = (spec.market_id, INTERVALS_US["1m"], CANDLES_SEEN)
    rows = await fetch_all(pool, SELECT_CANDLES, values)
    table = np.array([[int(one) for one in row] for row in reversed(rows)], np.int64)
    return candles_of(table.reshape(-1, 6), spec)


async def books_of(pool: AsyncPool, base_asset: str) -> list[BookSight]:
    """Of every market of an asset."""
    return [as_sight(row) for row in await fetch_all(pool, SELECT_BOOKS, (base_asset,))]


def as_sight(row: Row) -> BookSight:
    """A row of SELECT_BOOKS."""
    *spec, at_us, bids, asks, mark_ticks, priced_at_us = row
    levels = levels_from_bytes(bids), levels_from_bytes(asks)
    return BookSight(spec_from_row(spec), at_us, levels, mark_ticks, priced_at_us)


async def venues_of(
    pool: AsyncPool, market_id: str, books: Sequence[BookSight], now_us: int
) -> tuple[Venue | None, list[Venue]]:
    """A perpetual market, and the other places where its asset is traded: spot markets, pools."""
    here = next((one for one in books if one.spec.market_id == market_id), None)
    perpetual, others = venues_in(here, books, now_us)
    if here is not None and here.spec.base_asset == POOLED_ASSET:
        others += [pool_venue(*row) for row in await fetch_all(pool, SELECT_POOLS)]
    return perpetual, others


def pool_venue(pool_id: int, price: float, sqrt_price_x96: int, liquidity: int) -> Venue:
    """A pool's price holds until its next block, so it has no age. What lies at it is what moves it
    by as much as its fee."""
    known = POOLS[pool_id]
    fee = known.fee_pips / 1e6
    root = int(sqrt_price_x96) / 2**96
    at_price = int(liquidity) * (root if known.terms.quote_token else 1 / root)
    worth = at_price * fee / 2 / 10**known.quote.decimals
    return Venue(f"pool {pool_id}", price, price, fee, worth, 0.0)
