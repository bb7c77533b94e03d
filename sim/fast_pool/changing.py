"""Mints, burns and collects in kernels: what `Pool` of sim/pool/pool.py does with each of them."""

from sim.fast_pool.arrays import (
    BALANCES,
    DONE,
    DRAFTED_POSITION,
    IS_GROWN,
    LOK,
    M0,
    M1,
    NAMELESS,
    NOW_S,
    OWED,
    POSITION_ROWS,
    PRICE_X96,
    TF,
    Operations,
    Outcomes,
    PoolArrays,
)
from sim.fast_pool.liquidity import draft_change, keep
from sim.fast_pool.words import (
    Words,
    cut_to_128_bits,
    has_at_most_128_bits_with_sign,
    is_less,
    is_negative,
    is_zero,
    minus,
    negated,
    plus,
    read,
    write,
)
from sim.rows.kernels import Number, called, inlined


@inlined
def begin(pool: PoolArrays, batch: Operations, number: int) -> Number:
    """DONE, or why nothing may be asked."""
    pool.walk_numbers[NOW_S], pool.walk_numbers[IS_GROWN] = batch.times_s[number], 0
    return LOK if is_zero(read(pool.words, PRICE_X96)) else DONE


@called
def minted(pool: PoolArrays, batch: Operations, told: Outcomes, number: int, row: int) -> Number:
    """Adds liquidity to a position, whole or not at all; what comes of it."""
    outcome, delta = begin(pool, batch, number), read(batch.asked, 2 * number)
    if outcome != DONE:
        return outcome
    if is_zero(delta) or is_negative(delta) or not has_at_most_128_bits_with_sign(delta):
        return NAMELESS
    outcome = draft_change(pool, told, number, row, delta)
    if outcome != DONE:
        return outcome
    balance0, outcome = paid_in(pool, batch, told, number, 0)
    if outcome != DONE:
        return outcome
    balance1, outcome = paid_in(pool, batch, told, number, 1)
    if outcome != DONE:
        return outcome
    write(pool.words, BALANCES, balance0)
    write(pool.words, BALANCES + 1, balance1)
    keep(pool, row, delta)
    return DONE


@inlined
def paid_in(pool: PoolArrays, batch: Operations, told: Outcomes, number: int, token: int) -> Number:
    """The balance with what is paid for a mint; what comes of it."""
    place = 2 * number + token
    owed, balance = read(told.amounts, place), read(pool.words, BALANCES + token)
    paid = read(batch.paid, place) if batch.is_paid[number] else owed
    after = plus(balance, paid)
    if is_less(paid, owed):
        return after, M0 if token == 0 else M1
    return after, NAMELESS if is_less(after, paid) else DONE


@called
def burnt(pool: PoolArrays, batch: Operations, told: Outcomes, number: int, row: int) -> Number:
    """Takes liquidity from a position, which is owed its worth; what comes of it."""
    outcome, liquidity = begin(pool, batch, number), read(batch.asked, 2 * number)
    if outcome != DONE:
        return outcome
    if is_negative(liquidity) or not has_at_most_128_bits_with_sign(liquidity):
        return NAMELESS
    delta = negated(liquidity)
    outcome = draft_change(pool, told, number, row, delta)
    if outcome != DONE:
        return outcome
    for token in range(2):
        worth = read(told.amounts, 2 * number + token)
        owed = plus(read(pool.draft, DRAFTED_POSITION + OWED + token), worth)
        write(pool.draft, DRAFTED_POSITION + OWED + token, cut_to_128_bits(owed))
    keep(pool, row, delta)
    return DONE


@inlined
def least(a: Words, b: Words) -> Words:
    return a if is_less(a, b) else b


@called
def collected(pool: PoolArrays, batch: Operations, told: Outcomes, number: int, row: int) -> Number:
    """Pays what a position is owed, at most what is requested; what comes of it."""
    outcome, first = begin(pool, batch, number), row * POSITION_ROWS + OWED
    if outcome != DONE:
        return outcome
    for token in range(2):
        paid = least(read(pool.positions, first + token), read(batch.asked, 2 * number + token))
        if is_less(read(pool.words, BALANCES + token), paid):
            return TF
        write(told.amounts, 2 * number + token, paid)
    for token in range(2):
        paid = read(told.amounts, 2 * number + token)
        write(pool.positions, first + token, minus(read(pool.positions, first + token), paid))
        balance = minus(read(pool.words, BALANCES + token), paid)
        write(pool.words, BALANCES + token, balance)
    return DONE
