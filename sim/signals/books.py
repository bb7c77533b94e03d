"""The book of one market as agents see it, in several looks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.signals.candles import Floats


@dataclass(frozen=True, eq=False)
class Book:
    """Levels of both sides, best first: float64 (n, 3) of price, size and number of orders.

    Prices and sizes are positive; a side may be empty.
    """

    bids: Floats
    asks: Floats

    @property
    def middle(self) -> float | None:
        """Between the best prices; None where a side is empty."""
        if not len(self.bids) or not len(self.asks):
            return None
        return float(self.bids[0, 0] + self.asks[0, 0]) / 2

    def top(self, levels: int) -> "Book":
        return Book(self.bids[:levels], self.asks[:levels])


@dataclass(frozen=True, eq=False)
class Look:
    """A book, and when it was seen."""

    time_s: float
    book: Book


def size_of(side: Floats) -> float:
    return math.fsum(side[:, 1])


def excess(more: float, less: float) -> float:
    """−1 to 1; 0 where there is nothing."""
    total = more + less
    return (more - less) / total if total > 0 else 0.0


def mean_order_size(book: Book) -> float:
    orders = math.fsum(book.bids[:, 2]) + math.fsum(book.asks[:, 2])
    return (size_of(book.bids) + size_of(book.asks)) / orders if orders > 0 else 0.0


def large(side: Floats, mean_size: float, times: float) -> Floats:
    """The levels whose orders are so many times as large as the mean order."""
    found: Floats = side[side[:, 1] >= times * mean_size * np.maximum(side[:, 2], 1)]
    return found if mean_size > 0 else side[:0]


def walls(side: Floats, middle: float, share: float, reach: float) -> Floats:
    """The levels near the middle that hold more than a share of their side."""
    near = np.abs(side[:, 0] - middle) <= reach * middle
    found: Floats = side[near & (side[:, 1] > share * size_of(side))]
    return found


def vanished(looks: Sequence[Look], times: float, within_s: float) -> tuple[int, int]:
    """How many large levels (bids, asks) of the looks of so many seconds are gone from the last.

    One that the market has traded to, or that lies beyond what the last look shows, has not
    vanished. A level counts once however often it was seen.
    """
    last = looks[-1]
    bids: set[float] = set()
    asks: set[float] = set()
    for look in looks[:-1]:
        if last.time_s - look.time_s <= within_s:
            mean_size = mean_order_size(look.book)
            bids.update(large(look.book.bids, mean_size, times)[:, 0].tolist())
            asks.update(large(look.book.asks, mean_size, times)[:, 0].tolist())
    return _gone(bids, last.book.bids, 1), _gone(asks, last.book.asks, -1)


def _gone(prices: set[float], side: Floats, sign: int) -> int:
    """Prices between the best and the worst that stand there no more; sign 1 for bids."""
    if not len(side):
        return 0
    standing = set(side[:, 0].tolist())
    best, worst = sign * float(side[0, 0]), sign * float(side[-1, 0])
    return sum(worst <= sign * price <= best for price in prices - standing)
