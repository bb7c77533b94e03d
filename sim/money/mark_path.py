"""Many steps of a mark in one call, while the book stands still: the rule of mark.py.

The same integers as step by step. Where a product might leave 64 bits the kernel stops before the
step, and whoever asked goes on in Python's integers.
"""

import numpy as np
import numpy.typing as npt

from sim.money.mark import BASIS_SHIFT, BASIS_TIME_CONSTANT_US, SAMPLE_GAP_US_MAX
from sim.rows import kernels
from sim.rows.kernels import Number, cached_kernel, inlined
from sim.units import PPM, PRODUCT_SAFE

Integers = npt.NDArray[np.int64]

INDEX, MARK, BASIS = range(3)
"""Places in the state of a mark."""


@inlined
def book_price(bid: int, ask: int, last: int, index: int) -> Number:
    """mark.book_price."""
    known = (bid > 0) + (ask > 0) + (last > 0)
    if known == 3:
        return max(min(bid, ask), min(max(bid, ask), last))
    return index if known == 0 else (bid + ask + last) // known


@cached_kernel(kernels)
def follow_mark(
    state: Integers,
    ticks: Integers,
    scale_ppm: int,
    max_price_ticks: int,
    touch: tuple[int, int, int],
    step_us: int,
) -> Number:
    """Take index and mark of a market whose book stands still through the reference prices of
    some steps. touch: best bid, best ask, last price, 0 for none. Answers how many were taken."""
    bid, ask, last = touch
    weight_us = min(step_us, SAMPLE_GAP_US_MAX)
    for done in range(len(ticks)):
        if ticks[done] > PRODUCT_SAFE // scale_ppm:
            return done
        index = min(max(1, ticks[done] * scale_ppm // PPM), max_price_ticks)
        basis = state[BASIS]
        if bid != 0 and ask != 0:
            away = ((bid + ask - 2 * index) << (BASIS_SHIFT - 1)) - basis
            if abs(away) > PRODUCT_SAFE // weight_us:
                return done
            basis += away * weight_us // (BASIS_TIME_CONSTANT_US + weight_us)
        smoothed = index + ((basis + (1 << (BASIS_SHIFT - 1))) >> BASIS_SHIFT)
        book = book_price(bid, ask, last, index)
        middle = max(min(smoothed, book), min(max(smoothed, book), index))
        state[INDEX], state[MARK], state[BASIS] = index, max(1, middle), basis
    return len(ticks)
