"""A swap in kernels, whole or not at all.

What may be asked and how it is settled is `Pool.swap` of sim/pool/pool.py.
"""

import numpy as np

from sim.fast_pool.arrays import (
    AS,
    BALANCES,
    CALCULATED,
    CROSSED,
    DONE,
    GROWTH_X128,
    IIA,
    IS_GROWN,
    LIMIT_X96,
    LIQUIDITY,
    LOK,
    NAMELESS,
    NOW_S,
    NOW_TICK,
    PAID_GROWTH_X128,
    PRICE_X96,
    PROTOCOL_FEE,
    PROTOCOL_FEES,
    REMAINING,
    SPECIFIED,
    SPL,
    TF,
    TICK,
    TOKEN_IN,
    Operations,
    Outcomes,
    PoolArrays,
)
from sim.fast_pool.observing import observe
from sim.fast_pool.walking import step_on, take_back
from sim.fast_pool.words import (
    NOTHING,
    Words,
    cut_to_128_bits,
    is_equal,
    is_less,
    is_negative,
    is_zero,
    minus,
    negated,
    plus,
    read,
    write,
)
from sim.pool.tick_math import MAX_SQRT_RATIO, MIN_SQRT_RATIO
from sim.rows.kernels import Number, inlined


def words_of(number: int) -> Words:
    return tuple(np.uint64(number >> 64 * place & 2**64 - 1) for place in range(4))


LEAST_X96, MOST_X96 = words_of(MIN_SQRT_RATIO), words_of(MAX_SQRT_RATIO)


@inlined
def refusal(pool: PoolArrays, batch: Operations, number: int) -> Number:
    """DONE, or why a swap is refused before it moves."""
    price_x96, limit_x96 = read(pool.words, PRICE_X96), read(batch.asked, 2 * number + 1)
    if is_zero(read(batch.asked, 2 * number)):
        return AS
    if is_zero(price_x96):
        return LOK
    if batch.zero_for_one[number]:
        is_allowed = is_less(LEAST_X96, limit_x96) and is_less(limit_x96, price_x96)
    else:
        is_allowed = is_less(price_x96, limit_x96) and is_less(limit_x96, MOST_X96)
    return DONE if is_allowed else SPL


@inlined
def set_out(pool: PoolArrays, batch: Operations, number: int) -> None:
    token_in = 0 if batch.zero_for_one[number] else 1
    walk, numbers = pool.walk, pool.walk_numbers
    numbers[NOW_TICK], numbers[NOW_S] = pool.numbers[TICK], batch.times_s[number]
    numbers[TOKEN_IN], numbers[CROSSED], numbers[IS_GROWN] = token_in, 0, 0
    write(walk, PRICE_X96, read(pool.words, PRICE_X96))
    write(walk, LIQUIDITY, read(pool.words, LIQUIDITY))
    write(walk, REMAINING, read(batch.asked, 2 * number))
    write(walk, SPECIFIED, read(batch.asked, 2 * number))
    write(walk, LIMIT_X96, read(batch.asked, 2 * number + 1))
    write(walk, PAID_GROWTH_X128, read(pool.words, GROWTH_X128 + token_in))
    write(walk, CALCULATED, NOTHING)
    write(walk, PROTOCOL_FEE, NOTHING)


@inlined
def walk_on(pool: PoolArrays) -> Number:
    """Until nothing remains, or the limit is reached, or a step reverts: what comes of it."""
    walk, outcome = pool.walk, DONE
    limit_x96 = read(walk, LIMIT_X96)
    while outcome == DONE and not (
        is_zero(read(walk, REMAINING)) or is_equal(read(walk, PRICE_X96), limit_x96)
    ):
        outcome = step_on(pool)
    return outcome


@inlined
def tell_amounts(pool: PoolArrays, told: Outcomes, number: int) -> None:
    specified = read(pool.walk, SPECIFIED)
    moved = minus(specified, read(pool.walk, REMAINING))
    token_in = pool.walk_numbers[TOKEN_IN]
    token = 1 - token_in if is_negative(specified) else token_in
    write(told.amounts, 2 * number + token, moved)
    write(told.amounts, 2 * number + 1 - token, read(pool.walk, CALCULATED))


@inlined
def settle(pool: PoolArrays, batch: Operations, told: Outcomes, number: int) -> Number:
    """Pays out first, and then is paid; whether all of it can be. Balances change only then."""
    token_in = pool.walk_numbers[TOKEN_IN]
    token_out = 1 - token_in
    owed = read(told.amounts, 2 * number + token_in)
    given = read(told.amounts, 2 * number + token_out)
    given = negated(given) if is_negative(given) else NOTHING
    paid, back = NOTHING if is_negative(owed) else owed, NOTHING
    if batch.is_paid[number]:
        paid = read(batch.paid, 2 * number + token_in)
        back = read(batch.paid, 2 * number + token_out)
    balance_in = read(pool.words, BALANCES + token_in)
    balance_out = read(pool.words, BALANCES + token_out)
    if is_less(balance_out, given):
        return TF
    if not is_negative(owed) and is_less(paid, owed):
        return IIA
    balance_in, balance_out = plus(balance_in, paid), plus(minus(balance_out, given), back)
    if is_less(balance_in, paid) or is_less(balance_out, back):
        return NAMELESS
    write(pool.words, BALANCES + token_in, balance_in)
    write(pool.words, BALANCES + token_out, balance_out)
    return DONE


@inlined
def arrive(pool: PoolArrays) -> None:
    """Tells the pool where the walk has come to."""
    walk, numbers, token_in = pool.walk, pool.walk_numbers, pool.walk_numbers[TOKEN_IN]
    if numbers[NOW_TICK] != pool.numbers[TICK]:
        observe(pool)
    pool.numbers[TICK] = numbers[NOW_TICK]
    write(pool.words, PRICE_X96, read(walk, PRICE_X96))
    write(pool.words, LIQUIDITY, read(walk, LIQUIDITY))
    write(pool.words, GROWTH_X128 + token_in, read(walk, PAID_GROWTH_X128))
    fees = plus(read(pool.words, PROTOCOL_FEES + token_in), read(walk, PROTOCOL_FEE))
    write(pool.words, PROTOCOL_FEES + token_in, cut_to_128_bits(fees))


@inlined
def swapped(pool: PoolArrays, batch: Operations, told: Outcomes, number: int) -> Number:
    """Swaps, whole or not at all; what comes of it."""
    outcome = refusal(pool, batch, number)
    if outcome != DONE:
        return outcome
    set_out(pool, batch, number)
    outcome = walk_on(pool)
    if outcome == DONE:
        tell_amounts(pool, told, number)
        outcome = settle(pool, batch, told, number)
    if outcome == DONE:
        arrive(pool)
    else:
        take_back(pool)
    return outcome
