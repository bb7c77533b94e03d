"""Ticks and square roots of prices in kernels: tick i is the price 1.0001**i; roots are Q64.96.

The root of a tick is v3-core's TickMath.getSqrtRatioAtTick, factor by factor. The tick of a root is
found by its binary logarithm, bit by bit of its squares, and decided by the root itself where the
logarithm is too near to a tick's.
"""

import numpy as np

from sim.fast_pool.division import divided
from sim.fast_pool.words import (
    HALF,
    NOTHING,
    ONE,
    SIGN_BIT,
    ZERO,
    Words,
    is_less,
    of_number,
    plus,
    product,
)
from sim.pool.tick_math import POWERS_X128
from sim.rows.kernels import Number, called, high_product, highest_bit, inlined

POWERS = np.array([[one % 2**64, one >> 64] for one in POWERS_X128], np.uint64)
"""1.0001**(−2**i / 2), Q128: two words each."""

ALL_ONES = (np.uint64(2**64 - 1),) * 4
LAST_BIT = np.uint64(63)
LOGARITHM_BITS = 20
TICKS_OF_AN_OCTAVE_X16 = 908_567_297
"""2 / log2(1.0001) ticks to each doubling of the root, in 65,536ths of one."""
TICK = 1 << (LOGARITHM_BITS + 16)
BELOW, ABOVE = TICK // 100, TICK // 25
"""The logarithm is cut off below 2**−20, which is 0.013 ticks, and the ticks of an octave are
rounded, which is 0.001 ticks at most: so far below and above lies the tick."""


@called
def ratio_at(tick: int) -> Words:
    """The square root of a tick's price, rounded up; the tick is within ±887,272."""
    distance = abs(tick)
    ratio = (ZERO, ZERO, ONE, ZERO)
    for bit in range(len(POWERS)):
        if distance >> bit & 1:
            power = (POWERS[bit, 0], POWERS[bit, 1], ZERO, ZERO)
            low, high = product(ratio, power)
            ratio = (low[2], low[3], high[0], ZERO)
    if tick > 0:
        ratio, _ = divided(ALL_ONES, NOTHING, ratio)
    cut = (
        ratio[0] >> HALF | ratio[1] << HALF,
        ratio[1] >> HALF | ratio[2] << HALF,
        ratio[2] >> HALF | ratio[3] << HALF,
        ratio[3] >> HALF,
    )
    return plus(cut, of_number(1)) if ratio[0] << HALF != ZERO else cut


@inlined
def binary_logarithm(ratio_x96: Words) -> Number:
    """Of a root, in units of 2**−20, cut off."""
    place, above, below = 128, ratio_x96[2], ratio_x96[1]
    if above == ZERO:
        place, above, below = 64, ratio_x96[1], ratio_x96[0]
    if above == ZERO:
        place, above, below = 0, ratio_x96[0], ZERO
    bit = highest_bit(above)
    up = LAST_BIT - np.uint64(bit)
    mantissa = above << up | below >> ONE >> (LAST_BIT - up)
    logarithm = place + bit - 96
    for _ in range(LOGARITHM_BITS):
        square = high_product(mantissa, mantissa)
        logarithm <<= 1
        if square >= SIGN_BIT:
            logarithm, mantissa = logarithm + 1, square
        else:
            mantissa = square << ONE
    return logarithm


@called
def tick_at(ratio_x96: Words) -> Number:
    """The greatest tick whose root is not above the price's, which the contract allows."""
    tick_x36 = binary_logarithm(ratio_x96) * TICKS_OF_AN_OCTAVE_X16
    low, high = (tick_x36 - BELOW) // TICK, (tick_x36 + ABOVE) // TICK
    if low == high or is_less(ratio_x96, ratio_at(high)):
        return low
    return high
