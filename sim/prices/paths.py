"""Many steps of a synthetic price in one call: the process of processes.py.

The same integers as step by step. Where a product might leave 64 bits a kernel stops before the
step, and whoever asked goes on in Python's integers.
"""

import numpy as np
import numpy.typing as npt

from sim.rows import kernels
from sim.rows.kernels import Number, cached_kernel, high_product, inlined
from sim.units import PPM, PRODUCT_SAFE

Integers = npt.NDArray[np.int64]

STEPS, PRICE, VARIANCE = range(3)
"""Places in the state of a synthetic price."""

START, VARIANCE_MEAN, CEILING, STEP_US, REVERSION_US, SHOCK, MEMORY = range(7)
"""Places in its terms; the last two are weights in parts per million."""

PRICE_SHIFT, RETURN_SHIFT, NORMAL_SHIFT = 24, 40, 16
VARIANCE_SAFE = 1 << 56
LOW_BITS = (1 << PRICE_SHIFT) - 1

NORMAL_MEAN_SUM = 12 * 65_535 // 2
PHILOX_ROUNDS = 10
MULTIPLIER_A, MULTIPLIER_B = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
WEYL_A, WEYL_B = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)
PIECE, PIECE_BITS, NOTHING = np.uint64(0xFFFF), np.uint64(16), np.uint64(0)


@inlined
def sum_of_pieces(word: Number) -> Number:
    """The sum of a word's four 16-bit numbers."""
    total = np.int64(0)
    for _ in range(4):
        total += np.int64(word & PIECE)
        word >>= PIECE_BITS
    return total


@inlined
def normal_q16(seed: Number, domain: Number, step: int) -> Number:
    """prices.normal_q16: Philox 4×64 (Salmon et al. 2011), counted as numpy counts."""
    a, b, c, d = np.uint64(1), np.uint64(step), NOTHING, NOTHING
    for _ in range(PHILOX_ROUNDS):
        high_a, high_b = high_product(MULTIPLIER_A, a), high_product(MULTIPLIER_B, c)
        a, b, c, d = high_b ^ b ^ seed, MULTIPLIER_B * c, high_a ^ d ^ domain, MULTIPLIER_A * a
        seed += WEYL_A
        domain += WEYL_B
    return sum_of_pieces(a) + sum_of_pieces(b) + sum_of_pieces(c) - NORMAL_MEAN_SUM


@inlined
def root_of(value: int) -> Number:
    """The integer square root of a number below 2**56."""
    root = np.int64(np.sqrt(np.float64(value)))
    while root * root > value:
        root -= 1
    while (root + 1) * (root + 1) <= value:
        root += 1
    return root


@inlined
def next_variance(change: int, variance: int, terms: Integers) -> Number:
    """SyntheticPrice's, its sum over PPM taken apart so that it stays within 64 bits."""
    square, mean = change * change, terms[VARIANCE_MEAN]
    rest_ppm = PPM - terms[SHOCK] - terms[MEMORY]
    whole = rest_ppm * (mean // PPM) + terms[SHOCK] * (square // PPM)
    part = rest_ppm * (mean % PPM) + terms[SHOCK] * (square % PPM)
    whole += terms[MEMORY] * (variance // PPM)
    part += terms[MEMORY] * (variance % PPM)
    return whole + part // PPM


@cached_kernel(kernels)
def follow_synthetic(
    state: Integers, terms: Integers, seed: np.uint64, domain: np.uint64, ticks: Integers
) -> Number:
    """Go len(ticks) steps and write the price after each; answers how many were gone."""
    if terms[REVERSION_US] > PRODUCT_SAFE // terms[STEP_US]:
        return 0
    for done in range(len(ticks)):
        price, variance = state[PRICE], state[VARIANCE]
        if variance >= VARIANCE_SAFE or terms[VARIANCE_MEAN] >= VARIANCE_SAFE:
            return done
        state[STEPS] += 1
        change = root_of(variance) * normal_q16(seed, domain, state[STEPS]) >> NORMAL_SHIFT
        low = (price & LOW_BITS) * change
        moved = ((price >> PRICE_SHIFT) * change + (low >> PRICE_SHIFT)) >> (
            RETURN_SHIFT - PRICE_SHIFT
        )
        away = terms[START] - price
        whole = away // terms[REVERSION_US]
        part = (away - whole * terms[REVERSION_US]) * terms[STEP_US] // terms[REVERSION_US]
        price += moved + whole * terms[STEP_US] + part
        state[PRICE] = min(max(price, 1 << PRICE_SHIFT), terms[CEILING])
        state[VARIANCE] = next_variance(change, variance, terms)
        ticks[done] = max(1, state[PRICE] >> PRICE_SHIFT)
    return len(ticks)
