"""Logarithm, exponential and normal numbers out of + − × ÷ alone: the same bits everywhere.

The functions of libm differ between machines in the last bit; these do not.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LN_2 = 0.6931471805599453
SQRT_HALF = 0.7071067811865476
LOGARITHM_TERMS = 9
EXPONENT_MAX = 1.0

NORMAL_DRAWS = 4
NORMAL_MEAN = NORMAL_DRAWS * 65_535 // 2
NORMAL_DEVIATION = 37_837
"""Four uniform 16-bit numbers sum to this on average, with 2**16 / √3 as standard deviation."""


def natural_log(values: Floats) -> Floats:
    """ln of positive numbers, to about 1e-15: 2 artanh((m − √½) ÷ (m + √½)) and so on in series."""
    mantissa, exponent = np.frexp(values)
    ratio = (mantissa - SQRT_HALF) / (mantissa + SQRT_HALF)
    square = ratio * ratio
    series = np.zeros_like(ratio)
    for term in range(2 * LOGARITHM_TERMS + 1, 0, -2):
        series = series * square + 1.0 / term
    logarithm: Floats = 2.0 * ratio * series + (exponent - 0.5) * LN_2
    return logarithm


def exponential(values: Floats) -> Floats:
    """e to the power of values, which are held within ±1: a Padé fraction [3/3], to 3e-6."""
    x = np.clip(values, -EXPONENT_MAX, EXPONENT_MAX)
    even, odd = 120.0 + 12.0 * x * x, x * (60.0 + x * x)
    power: Floats = (even + odd) / (even - odd)
    return power


def normal(draws: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Near the standard normal, times NORMAL_DEVIATION, from draws of the dice (n, 4): int64 (n,).

    The sum of four uniforms (Irwin–Hall); its tails end at 3.5 standard deviations.
    """
    total: npt.NDArray[np.int64] = draws[:, :NORMAL_DRAWS].sum(axis=1) - NORMAL_MEAN
    return total


def waiting_times(draws: npt.NDArray[np.int64]) -> Floats:
    """Exponential numbers of mean 1 from draws of the dice, at least 7e-6."""
    return -natural_log((draws.astype(np.float64) + 0.5) / 65_536.0)
