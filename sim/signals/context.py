"""What a market looked like when something was decided: a vector that decisions are compared by.

COMPONENTS is the whole table, in the vector's order. Every component lies in −1 … 1 and says the
same of every symbol, for all prices are parts of the last close. What is not known yet is 0, and a
component of its own says so. The first is constant, so that no vector is zero and every cosine is
defined.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.signals import books, indicators
from sim.signals.books import Book
from sim.signals.candles import Candles
from sim.signals.dimension import DIMENSION
from sim.signals.signal import bounded

SHORT_CANDLES, LONG_CANDLES = 35, 61
"""What the components of less and of more than half an hour look back."""

ALWAYS = 0.25
"""Little beside the rest, so that it does not make all markets alike."""

RETURN_SCALE = 0.001
"""A usual return of one candle; of n candles it is √n times as much."""

MACD_SCALE_PCT, GAP_SCALE_PCT, WIDTH_SCALE, SPREAD_SCALE = 0.05, 0.2, 0.01, 0.001
VOLUME_SCALE = 3.0
"""Of mean volumes."""


@dataclass(frozen=True)
class Component:
    """One number of the vector: what it tells, in a clause."""

    name: str
    about: str


Measure = Callable[[Candles], float]
BookMeasure = Callable[[Book], float]


def moved(candles: Candles, count: int) -> float:
    """The return of so many candles, against the usual one."""
    change = float(indicators.log_returns(candles, count).sum())
    return math.tanh(change / (RETURN_SCALE * math.sqrt(count)))


def shaken(candles: Candles, count: int) -> float:
    return math.tanh(indicators.deviation(candles, count) / RETURN_SCALE / 2)


def surge(candles: Candles, count: int) -> float:
    return math.tanh(indicators.volume_ratio(candles, count) / VOLUME_SCALE)


def place_in_range(candles: Candles, count: int) -> float:
    """−1 at the lowest price of so many candles, 1 at the highest."""
    low, high = float(candles.low[-count:].min()), float(candles.high[-count:].max())
    return bounded(2 * (candles.last_close - low) / (high - low) - 1, -1, 1) if high > low else 0.0


def body(candles: Candles) -> float:
    """The last candle's close less its open, of its range."""
    span = float(candles.high[-1] - candles.low[-1])
    return bounded((candles.last_close - float(candles.open[-1])) / span, -1, 1) if span else 0.0


def wicks(candles: Candles) -> float:
    """The last candle's lower wick less its upper one, of its range."""
    high, low = float(candles.high[-1]), float(candles.low[-1])
    ends = sorted((float(candles.open[-1]), candles.last_close))
    span = high - low
    return bounded((ends[0] - low - (high - ends[1])) / span, -1, 1) if span else 0.0


def risen(candles: Candles, count: int) -> float:
    """Candles that rose less those that fell, of all."""
    returns = indicators.log_returns(candles, count)
    return float(np.sign(returns).sum()) / count


def persistence(candles: Candles, count: int) -> float:
    """Correlation of neighbouring returns: above zero in trends, below in zigzags."""
    returns = indicators.log_returns(candles, count)
    total = float((returns * returns).sum())
    return bounded(float((returns[1:] * returns[:-1]).sum()) / total, -1, 1) if total > 0 else 0.0


def calm_now(candles: Candles) -> float:
    """The deviation of ten candles against that of sixty."""
    now, before = (indicators.deviation(candles, count) for count in (10, 60))
    return books.excess(now, before)


SHORT: dict[Component, Measure] = {
    Component("return_1", "return of the last candle"): lambda c: moved(c, 1),
    Component("return_5", "return of 5 candles"): lambda c: moved(c, 5),
    Component("return_15", "return of 15 candles"): lambda c: moved(c, 15),
    Component("return_30", "return of 30 candles"): lambda c: moved(c, 30),
    Component("rsi_14", "RSI 14 from 0 … 100"): lambda c: indicators.rsi(c, 14) / 50 - 1,
    Component("rsi_28", "RSI 28 from 0 … 100"): lambda c: indicators.rsi(c, 28) / 50 - 1,
    Component("macd", "histogram of MACD 12/26/9"): lambda c: math.tanh(
        indicators.macd_histogram_pct(c, 12, 26, 9) / MACD_SCALE_PCT
    ),
    Component("bands_place", "close between Bollinger's bands, halved"): lambda c: bounded(
        indicators.bands(c, 20, 2).place / 2, -1, 1
    ),
    Component("bands_width", "width of Bollinger's bands"): lambda c: math.tanh(
        indicators.bands(c, 20, 2).width / WIDTH_SCALE
    ),
    Component("ema_9_21", "gap of EMA 9 and 21"): lambda c: math.tanh(
        indicators.ema_gap_pct(c, 9, 21) / GAP_SCALE_PCT
    ),
    Component("adx", "ADX 14 of 100"): lambda c: indicators.adx(c, 14) / 100,
    Component("volatility_10", "deviation of 10 returns"): lambda c: shaken(c, 10),
    Component("volatility_30", "deviation of 30 returns"): lambda c: shaken(c, 30),
    Component("volume_20", "last volume in means of 20"): lambda c: surge(c, 20),
    Component("range_20", "close in the range of 20 candles"): lambda c: place_in_range(c, 20),
    Component("body", "body of the last candle"): body,
    Component("wicks", "wicks of the last candle"): wicks,
    Component("risen_20", "rising less falling candles of 20"): lambda c: risen(c, 20),
    Component("persistence_30", "correlation of 30 returns"): lambda c: persistence(c, 30),
}
LONG: dict[Component, Measure] = {
    Component("return_60", "return of 60 candles"): lambda c: moved(c, 60),
    Component("ema_9_50", "gap of EMA 9 and 50"): lambda c: math.tanh(
        indicators.ema_gap_pct(c, 9, 50) / GAP_SCALE_PCT
    ),
    Component("range_60", "close in the range of 60 candles"): lambda c: place_in_range(c, 60),
    Component("calm_now", "deviation of 10 returns against 60"): calm_now,
}


def imbalance(book: Book, levels: int) -> float:
    cut = book.top(levels)
    return books.excess(books.size_of(cut.bids), books.size_of(cut.asks))


def spread(book: Book) -> float:
    middle = book.middle or math.inf
    return math.tanh(float(book.asks[0, 0] - book.bids[0, 0]) / middle / SPREAD_SCALE)


def concentration(book: Book) -> float:
    """How much of 20 levels lies in the best five, from 0 (a quarter) to 1."""
    sizes = [sum(map(books.size_of, (one.bids, one.asks))) for one in (book.top(5), book.top(20))]
    return bounded((sizes[0] / sizes[1] - 0.25) / 0.75)


OF_THE_BOOK: dict[Component, BookMeasure] = {
    Component("imbalance_1", "excess of bids at the best prices"): lambda b: imbalance(b, 1),
    Component("imbalance_5", "excess of bids in 5 levels"): lambda b: imbalance(b, 5),
    Component("imbalance_20", "excess of bids in 20 levels"): lambda b: imbalance(b, 20),
    Component("spread", "spread of the middle"): spread,
    Component("concentration", "what lies in the best 5 of 20 levels"): concentration,
}
PRESENT = (
    Component("always", "a constant, so that no vector is zero"),
    Component("short_known", f"1 from {SHORT_CANDLES} candles on"),
    Component("long_known", f"1 from {LONG_CANDLES} candles on"),
    Component("book_known", "1 where the book has two sides"),
)
COMPONENTS: tuple[Component, ...] = (*PRESENT, *SHORT, *LONG, *OF_THE_BOOK)
assert len(COMPONENTS) == DIMENSION, "what is kept is as long as what is made"


def context_of(candles: Candles, book: Book | None) -> npt.NDArray[np.float32]:
    """float32 (DIMENSION,), finite, the same bytes for the same inputs."""
    short_known, long_known = len(candles) >= SHORT_CANDLES, len(candles) >= LONG_CANDLES
    seen = book if book is not None and book.middle is not None else None
    values = [ALWAYS, float(short_known), float(long_known), float(seen is not None)]
    values += [measure(candles) if short_known else 0.0 for measure in SHORT.values()]
    values += [measure(candles) if long_known else 0.0 for measure in LONG.values()]
    values += [measure(seen) if seen is not None else 0.0 for measure in OF_THE_BOOK.values()]
    return np.array(values, np.float32)
