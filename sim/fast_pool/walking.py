"""A swap's way through a pool in kernels, as sim/pool/swapping.py goes: step by step to the next
initialised tick or the edge of a word.

Ticks are crossed in the pool. What was crossed is remembered, and crossing the same ticks with the
same growths once more takes it back.
"""

from typing import Any

from sim.fast_pool.arrays import (
    CALCULATED,
    CROSSED,
    CUMULATIVE,
    DONE,
    FEE_PIPS,
    FEE_PROTOCOL,
    FIRST_WORD,
    GROWN_CUMULATIVE,
    GROWN_X128,
    GROWTH_X128,
    LA,
    LIMIT_X96,
    LIQUIDITY,
    LS,
    NAMELESS,
    NET,
    NOW_S,
    NOW_TICK,
    OUTSIDE_X128,
    PAID_GROWTH_X128,
    PRICE_X96,
    PROTOCOL_FEE,
    REMAINING,
    SECONDS,
    SECONDS_PER_LIQUIDITY_X128,
    SPECIFIED,
    STEPS_WALKED,
    TICK_ROWS,
    TICK_SPACING,
    TOKEN_IN,
    PoolArrays,
)
from sim.fast_pool.bitmap import next_tick, past_empty_words
from sim.fast_pool.division import divided, quotient_of
from sim.fast_pool.observing import SECONDS_MAX, around_56_bits, grow
from sim.fast_pool.steps import swap_step
from sim.fast_pool.ticks import ratio_at, tick_at
from sim.fast_pool.words import (
    NOTHING,
    ZERO,
    Words,
    cut_to_128_bits,
    cut_to_160_bits,
    is_equal,
    is_less,
    is_negative,
    is_zero,
    minus,
    negated,
    of_number,
    plus,
    read,
    write,
)
from sim.pool.bitmap import WORD_BITS
from sim.pool.tick_math import MAX_TICK, MIN_TICK
from sim.rows.kernels import Number, called, inlined


@inlined
def row_of(tick_numbers: Any, tick: int) -> Number:
    """Where a tick stands, initialised or not."""
    first, last = 0, len(tick_numbers) - 1
    while first < last:
        middle = (first + last) // 2
        if tick_numbers[middle] < tick:
            first = middle + 1
        else:
            last = middle
    return first


@inlined
def add_delta(liquidity: Words, delta: Words) -> Number:
    """Liquidity after a change; what comes of it: LS below zero, LA over 128 bits, or DONE."""
    after = plus(liquidity, delta)
    if is_negative(after):
        return after, LS
    return after, DONE if is_equal(after, cut_to_128_bits(after)) else LA


@inlined
def turn_over(ticks: Any, row: int, now: Words) -> None:
    """What had grown outside of a tick becomes what had grown on its other side."""
    write(ticks, row, minus(now, read(ticks, row)))


@inlined
def cross_row(pool: PoolArrays, place: int, paid_growth_x128: Words) -> None:
    first, walk, token_in = place * TICK_ROWS, pool.walk_numbers, pool.walk_numbers[TOKEN_IN]
    other_growth_x128 = read(pool.words, GROWTH_X128 + 1 - token_in)
    turn_over(pool.ticks, first + OUTSIDE_X128 + token_in, paid_growth_x128)
    turn_over(pool.ticks, first + OUTSIDE_X128 + 1 - token_in, other_growth_x128)
    row = first + SECONDS_PER_LIQUIDITY_X128
    write(
        pool.ticks, row, cut_to_160_bits(minus(read(pool.walk, GROWN_X128), read(pool.ticks, row)))
    )
    grown = pool.tick_grown[place]
    grown[CUMULATIVE] = around_56_bits(walk[GROWN_CUMULATIVE] - grown[CUMULATIVE])
    grown[SECONDS] = (walk[NOW_S] - grown[SECONDS]) & SECONDS_MAX


@called
def cross(pool: PoolArrays, tick: int) -> Number:
    """Crosses a tick; liquidity changes by what it has. What comes of it."""
    grow(pool)
    walk, place = pool.walk_numbers, row_of(pool.tick_numbers, tick)
    growth_x128 = read(pool.walk, PAID_GROWTH_X128)
    write(pool.growths_crossed, walk[CROSSED], growth_x128)
    pool.rows_crossed[walk[CROSSED]] = place
    walk[CROSSED] += 1
    cross_row(pool, place, growth_x128)
    net = read(pool.ticks, place * TICK_ROWS + NET)
    after, outcome = add_delta(
        read(pool.walk, LIQUIDITY), negated(net) if walk[TOKEN_IN] == 0 else net
    )
    write(pool.walk, LIQUIDITY, after)
    return outcome


@called
def take_back(pool: PoolArrays) -> None:
    """Leaves all ticks as they were before the walk."""
    for number in range(pool.walk_numbers[CROSSED]):
        cross_row(pool, pool.rows_crossed[number], read(pool.growths_crossed, number))


@inlined
def count(walk: Any, paid_in: Words, paid_out: Words) -> Number:
    """What remains and what the other token comes to; whether all stays within 255 bits."""
    if is_negative(paid_in) or is_negative(paid_out):
        return False
    remaining, before = read(walk, REMAINING), read(walk, CALCULATED)
    if not is_negative(read(walk, SPECIFIED)):
        write(walk, REMAINING, minus(remaining, paid_in))
        after = minus(before, paid_out)
        write(walk, CALCULATED, after)
        return not is_negative(before) or is_negative(after)
    write(walk, REMAINING, plus(remaining, paid_out))
    after = plus(before, paid_in)
    write(walk, CALCULATED, after)
    return is_negative(before) or not is_negative(after)


@called
def share_fee(pool: PoolArrays, fee: Words, liquidity: Words) -> Number:
    """The protocol takes its part, the rest is for whoever provides the liquidity, if any."""
    parts = pool.numbers[FEE_PROTOCOL] >> (4 * pool.walk_numbers[TOKEN_IN]) & 15
    if parts:
        part, _ = divided(fee, NOTHING, of_number(parts))
        write(pool.walk, PROTOCOL_FEE, plus(read(pool.walk, PROTOCOL_FEE), part))
        fee = minus(fee, part)
    if is_zero(liquidity):
        return True
    growth_x128, holds = quotient_of(
        (ZERO, ZERO, fee[0], fee[1]), (fee[2], fee[3], ZERO, ZERO), liquidity, False
    )
    total = plus(read(pool.walk, PAID_GROWTH_X128), growth_x128)
    write(pool.walk, PAID_GROWTH_X128, total)
    return holds


@inlined
def start_of_search(pool: PoolArrays, downwards: bool) -> Number:
    """The tick to look on from: where nobody provides liquidity, nothing happens at the edges of
    words, and there may be thousands of them."""
    tick = pool.walk_numbers[NOW_TICK]
    if not is_zero(read(pool.walk, LIQUIDITY)):
        return tick
    spacing, first_word = pool.numbers[TICK_SPACING], pool.numbers[FIRST_WORD]
    last_word = tick_at(read(pool.walk, LIMIT_X96)) // spacing // WORD_BITS
    return past_empty_words(pool.bitmap, first_word, tick, spacing, last_word, downwards)


@inlined
def step_on(pool: PoolArrays) -> Number:
    """One step; what comes of it: DONE, or why the swap reverts."""
    walk, numbers = pool.walk, pool.numbers
    downwards = pool.walk_numbers[TOKEN_IN] == 0
    numbers[STEPS_WALKED] += 1
    start, first_word = start_of_search(pool, downwards), numbers[FIRST_WORD]
    tick, is_initialized = next_tick(
        pool.bitmap, first_word, start, numbers[TICK_SPACING], downwards
    )
    tick = min(max(tick, MIN_TICK), MAX_TICK)
    next_x96, limit_x96 = ratio_at(tick), read(walk, LIMIT_X96)
    target_x96 = limit_x96 if is_less(next_x96, limit_x96) == downwards else next_x96
    price_x96, liquidity = read(walk, PRICE_X96), read(walk, LIQUIDITY)
    after_x96, paid_in, paid_out, fee, holds = swap_step(
        price_x96, target_x96, liquidity, read(walk, REMAINING), numbers[FEE_PIPS]
    )
    if not holds:
        return NAMELESS
    write(walk, PRICE_X96, after_x96)
    if not count(walk, plus(paid_in, fee), paid_out) or not share_fee(pool, fee, liquidity):
        return NAMELESS
    if is_equal(after_x96, next_x96):
        pool.walk_numbers[NOW_TICK] = tick - 1 if downwards else tick
        return cross(pool, tick) if is_initialized else DONE
    if not is_equal(after_x96, price_x96):
        pool.walk_numbers[NOW_TICK] = tick_at(after_x96)
    return DONE
