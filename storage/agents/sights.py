"""What agents see of markets: candles, the book, mark, other venues of their assets.

All symbols are looked at together: a query costs more than what it brings of one market.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sim.chain.known_pools import POOLS
from sim.market import MarketSpec
from sim.money.candles import INTERVALS_US
from sim.signals.arbitrage import Venue
from sim.signals.candles import Candles, Integers
from sim.signals.sights import CANDLES_SEEN, BookSight, candles_of, venues_in
from storage.market.depth import levels_from_bytes
from storage.market.markets import SPEC_COLUMNS_OF_M, spec_from_row
from storage.postgres.database import AsyncPool
from storage.postgres.sent_arrays import whole_numbers
from storage.postgres.unit_of_work import Row, fetch_all

MAY_CHANGE_US = 5 * INTERVALS_US["1m"]
"""Before the last minute that was read. Trades are recorded in order: whoever has written a minute
is done with those before it."""

NOTHING, EVER_US = np.empty((0, 6), np.int64), -(2**62)

SELECT_SYMBOLS = f"""
SELECT s.symbol, {SPEC_COLUMNS_OF_M} FROM symbols s JOIN markets m USING (market_id)
ORDER BY m.ordinal"""
SELECT_CANDLES = """
SELECT m.market_id, c.sent FROM unnest(%s::text[], %s::bigint[]) AS m(market_id, since_us)
CROSS JOIN LATERAL (
    SELECT array_send(array_agg(ARRAY[open_time_us, open_ticks, high_ticks, low_ticks, close_ticks,
        volume_lots::bigint])) AS sent
    FROM (SELECT * FROM candles
        WHERE market_id = m.market_id AND width_us = %s AND open_time_us >= since_us
        ORDER BY open_time_us DESC LIMIT %s) newest) c
WHERE c.sent IS NOT NULL"""
SELECT_BOOKS = f"""
SELECT {SPEC_COLUMNS_OF_M}, v.at_us, v.bids, v.asks, coalesce(p.mark_ticks, 0),
    coalesce(p.updated_at_us, 0)
FROM markets m JOIN market_views v USING (market_id) LEFT JOIN market_prices p USING (market_id)
WHERE m.base_asset = ANY(%s) ORDER BY m.ordinal"""
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


@dataclass(frozen=True, eq=False)
class Sights:
    """Several markets at one time: their candles by market, and the books of every market of their
    assets by asset."""

    candles: Mapping[str, Candles]
    books: Mapping[str, Sequence[BookSight]]

    def sight_of(self, spec: MarketSpec) -> BookSight | None:
        """A market's own book; None where it has never been seen."""
        books = self.books.get(spec.base_asset, ())
        return next((one for one in books if one.spec.market_id == spec.market_id), None)


class CandlesRead:
    """Candles that were read before: they are not read again, but the newest, which may change."""

    def __init__(self) -> None:
        self._minutes: dict[str, Integers] = {}

    async def candles(self, pool: AsyncPool, specs: Sequence[MarketSpec]) -> dict[str, Candles]:
        """Of each market the newest CANDLES_SEEN minutes, the one under way among them."""
        ids = [one.market_id for one in specs]
        before = {one: self._minutes.get(one, NOTHING) for one in ids}
        since_us = [
            int(one[-1, 0]) - MAY_CHANGE_US if len(one) else EVER_US for one in before.values()
        ]
        values = (ids, since_us, INTERVALS_US["1m"], CANDLES_SEEN)
        rows = await fetch_all(pool, SELECT_CANDLES, values)
        newest = {market_id: whole_numbers(sent)[::-1] for market_id, sent in rows}
        self._minutes = {
            one: continued(minutes, newest[one]) if one in newest else minutes
            for one, minutes in before.items()
        }
        return {one.market_id: candles_of(self._minutes[one.market_id], one) for one in specs}


def continued(minutes: Integers, newest: Integers) -> Integers:
    """The last CANDLES_SEEN of both; where both have a minute, as it is in the newest."""
    kept = minutes[minutes[:, 0] < newest[0, 0]]
    found: Integers = np.concatenate([kept, newest])[-CANDLES_SEEN:]
    return found


async def sights_of(pool: AsyncPool, traded: Sequence[Traded], read: CandlesRead) -> Sights:
    """All that is seen of these."""
    specs = [one.spec for one in traded]
    return Sights(await read.candles(pool, specs), await books_of(pool, specs))


async def books_of(pool: AsyncPool, specs: Sequence[MarketSpec]) -> dict[str, Sequence[BookSight]]:
    """Of every market of their assets, by asset."""
    found: dict[str, list[BookSight]] = {}
    for row in await fetch_all(pool, SELECT_BOOKS, ([one.base_asset for one in specs],)):
        sight = as_sight(row)
        found.setdefault(sight.spec.base_asset, []).append(sight)
    return dict(found)


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
