"""Candles, books and signals for tests of the signal agents."""

import re
from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from sim.signals.books import Book
from sim.signals.candles import Candles
from sim.signals.signal import Signal, shown

SENTENCE_END = re.compile(r"\.(?=\s|$)")


def candles_of(
    closes: Sequence[float], wick: float = 0.0, volumes: Sequence[float] | None = None
) -> Candles:
    """Each opens at the close before; wicks are parts of the price."""
    close = np.array(closes, np.float64)
    opened = np.concatenate([close[:1], close[:-1]])
    high, low = np.maximum(opened, close) * (1 + wick), np.minimum(opened, close) * (1 - wick)
    volume = np.ones(len(close)) if volumes is None else np.array(volumes, np.float64)
    return Candles(60 * np.arange(len(close)), opened, high, low, close, volume)


def wandering(seed: int, count: int = 500, step: float = 0.001) -> Candles:
    print(f"seed {seed}")
    dice = np.random.default_rng(seed)
    closes = 40_000 * np.exp(np.cumsum(dice.normal(0, step, count)))
    return candles_of(closes.tolist(), step / 3, dice.exponential(5, count).tolist())


def scaled(candles: Candles, by: float) -> Candles:
    prices = (candles.open, candles.high, candles.low, candles.close)
    opened, high, low, close = (one * by for one in prices)
    return Candles(candles.open_time_s, opened, high, low, close, candles.volume)


def book_of(
    bids: Sequence[float], asks: Sequence[float], middle: float = 100.0, step: float = 0.01
) -> Book:
    """Sizes from the best on, each of one order, a step apart."""
    return Book(side(bids, middle, -step), side(asks, middle, step))


def side(sizes: Sequence[float], middle: float, step: float) -> np.ndarray:
    levels = [[middle + step * (place + 1), size, 1] for place, size in enumerate(sizes)]
    return np.array(levels, np.float64).reshape(-1, 3)


def assert_sound(signal: Signal) -> None:
    """Whatever an agent says can be checked."""
    assert 0 <= signal.confidence <= 1
    assert 2 <= len(SENTENCE_END.findall(signal.reasoning)) <= 6, signal.reasoning
    for name, value in signal.numbers.items():
        assert shown(value) in signal.reasoning, (name, value, signal.reasoning)


@st.composite
def any_candles(draw: st.DrawFn, fewest: int = 1, most: int = 90) -> Candles:
    """Calm, wild and standing still, at any price, with and without volume."""
    count = draw(st.integers(fewest, most))
    price = draw(st.sampled_from([1e-6, 1.0, 42_000.0, 1e9]))
    step = draw(st.sampled_from([0.0, 1e-9, 1e-5, 0.002, 0.3]))
    moves = draw(st.lists(st.floats(-1, 1), min_size=count, max_size=count))
    volumes = draw(st.lists(st.sampled_from([0.0, 1.0, 7.5, 1e9]), min_size=count, max_size=count))
    closes = price * np.exp(np.cumsum(np.array(moves) * step))
    return candles_of(closes.tolist(), draw(st.sampled_from([0.0, step])), volumes)


SIZES = st.lists(st.floats(1e-3, 1e6), max_size=22)
