"""The kernel of a pool: a batch of operations, one after the other, each whole or not at all."""

import sim.fast_pool.arrays
import sim.fast_pool.bitmap
import sim.fast_pool.changing
import sim.fast_pool.division
import sim.fast_pool.liquidity
import sim.fast_pool.observing
import sim.fast_pool.prices
import sim.fast_pool.steps
import sim.fast_pool.swapping
import sim.fast_pool.ticks
import sim.fast_pool.walking
import sim.fast_pool.words
import sim.pool.tick_math
import sim.pool.ticks
from sim.fast_pool.arrays import (
    BURN,
    DONE,
    LIQUIDITY,
    MINT,
    PRICE_X96,
    SWAP,
    TICK,
    Integers,
    Operations,
    Outcomes,
    PoolArrays,
)
from sim.fast_pool.changing import burnt, collected, minted
from sim.fast_pool.swapping import swapped
from sim.fast_pool.words import NOTHING, read, write
from sim.rows.kernels import Number, cached_kernel, inlined


@inlined
def operated(
    pool: PoolArrays, batch: Operations, told: Outcomes, number: int, rows: Integers
) -> Number:
    """One operation; what comes of it."""
    code = batch.codes[number]
    if code == SWAP:
        return swapped(pool, batch, told, number)
    row = rows[batch.keys[number]]
    if code == MINT:
        return minted(pool, batch, told, number, row)
    if code == BURN:
        return burnt(pool, batch, told, number, row)
    return collected(pool, batch, told, number, row)


@cached_kernel(
    sim.fast_pool.arrays,
    sim.fast_pool.bitmap,
    sim.fast_pool.changing,
    sim.fast_pool.division,
    sim.fast_pool.liquidity,
    sim.fast_pool.observing,
    sim.fast_pool.prices,
    sim.fast_pool.steps,
    sim.fast_pool.swapping,
    sim.fast_pool.ticks,
    sim.fast_pool.walking,
    sim.fast_pool.words,
    sim.pool.tick_math,
    sim.pool.ticks,
)
def operate_all(pool: PoolArrays, batch: Operations, told: Outcomes, rows: Integers) -> None:
    """Writes what comes of each operation into `told`, whose amounts are all 0 before.

    rows   of the batch's positions in the pool
    """
    for number in range(len(batch.codes)):
        outcome = operated(pool, batch, told, number, rows)
        if outcome != DONE:
            write(told.amounts, 2 * number, NOTHING)
            write(told.amounts, 2 * number + 1, NOTHING)
        told.outcomes[number] = outcome
        write(told.after, 2 * number, read(pool.words, PRICE_X96))
        write(told.after, 2 * number + 1, read(pool.words, LIQUIDITY))
        told.ticks[number] = pool.numbers[TICK]
