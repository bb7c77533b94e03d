"""Quotients of 512 bits by 256: Knuth's long division, a word of 64 bits at a time.

Each word is found by Möller and Granlund's 3-by-2 division with a reciprocal: "Improved division
by invariant integers", IEEE Transactions on Computers 60 (2011), algorithms 3 (the reciprocal of a
word), 6 (of two words) and 4 (the division).
"""

import numpy as np

from sim.fast_pool.words import (
    NOTHING,
    ONE,
    ZERO,
    Words,
    borrowed_difference,
    carried_sum,
    difference_of_words,
    is_less,
    is_zero,
    minus,
    of_number,
    plus,
    product,
    sum_of_words,
    word_product,
)
from sim.rows.kernels import Number, called, high_product, highest_bit, inlined

FIRST_GUESS = np.uint64(2**19 - 3 * 2**8)
TWO_TO_60 = np.uint64(1 << 60)
LAST_BIT = np.uint64(63)


@inlined
def reciprocal_of_word(d: Number) -> Number:
    """(2**128 − 1) // d − 2**64 of a word whose top bit is set."""
    odd, d40, d63 = d & ONE, (d >> np.uint64(24)) + ONE, (d >> ONE) + (d & ONE)
    v0 = FIRST_GUESS // (d >> np.uint64(55))
    v1 = (v0 << np.uint64(11)) - (v0 * v0 * d40 >> np.uint64(40)) - ONE
    v2 = (v1 << np.uint64(13)) + (v1 * (TWO_TO_60 - v1 * d40) >> np.uint64(47))
    e = (v2 >> ONE) * odd - v2 * d63
    v3 = (v2 << np.uint64(31)) + (high_product(v2, e) >> ONE)
    _, carry = sum_of_words(v3 * d, d, ZERO)
    return v3 - high_product(v3, d) - d - carry


@inlined
def reciprocal(d1: Number, d0: Number) -> Number:
    """(2**192 − 1) // (d1·2**64 + d0) − 2**64 where the top bit of d1 is set."""
    v = reciprocal_of_word(d1)
    p = d1 * v + d0
    if p < d0:
        v -= ONE
        if p >= d1:
            v -= ONE
            p -= d1
        p -= d1
    t1, t0 = high_product(v, d0), v * d0
    p += t1
    if p < t1:
        v -= ONE
        if p > d1 or (p == d1 and t0 >= d0):
            v -= ONE
    return v


@inlined
def three_by_two(u: Words, divisor: Words, inverse: Number) -> Number:
    """The quotient of the upper three words of u by the upper two of the divisor, and what is left,
    two words, the lower first. The upper two of u are less than the divisor's."""
    d1, d0 = divisor[3], divisor[2]
    q0, carry = sum_of_words(inverse * u[3], u[2], ZERO)
    q1 = high_product(inverse, u[3]) + u[3] + carry
    r1 = u[2] - q1 * d1
    r0, borrow = difference_of_words(u[1], d0 * q1, ZERO)
    r1 = r1 - high_product(d0, q1) - borrow
    r0, borrow = difference_of_words(r0, d0, ZERO)
    r1 = r1 - d1 - borrow
    q1 += ONE
    if r1 >= q0:
        q1 -= ONE
        r0, carry = sum_of_words(r0, d0, ZERO)
        r1 = r1 + d1 + carry
    if r1 > d1 or (r1 == d1 and r0 >= d0):
        q1 += ONE
        r0, borrow = difference_of_words(r0, d0, ZERO)
        r1 = r1 - d1 - borrow
    return q1, r0, r1


@called
def greatest_quotient(u: Words, word: Number, divisor: Words) -> Number:
    """As `quotient_word` where the upper two words of u are the divisor's: a little below 2**64."""
    rest = minus(u, divisor)
    rest, quotient, carry = (word, rest[0], rest[1], rest[2]), ZERO, ZERO
    while carry == ZERO:
        rest, carry = carried_sum(rest, divisor)
        quotient -= ONE
    return quotient, rest


@inlined
def quotient_word(u: Words, word: Number, divisor: Words, inverse: Number) -> Number:
    """(u·2**64 + word) / divisor for u < divisor: a word, and what is left."""
    if u[3] == ZERO and u[2] < divisor[3]:
        return ZERO, (word, u[0], u[1], u[2])
    if u[3] == divisor[3] and u[2] == divisor[2]:
        return greatest_quotient(u, word, divisor)
    quotient, r0, r1 = three_by_two(u, divisor, inverse)
    part0, carry = word_product(quotient, divisor[0], ZERO, ZERO)
    part1, carry = word_product(quotient, divisor[1], carry, ZERO)
    rest, borrow = borrowed_difference((word, u[0], r0, r1), (part0, part1, carry, ZERO))
    if borrow != ZERO:
        return quotient - ONE, plus(rest, divisor)
    return quotient, rest


@inlined
def shifted(a: Words, below: Number, bits: Number) -> Words:
    """a·2**bits and the upper bits of the word below it, for fewer than 64 bits."""
    back = LAST_BIT - bits
    return (
        a[0] << bits | below >> ONE >> back,
        a[1] << bits | a[0] >> ONE >> back,
        a[2] << bits | a[1] >> ONE >> back,
        a[3] << bits | a[2] >> ONE >> back,
    )


@called
def divided(low: Words, high: Words, divisor: Words) -> Number:
    """512 bits / divisor, and whether something is left. The upper half is less than the divisor,
    which is not 0."""
    while divisor[3] == ZERO:
        divisor = (ZERO, divisor[0], divisor[1], divisor[2])
        high = (low[3], high[0], high[1], high[2])
        low = (ZERO, low[0], low[1], low[2])
    bits = LAST_BIT - np.uint64(highest_bit(divisor[3]))
    divisor = shifted(divisor, ZERO, bits)
    high, low = shifted(high, low[3], bits), shifted(low, ZERO, bits)
    inverse = reciprocal(divisor[3], divisor[2])
    q3, rest = quotient_word(high, low[3], divisor, inverse)
    q2, rest = quotient_word(rest, low[2], divisor, inverse)
    q1, rest = quotient_word(rest, low[1], divisor, inverse)
    q0, rest = quotient_word(rest, low[0], divisor, inverse)
    return (q0, q1, q2, q3), not is_zero(rest)


@inlined
def quotient_of(low: Words, high: Words, divisor: Words, rounds_up: bool) -> Number:
    """512 bits / divisor, and whether there is a divisor, and 256 bits hold the quotient."""
    if not is_less(high, divisor):
        return NOTHING, False
    quotient, is_cut = divided(low, high, divisor)
    if not (rounds_up and is_cut):
        return quotient, True
    quotient = plus(quotient, of_number(1))
    return quotient, not is_zero(quotient)


@called
def mul_div(a: Words, b: Words, divisor: Words, rounds_up: bool) -> Number:
    """a·b / divisor, and whether it has 256 bits at most."""
    low, high = product(a, b)
    return quotient_of(low, high, divisor, rounds_up)
