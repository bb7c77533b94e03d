"""Ticks and square roots of prices: tick i is the price 1.0001**i; roots are Q64.96."""

from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from math import isqrt

from sim.pool.full_math import div_rounding_up
from sim.pool.reverts import require
from sim.pool.words import UINT256_MAX

MAX_TICK = 887_272
MIN_TICK = -MAX_TICK
TICKS = range(MIN_TICK, MAX_TICK + 1)
RATIOS_KEPT = 65_536


def _powers_of_the_root() -> Iterator[int]:
    """1.0001**(−2**i / 2) for each bit i of a tick, as the nearest Q128."""
    power_x512 = isqrt((10_000 << 1024) // 10_001)
    for _ in range(MAX_TICK.bit_length()):
        yield ((power_x512 >> 383) + 1) >> 1
        power_x512 = power_x512 * power_x512 >> 512


POWERS_X128 = tuple(_powers_of_the_root())


@lru_cache(RATIOS_KEPT)
def sqrt_ratio_at_tick(tick: int) -> int:
    """The square root of a tick's price, Q64.96, rounded up. Raises Reverted: T."""
    require(abs(tick) <= MAX_TICK, "T")
    ratio_x128 = 1 << 128
    for bit, power_x128 in enumerate(POWERS_X128):
        if abs(tick) >> bit & 1:
            ratio_x128 = ratio_x128 * power_x128 >> 128
    if tick > 0:
        ratio_x128 = UINT256_MAX // ratio_x128
    return div_rounding_up(ratio_x128, 1 << 32)


MIN_SQRT_RATIO = sqrt_ratio_at_tick(MIN_TICK)
MAX_SQRT_RATIO = sqrt_ratio_at_tick(MAX_TICK)


def tick_at_sqrt_ratio(sqrt_price_x96: int) -> int:
    """The greatest tick whose ratio is not above the price's. Raises Reverted: R."""
    require(MIN_SQRT_RATIO <= sqrt_price_x96 < MAX_SQRT_RATIO, "R")
    return TICKS[bisect_right(TICKS, sqrt_price_x96, key=sqrt_ratio_at_tick) - 1]
