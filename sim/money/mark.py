"""The mark price: what positions are valued at, hard to move by trading.

Median of three: the index plus a 150 s average of (mid − index), the median of
(best bid, best ask, last), and the index. Integers only. The average is within 5 % of the index,
and goes back to nothing while there is no mid: so mark is never further from the index than that,
whoever quotes what for however long.
"""

from dataclasses import dataclass

from sim.rows.kernels import rule

BASIS_TIME_CONSTANT_US = 150_000_000
"""150 s, the time constant of the average of (mid − index)."""

BASIS_SHIFT = 20
"""The average is kept in ticks × 2**20."""

SAMPLE_GAP_US_MAX = 10_000_000
"""A sample after a longer pause weighs no more than one after 10 s."""


BASIS_MAX_Q20 = (1 << BASIS_SHIFT) // 20
"""The most that the average may be, as a share of the index: 5 %."""


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


@rule
def book_price(best_bid: int, best_ask: int, last: int, index_ticks: int) -> int:
    """Median of those of (best bid, best ask, last) that exist, which 0 does not.

    Of two: their average, rounded down. Of none: the index.
    """
    known = (best_bid > 0) + (best_ask > 0) + (last > 0)
    if known == 3:
        return max(min(best_bid, best_ask), min(max(best_bid, best_ask), last))
    return index_ticks if known == 0 else (best_bid + best_ask + last) // known


@rule
def basis_away_q20(basis_q20: int, index_ticks: int, best_bid: int, best_ask: int) -> int:
    """How far (mid − index) is from its average now; without a mid, which needs both sides, as if
    it were the index."""
    if best_bid == 0 or best_ask == 0:
        return -basis_q20
    return ((best_bid + best_ask - 2 * index_ticks) << (BASIS_SHIFT - 1)) - basis_q20


@rule
def sample_weight_us(elapsed_us: int) -> int:
    """What a sample weighs, by the time since the last one."""
    return min(max(elapsed_us, 0), SAMPLE_GAP_US_MAX)


@rule
def next_basis_q20(basis_q20: int, away_q20: int, weight_us: int, index_ticks: int) -> int:
    """The average with one more sample of weight t / (150 s + t), rounded down, within its bounds.

    That weight is the backward Euler step of the exponential average: within
    0.1 % of 1 − exp(−t / 150 s) at 250 ms, and needs no exp.
    """
    most = index_ticks * BASIS_MAX_Q20
    basis = basis_q20 + away_q20 * weight_us // (BASIS_TIME_CONSTANT_US + weight_us)
    return max(-most, min(basis, most))


@rule
def mark_ticks_of(index_ticks: int, basis_q20: int, book_ticks: int) -> int:
    """Median of index, index and its average distance to the mid, and the book's price; at least
    one tick."""
    smoothed = index_ticks + ((basis_q20 + (1 << (BASIS_SHIFT - 1))) >> BASIS_SHIFT)
    low, high = min(smoothed, book_ticks), max(smoothed, book_ticks)
    return max(1, max(low, min(high, index_ticks)))


def next_mark(index_ticks: int, quotes: Quotes, basis_ema_q20: int, elapsed_us: int) -> Mark:
    """The mark price `elapsed_us` after the last one, never below one tick."""
    bid, ask, last = quotes.best_bid_ticks, quotes.best_ask_ticks, quotes.last_price_ticks
    away = basis_away_q20(basis_ema_q20, index_ticks, bid, ask)
    basis = next_basis_q20(basis_ema_q20, away, sample_weight_us(elapsed_us), index_ticks)
    return Mark(mark_ticks_of(index_ticks, basis, book_price(bid, ask, last, index_ticks)), basis)
