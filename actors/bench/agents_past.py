"""Markets for `sandpit bench agents`: candles of simulated pasts, and books that lean now and then.

A past is the index of the default world run backwards with a seed of its own, a week of minutes of
each perpetual market, as an exchange begins with it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sim.market import MarketKind, MarketSpec
from sim.money.candles import Candle
from sim.past.history import past_minutes
from sim.prices.headlines import GivenNews
from sim.signals.agents import View
from sim.signals.books import Book, Look
from sim.signals.candles import Candles
from sim.signals.sights import CANDLES_SEEN, LEVELS_SEEN, candles_of, in_units
from storage.files.world_file import load_world

Integers = npt.NDArray[np.int64]

WORLD, HOURS = "default", 168
BEGAN_US = 1_767_225_600_000_000
LEAN_KEPT, LEAN_NOISE = 0.9, 0.3
"""Of a book's lean, how much is there a minute later, and how much comes to it."""

SIZE_DEVIATION, SIZE_MEAN_LOTS, ORDERS_MEAN = 0.8, 500, 3


@dataclass(frozen=True, eq=False)
class Past:
    """A market's minutes, oldest first.

    minutes   int64 (n, 6): opening time in µs; open, high, low and close in ticks; volume in lots
    """

    spec: MarketSpec
    minutes: Integers

    def candles(self) -> Candles:
        """As agents see them."""
        return candles_of(self.minutes, self.spec)


def pasts(seed: int) -> list[Past]:
    """One of every perpetual market."""
    world = replace(load_world(WORLD), seed=seed, past_hours=HOURS)
    found = past_minutes(world, GivenNews(), BEGAN_US)
    specs = [one.spec for one in world.markets if one.spec.kind is MarketKind.PERPETUAL]
    return [Past(spec, minutes_of(found[spec.market_id])) for spec in specs]


def minutes_of(candles: Mapping[int, Candle]) -> Integers:
    """As Past has them."""
    rows = [
        (at_us, one.open_ticks, one.high_ticks, one.low_ticks, one.close_ticks, one.volume_lots)
        for at_us, one in sorted(candles.items())
    ]
    return np.array(rows, np.int64)


def windows(candles: Candles) -> Iterator[Candles]:
    """Every CANDLES_SEEN of them in a row, a candle further each time."""
    for end in range(CANDLES_SEEN, len(candles) + 1):
        seen = slice(end - CANDLES_SEEN, end)
        yield Candles(
            candles.open_time_s[seen],
            candles.open[seen],
            candles.high[seen],
            candles.low[seen],
            candles.close[seen],
            candles.volume[seen],
        )


def leaning_book(ticks: int, lean: float, dice: np.random.Generator) -> tuple[Integers, Integers]:
    """Levels around a price as they lie in a market's view, bids first; `lean` is the logarithm of
    how much more lies on their side."""
    sides = []
    for sign in (-1, 1):
        away = np.cumsum(dice.geometric(0.7, LEVELS_SEEN))
        shift = np.log(SIZE_MEAN_LOTS) - sign * lean / 2
        lots = 1 + dice.lognormal(shift, SIZE_DEVIATION, LEVELS_SEEN)
        orders = 1 + dice.poisson(ORDERS_MEAN, LEVELS_SEEN)
        sides.append(np.stack([ticks + sign * away, lots, orders], axis=1).astype(np.int64))
    return sides[0], sides[1]


def views(symbol: str, past: Past, dice: np.random.Generator) -> Iterator[View]:
    """What agents see of a market, a minute later each time."""
    lean = 0.0
    for place, candles in enumerate(windows(past.candles()), CANDLES_SEEN - 1):
        lean = LEAN_KEPT * lean + LEAN_NOISE * dice.standard_normal()
        levels = leaning_book(int(past.minutes[place, 4]), lean, dice)
        now_s = float(candles.open_time_s[-1]) + 60
        yield View(symbol, candles, [look_of(levels, past.spec, now_s)], now_s)


def look_of(levels: tuple[Integers, Integers], spec: MarketSpec, at_s: float) -> Look:
    """Levels as an agent sees them."""
    bids, asks = (in_units(side, spec) for side in levels)
    return Look(at_s, Book(bids, asks))
