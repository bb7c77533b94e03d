"""The oracle in kernels: what has grown until now, and the observation that a swap writes.

As sim/pool/observations.py: times are modulo 2**32, a slot is written at most once a second, with
tick and liquidity of before the change, and the ring grows only at its end.
"""

from sim.fast_pool.arrays import (
    CARDINALITY,
    CARDINALITY_NEXT,
    GROWN_CUMULATIVE,
    GROWN_X128,
    IS_GROWN,
    IS_INITIALIZED,
    LIQUIDITY,
    NOW_S,
    OBSERVATION_INDEX,
    TICK,
    TICK_CUMULATIVE,
    TIME_S,
    PoolArrays,
)
from sim.fast_pool.division import divided
from sim.fast_pool.words import (
    NOTHING,
    ZERO,
    Words,
    cut_to_160_bits,
    is_zero,
    of_number,
    plus,
    read,
    write,
)
from sim.rows.kernels import Number, called, inlined

SECONDS_MAX = 2**32 - 1
CUMULATIVE_HALF, CUMULATIVE_MAX = 1 << 55, (1 << 56) - 1


@inlined
def around_56_bits(cumulative: int) -> Number:
    """As a signed integer of so many bits."""
    return ((cumulative + CUMULATIVE_HALF) & CUMULATIVE_MAX) - CUMULATIVE_HALF


@inlined
def per_liquidity_x128(seconds: int, liquidity: Words) -> Words:
    whole = of_number(seconds)
    divisor = of_number(1) if is_zero(liquidity) else liquidity
    return divided((ZERO, ZERO, whole[0], ZERO), NOTHING, divisor)[0]


@called
def grow(pool: PoolArrays) -> None:
    """Tells the walk what has grown until now, if it does not know."""
    numbers, walk = pool.numbers, pool.walk_numbers
    if walk[IS_GROWN]:
        return
    index = numbers[OBSERVATION_INDEX]
    newest = pool.observations[index]
    cumulative, grown = newest[TICK_CUMULATIVE], read(pool.seconds_per_liquidity, index)
    seconds = (walk[NOW_S] - newest[TIME_S]) & SECONDS_MAX
    if seconds:
        cumulative = around_56_bits(cumulative + numbers[TICK] * seconds)
        more = per_liquidity_x128(seconds, read(pool.words, LIQUIDITY))
        grown = cut_to_160_bits(plus(grown, more))
    walk[IS_GROWN], walk[GROWN_CUMULATIVE] = 1, cumulative
    write(pool.walk, GROWN_X128, grown)


@called
def observe(pool: PoolArrays) -> None:
    """Writes an observation, before tick or liquidity change."""
    numbers, walk = pool.numbers, pool.walk_numbers
    index, cardinality = numbers[OBSERVATION_INDEX], numbers[CARDINALITY]
    if pool.observations[index, TIME_S] == walk[NOW_S]:
        return
    grow(pool)
    if index == cardinality - 1:
        cardinality = max(cardinality, numbers[CARDINALITY_NEXT])
    index = (index + 1) % cardinality
    pool.observations[index, TIME_S] = walk[NOW_S]
    pool.observations[index, TICK_CUMULATIVE] = walk[GROWN_CUMULATIVE]
    pool.observations[index, IS_INITIALIZED] = 1
    write(pool.seconds_per_liquidity, index, read(pool.walk, GROWN_X128))
    numbers[OBSERVATION_INDEX], numbers[CARDINALITY] = index, cardinality
