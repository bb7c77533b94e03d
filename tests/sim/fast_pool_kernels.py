"""Kernels that ask one function of the fast pools' arithmetic for each row of arrays.

Words are uint64[n, 4], all else int64[n] or bool[n].
"""

from typing import Any

import sim.fast_pool.bitmap
import sim.fast_pool.division
import sim.fast_pool.prices
import sim.fast_pool.steps
import sim.fast_pool.ticks
import sim.fast_pool.words
import sim.pool.tick_math
from sim.fast_pool.bitmap import next_tick
from sim.fast_pool.division import mul_div
from sim.fast_pool.prices import amount0, amount1, price_of_input, price_of_output
from sim.fast_pool.steps import swap_step
from sim.fast_pool.ticks import ratio_at, tick_at
from sim.fast_pool.words import minus, of_number, read, write
from sim.rows.kernels import cached_kernel

kernel = cached_kernel(
    sim.fast_pool.bitmap,
    sim.fast_pool.division,
    sim.fast_pool.prices,
    sim.fast_pool.steps,
    sim.fast_pool.ticks,
    sim.fast_pool.words,
    sim.pool.tick_math,
)


@kernel
def mul_divs(a: Any, b: Any, divisor: Any, rounds_up: Any, found: Any, holds: Any) -> None:
    for row in range(len(holds)):
        words, holds[row] = mul_div(read(a, row), read(b, row), read(divisor, row), rounds_up[row])
        write(found, row, words)


@kernel
def ratios(ticks: Any, found: Any) -> None:
    for row in range(len(ticks)):
        write(found, row, ratio_at(ticks[row]))


@kernel
def ticks_at(ratios_x96: Any, found: Any) -> None:
    for row in range(len(found)):
        found[row] = tick_at(read(ratios_x96, row))


@kernel
def ticks_around(first: int, last: int) -> int:
    """The first tick whose root, or the root's neighbour below it, is taken for another's; `last`
    where there is none."""
    for tick in range(first, last):
        ratio = ratio_at(tick)
        below = minus(ratio, of_number(1))
        if tick_at(ratio) != tick or tick_at(below) != tick - 1:
            return tick
    return last


@kernel
def amounts(low: Any, high: Any, liquidity: Any, rounds_up: Any, token: int, found: Any) -> None:
    for row in range(len(rounds_up)):
        a, b, c = read(low, row), read(high, row), read(liquidity, row)
        if token == 0:
            write(found, row, amount0(a, b, c, rounds_up[row]))
        else:
            write(found, row, amount1(a, b, c, rounds_up[row]))


@kernel
def next_prices(asked: Any, zero_for_one: Any, is_input: bool, found: Any, holds: Any) -> None:
    """asked   prices, liquidities, amounts"""
    for row in range(len(holds)):
        a, b, c = read(asked[0], row), read(asked[1], row), read(asked[2], row)
        if is_input:
            words, holds[row] = price_of_input(a, b, c, zero_for_one[row])
        else:
            words, holds[row] = price_of_output(a, b, c, zero_for_one[row])
        write(found, row, words)


@kernel
def steps(asked: Any, fee_pips: Any, found: Any, holds: Any) -> None:
    """asked   prices, targets, liquidities, what remains
    found   four rows for each step: price, amounts in and out, fee
    """
    for row in range(len(holds)):
        a, b, c = read(asked[0], row), read(asked[1], row), read(asked[2], row)
        next_x96, paid_in, paid_out, fee, holds[row] = swap_step(
            a, b, c, read(asked[3], row), fee_pips[row]
        )
        write(found, 4 * row, next_x96)
        write(found, 4 * row + 1, paid_in)
        write(found, 4 * row + 2, paid_out)
        write(found, 4 * row + 3, fee)


@kernel
def next_ticks(
    bitmap: Any, first_word: int, ticks: Any, tick_spacing: int, downwards: Any, found: Any,
    is_initialized: Any,
) -> None:  # fmt: skip
    for row in range(len(ticks)):
        found[row], is_initialized[row] = next_tick(
            bitmap, first_word, ticks[row], tick_spacing, downwards[row]
        )
