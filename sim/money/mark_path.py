"""Many steps of a mark in one call, while the book stands still: the rule of mark.py.

The same integers as step by step. Where a product might leave 64 bits the kernel stops before the
step, and whoever asked goes on in Python's integers.
"""

import numpy as np
import numpy.typing as npt

from sim.money import mark as mark_rules
from sim.money.mark import (
    basis_away_q20,
    book_price,
    mark_ticks_of,
    next_basis_q20,
    sample_weight_us,
)
from sim.rows import kernels
from sim.rows.kernels import Number, cached_kernel
from sim.units import PPM, PRODUCT_SAFE

Integers = npt.NDArray[np.int64]

INDEX, MARK, BASIS = range(3)
"""Places in the state of a mark."""


@cached_kernel(kernels, mark_rules)
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
    weight_us = sample_weight_us(step_us)
    for done in range(len(ticks)):
        if ticks[done] > PRODUCT_SAFE // scale_ppm:
            return done
        index = min(max(1, ticks[done] * scale_ppm // PPM), max_price_ticks)
        away = basis_away_q20(state[BASIS], index, bid, ask)
        if abs(away) > PRODUCT_SAFE // weight_us:
            return done
        basis = next_basis_q20(state[BASIS], away, weight_us, index)
        mark = mark_ticks_of(index, basis, book_price(bid, ask, last, index))
        state[INDEX], state[MARK], state[BASIS] = index, mark, basis
    return len(ticks)
