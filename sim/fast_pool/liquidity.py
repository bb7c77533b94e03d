"""What mints and burns do in kernels, as sim/pool/liquidity.py goes: ticks, position, amounts.

All that may revert is written into the draft and the outcomes; `keep` alone changes the pool.
"""

from typing import Any

import sim.pool.ticks
from sim.fast_pool.arrays import (
    CUMULATIVE,
    DONE,
    DRAFTED_POSITION,
    GROSS,
    GROWN_CUMULATIVE,
    GROWN_X128,
    GROWTH_X128,
    HELD,
    INSIDE_X128,
    LIQUIDITY,
    LIQUIDITY_PER_TICK_MAX,
    LO,
    NAMELESS,
    NET,
    NOW_S,
    NP,
    OUTSIDE_X128,
    OWED,
    POSITION_ROWS,
    PRICE_X96,
    SECONDS,
    SECONDS_PER_LIQUIDITY_X128,
    TICK,
    TICK_ROWS,
    TICK_SPACING,
    TLM,
    TLU,
    TUM,
    Outcomes,
    PoolArrays,
)
from sim.fast_pool.bitmap import flip
from sim.fast_pool.observing import grow, observe
from sim.fast_pool.prices import amount0, amount1
from sim.fast_pool.ticks import ratio_at
from sim.fast_pool.walking import add_delta, row_of
from sim.fast_pool.words import (
    NOTHING,
    Words,
    cut_to_128_bits,
    has_at_most_128_bits_with_sign,
    is_less,
    is_negative,
    is_zero,
    minus,
    negated,
    plus,
    product,
    read,
    write,
)
from sim.pool.tick_math import MAX_TICK, MIN_TICK
from sim.rows.kernels import Number, called, inlined


@inlined
def check_ticks(lower: int, upper: int) -> Number:
    """DONE, or why no position may lie between them."""
    if lower >= upper:
        return TLU
    if lower < MIN_TICK:
        return TLM
    return TUM if upper > MAX_TICK else DONE


place_of = inlined(sim.pool.ticks.place_of)


@inlined
def copy_rows(to: Any, first_to: int, table: Any, first: int, rows: int) -> None:
    for row in range(rows):
        write(to, first_to + row, read(table, first + row))


@inlined
def draft_new_tick(pool: PoolArrays, side: int, tick: int) -> None:
    """One that begins takes all that has grown so far for what grew below it, if the price is at
    it or above."""
    first, grown = side * TICK_ROWS, pool.draft_grown[side]
    for row in range(TICK_ROWS):
        write(pool.draft, first + row, NOTHING)
    grown[CUMULATIVE], grown[SECONDS] = 0, 0
    if tick > pool.numbers[TICK]:
        return
    grow(pool)
    copy_rows(pool.draft, first + OUTSIDE_X128, pool.words, GROWTH_X128, 2)
    copy_rows(pool.draft, first + SECONDS_PER_LIQUIDITY_X128, pool.walk, GROWN_X128, 1)
    grown[CUMULATIVE] = pool.walk_numbers[GROWN_CUMULATIVE]
    grown[SECONDS] = pool.walk_numbers[NOW_S]


@inlined
def draft_old_tick(pool: PoolArrays, side: int, row: int) -> None:
    copy_rows(pool.draft, side * TICK_ROWS, pool.ticks, row * TICK_ROWS, TICK_ROWS)
    pool.draft_grown[side, CUMULATIVE] = pool.tick_grown[row, CUMULATIVE]
    pool.draft_grown[side, SECONDS] = pool.tick_grown[row, SECONDS]


@inlined
def draft_tick(pool: PoolArrays, side: int, tick: int, row: int, delta: Words) -> Number:
    """A tick after a position that ends there has grown or shrunk; why that reverts.

    side   0 of the lower tick, 1 of the upper one
    """
    before, first = read(pool.ticks, row * TICK_ROWS + GROSS), side * TICK_ROWS
    if is_zero(before) and not is_zero(delta):
        draft_new_tick(pool, side, tick)
    else:
        draft_old_tick(pool, side, row)
    gross, outcome = add_delta(before, delta)
    if outcome != DONE:
        return outcome
    if is_less(read(pool.words, LIQUIDITY_PER_TICK_MAX), gross):
        return LO
    net = plus(read(pool.draft, first + NET), negated(delta) if side == 1 else delta)
    if not has_at_most_128_bits_with_sign(net):
        return NAMELESS
    write(pool.draft, first + GROSS, gross)
    write(pool.draft, first + NET, net)
    return DONE


@inlined
def is_flipped(pool: PoolArrays, side: int, row: int) -> Number:
    """Whether a tick begins or ceases to be used."""
    after = read(pool.draft, side * TICK_ROWS + GROSS)
    return is_zero(read(pool.ticks, row * TICK_ROWS + GROSS)) != is_zero(after)


@inlined
def growth_inside_x128(pool: PoolArrays, token: int, place: int) -> Words:
    """What fees had grown between the drafted ticks."""
    lower = read(pool.draft, OUTSIDE_X128 + token)
    upper = read(pool.draft, TICK_ROWS + OUTSIDE_X128 + token)
    if place < 0:
        return minus(lower, upper)
    if place > 0:
        return minus(upper, lower)
    return minus(minus(read(pool.words, GROWTH_X128 + token), lower), upper)


@inlined
def draft_position(pool: PoolArrays, row: int, place: int, delta: Words) -> Number:
    """A position with the fees since the last time owed; why that reverts."""
    first = row * POSITION_ROWS
    held = read(pool.positions, first + HELD)
    if is_zero(delta) and is_zero(held):
        return NP
    after, outcome = add_delta(held, delta)
    if outcome != DONE:
        return outcome
    write(pool.draft, DRAFTED_POSITION + HELD, after)
    for token in range(2):
        inside = growth_inside_x128(pool, token, place)
        low, high = product(minus(inside, read(pool.positions, first + INSIDE_X128 + token)), held)
        fees = (low[2], low[3], high[0], high[1])
        owed = plus(read(pool.positions, first + OWED + token), fees)
        write(pool.draft, DRAFTED_POSITION + INSIDE_X128 + token, inside)
        write(pool.draft, DRAFTED_POSITION + OWED + token, cut_to_128_bits(owed))
    return DONE


@inlined
def tell_worth(
    pool: PoolArrays, told: Outcomes, number: int, ticks: Any, place: int, delta: Words
) -> None:
    """Amounts of a change of liquidity: below a range it is all token0, above it all token1, within
    it both."""
    is_burn = is_negative(delta)
    liquidity = negated(delta) if is_burn else delta
    lower_x96, upper_x96 = ratio_at(ticks[0]), ratio_at(ticks[1])
    middle_x96 = read(pool.words, PRICE_X96)
    if place != 0:
        middle_x96 = lower_x96 if place < 0 else upper_x96
    if place <= 0:
        worth0 = amount0(middle_x96, upper_x96, liquidity, not is_burn)
        write(told.amounts, 2 * number, worth0)
    if place >= 0:
        worth1 = amount1(lower_x96, middle_x96, liquidity, not is_burn)
        write(told.amounts, 2 * number + 1, worth1)


@called
def draft_change(pool: PoolArrays, told: Outcomes, number: int, row: int, delta: Words) -> Number:
    """Drafts ticks and position after a change by `delta`, and tells its amounts; why it reverts.

    row   of the position
    """
    lower, upper = pool.position_ticks[row, 0], pool.position_ticks[row, 1]
    outcome = check_ticks(lower, upper)
    if outcome != DONE:
        return outcome
    lower_row, upper_row = row_of(pool.tick_numbers, lower), row_of(pool.tick_numbers, upper)
    outcome = draft_tick(pool, 0, lower, lower_row, delta)
    if outcome == DONE:
        outcome = draft_tick(pool, 1, upper, upper_row, delta)
    if outcome != DONE:
        return outcome
    spacing = pool.numbers[TICK_SPACING]
    if is_flipped(pool, 0, lower_row) and lower % spacing != 0:
        return NAMELESS
    if is_flipped(pool, 1, upper_row) and upper % spacing != 0:
        return NAMELESS
    place = place_of(pool.numbers[TICK], lower, upper)
    outcome = draft_position(pool, row, place, delta)
    if outcome != DONE or is_zero(delta):
        return outcome
    tell_worth(pool, told, number, pool.position_ticks[row], place, delta)
    if place == 0:
        _, outcome = add_delta(read(pool.words, LIQUIDITY), delta)
    return outcome


@inlined
def keep_tick(pool: PoolArrays, side: int, tick: int) -> None:
    row = row_of(pool.tick_numbers, tick)
    if is_flipped(pool, side, row):
        flip(pool, tick)
    is_used = not is_zero(read(pool.draft, side * TICK_ROWS + GROSS))
    for place in range(TICK_ROWS):
        kept = read(pool.draft, side * TICK_ROWS + place)
        write(pool.ticks, row * TICK_ROWS + place, kept if is_used else NOTHING)
    for place in (CUMULATIVE, SECONDS):
        pool.tick_grown[row, place] = pool.draft_grown[side, place] if is_used else 0


@called
def keep(pool: PoolArrays, row: int, delta: Words) -> None:
    """Tells the pool what has been drafted."""
    copy_rows(pool.positions, row * POSITION_ROWS, pool.draft, DRAFTED_POSITION, POSITION_ROWS)
    if is_zero(delta):
        return
    lower, upper = pool.position_ticks[row, 0], pool.position_ticks[row, 1]
    keep_tick(pool, 0, lower)
    keep_tick(pool, 1, upper)
    if place_of(pool.numbers[TICK], lower, upper) == 0:
        observe(pool)
        write(pool.words, LIQUIDITY, plus(read(pool.words, LIQUIDITY), delta))
