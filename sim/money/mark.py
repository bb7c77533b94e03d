"""The mark price: what positions are valued at, hard to move by trading.

Median of three: the index plus a 150 s average of (mid − index), the median of
(best bid, best ask, last), and the index. Integers only.
"""

from dataclasses import dataclass

BASIS_TIME_CONSTANT_US = 150_000_000
"""150 s, the time constant of the average of (mid − index)."""

BASIS_SHIFT = 20
"""The average is kept in ticks × 2**20."""

SAMPLE_GAP_US_MAX = 10_000_000
"""A sample after a longer pause weighs no more than one after 10 s."""


@dataclass(frozen=True)
class Quotes:
    """The touch and the last trade of one book, in ticks; 0 where there is none."""

    best_bid_ticks: int
    best_ask_ticks: int
    last_price_ticks: int


@dataclass(frozen=True)
class Mark:
    """A mark price and the state its average goes on from.

    basis_ema_q20   average of (mid − index) in ticks × 2**20; 0 to begin with
    """

    mark_ticks: int
    basis_ema_q20: int


def next_mark(index_ticks: int, quotes: Quotes, basis_ema_q20: int, elapsed_us: int) -> Mark:
    """The mark price `elapsed_us` after the last one, never below one tick."""
    ema = next_basis_ema(basis_ema_q20, index_ticks, quotes, elapsed_us)
    smoothed = index_ticks + nearest_tick(ema)
    middle = sorted((smoothed, book_price(quotes, index_ticks), index_ticks))[1]
    return Mark(max(1, middle), ema)


def next_basis_ema(ema_q20: int, index_ticks: int, quotes: Quotes, elapsed_us: int) -> int:
    """The average with one more sample of weight t / (150 s + t), rounded down.

    That weight is the backward Euler step of the exponential average: within
    0.1 % of 1 − exp(−t / 150 s) at 250 ms, and needs no exp. Without both sides
    of the book there is no mid and the average stays as it is.
    """
    if not (quotes.best_bid_ticks and quotes.best_ask_ticks):
        return ema_q20
    weight_us = min(max(elapsed_us, 0), SAMPLE_GAP_US_MAX)
    double_basis = quotes.best_bid_ticks + quotes.best_ask_ticks - 2 * index_ticks
    sample_q20 = double_basis << (BASIS_SHIFT - 1)
    return ema_q20 + (sample_q20 - ema_q20) * weight_us // (BASIS_TIME_CONSTANT_US + weight_us)


def book_price(quotes: Quotes, index_ticks: int) -> int:
    """Median of those of (best bid, best ask, last) that exist.

    Of two: their average, rounded down. Of none: the index.
    """
    known = sorted(
        ticks
        for ticks in (quotes.best_bid_ticks, quotes.best_ask_ticks, quotes.last_price_ticks)
        if ticks > 0
    )
    if not known:
        return index_ticks
    return known[1] if len(known) == 3 else (known[0] + known[-1]) // 2


def nearest_tick(value_q20: int) -> int:
    """Ticks × 2**20 to the nearest tick, halves up."""
    return (value_q20 + (1 << (BASIS_SHIFT - 1))) >> BASIS_SHIFT
