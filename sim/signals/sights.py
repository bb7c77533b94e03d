"""What agents see of markets, live and simulated: candles and books in units of quote and base.

Both keep prices and sizes as whole ticks and lots; here they become what rules look at.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.market import MarketKind, MarketSpec
from sim.signals.arbitrage import Venue
from sim.signals.books import Book, Look
from sim.signals.candles import Candles, Floats, Integers
from sim.units import part_of_ppm

CANDLES_SEEN = 300
"""What any usual period looks back, and the means' memory behind it."""

LEVELS_SEEN = 20
SECOND_US = 1_000_000


@dataclass(frozen=True, eq=False)
class BookSight:
    """A market's book and mark as they were last written.

    levels   int64 (n, 3) of both sides as they lie in the book, bids first
    """

    spec: MarketSpec
    at_us: int
    levels: tuple[Integers, Integers]
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


def in_units(levels: Integers, spec: MarketSpec) -> Floats:
    """Levels in units of quote and base."""
    found: Floats = levels * np.array([float(spec.tick_size), float(spec.lot_size), 1.0])
    return found


def candles_of(table: Integers, spec: MarketSpec) -> Candles:
    """Of int64 (n, 6): opening time in µs, open, high, low and close in ticks, volume in lots."""
    prices = np.ascontiguousarray(table[:, 1:5].T * float(spec.tick_size))
    volume = np.asarray(table[:, 5] * float(spec.lot_size), np.float64)
    opened, high, low, close = prices
    return Candles(table[:, 0] // SECOND_US, opened, high, low, close, volume)


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


def venues_in(
    here: BookSight | None, sights: Sequence[BookSight], now_us: int
) -> tuple[Venue | None, list[Venue]]:
    """A perpetual market, and the spot markets among `sights`, all of which trade its asset."""
    spot = [one for one in sights if one.spec.kind == MarketKind.SPOT]
    others = [venue for one in spot if (venue := venue_of(one, now_us)) is not None]
    return venue_of(here, now_us) if here is not None else None, others
