"""Integers of 256 bits in kernels: tuples of four uint64, the lowest first.

Signed ones are two's complements. Sums and differences go around at 2**256; of products all 512
bits are kept, as the lower and the upper four words.
"""

from typing import Any, TypeAlias

import numpy as np

from sim.rows.kernels import Number, high_product, inlined

Words: TypeAlias = Any
"""(uint64, uint64, uint64, uint64); of a pair of them the lower stands first."""

ZERO, ONE = np.uint64(0), np.uint64(1)
NOTHING = (ZERO, ZERO, ZERO, ZERO)
SIGN_BIT, ALL_BITS = np.uint64(1 << 63), np.uint64(2**64 - 1)
HALF = np.uint64(32)
"""2**96 is a word and a half."""


@inlined
def of_number(number: int) -> Words:
    """Of an int64 that is not negative."""
    return (np.uint64(number), ZERO, ZERO, ZERO)


@inlined
def read(table: Any, row: int) -> Words:
    """A row of an array uint64[:, 4]."""
    return (table[row, 0], table[row, 1], table[row, 2], table[row, 3])


@inlined
def write(table: Any, row: int, words: Words) -> None:
    for place in range(4):
        table[row, place] = words[place]


@inlined
def is_zero(a: Words) -> Number:
    return (a[0] | a[1] | a[2] | a[3]) == ZERO


@inlined
def is_equal(a: Words, b: Words) -> Number:
    return ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3])) == ZERO


@inlined
def is_negative(a: Words) -> Number:
    """As a signed integer; as an unsigned one it has all 256 bits."""
    return a[3] >= SIGN_BIT


@inlined
def sum_of_words(a: Number, b: Number, carry: Number) -> Number:
    """A word, and what is carried."""
    part = a + b
    whole = part + carry
    return whole, np.uint64(part < a) | np.uint64(whole < part)


@inlined
def difference_of_words(a: Number, b: Number, borrow: Number) -> Number:
    """A word, and what is borrowed."""
    part = a - b
    whole = part - borrow
    return whole, np.uint64(a < b) | np.uint64(part < borrow)


@inlined
def carried_sum(a: Words, b: Words) -> Number:
    """The sum, and what is carried."""
    sum0, carry = sum_of_words(a[0], b[0], ZERO)
    sum1, carry = sum_of_words(a[1], b[1], carry)
    sum2, carry = sum_of_words(a[2], b[2], carry)
    sum3, carry = sum_of_words(a[3], b[3], carry)
    return (sum0, sum1, sum2, sum3), carry


@inlined
def borrowed_difference(a: Words, b: Words) -> Number:
    """The difference, and what is borrowed."""
    rest0, borrow = difference_of_words(a[0], b[0], ZERO)
    rest1, borrow = difference_of_words(a[1], b[1], borrow)
    rest2, borrow = difference_of_words(a[2], b[2], borrow)
    rest3, borrow = difference_of_words(a[3], b[3], borrow)
    return (rest0, rest1, rest2, rest3), borrow


@inlined
def plus(a: Words, b: Words) -> Words:
    return carried_sum(a, b)[0]


@inlined
def minus(a: Words, b: Words) -> Words:
    return borrowed_difference(a, b)[0]


@inlined
def is_less(a: Words, b: Words) -> Number:
    """As unsigned integers."""
    return borrowed_difference(a, b)[1] != ZERO


@inlined
def negated(a: Words) -> Words:
    return minus(NOTHING, a)


@inlined
def has_at_most_160_bits(a: Words) -> Number:
    return a[3] == ZERO and a[2] >> HALF == ZERO


@inlined
def has_at_most_128_bits_with_sign(a: Words) -> Number:
    """As a signed integer."""
    above = ALL_BITS if a[1] >= SIGN_BIT else ZERO
    return a[2] == above and a[3] == above


@inlined
def cut_to_128_bits(a: Words) -> Words:
    return (a[0], a[1], ZERO, ZERO)


@inlined
def cut_to_160_bits(a: Words) -> Words:
    return (a[0], a[1], a[2] << HALF >> HALF, ZERO)


@inlined
def word_product(a: Number, b: Number, more: Number, carry: Number) -> Number:
    """a·b + more + carry: the word, and what is carried, which is one word at most."""
    low, high = a * b, high_product(a, b)
    low, over = sum_of_words(low, more, ZERO)
    high += over
    low, over = sum_of_words(low, carry, ZERO)
    return low, high + over


@inlined
def row_of_product(word: Number, b: Words, above: Words) -> Number:
    """word·b + above: the lowest word, and the four above it."""
    row0, carry = word_product(word, b[0], above[0], ZERO)
    row1, carry = word_product(word, b[1], above[1], carry)
    row2, carry = word_product(word, b[2], above[2], carry)
    row3, carry = word_product(word, b[3], above[3], carry)
    return row0, (row1, row2, row3, carry)


@inlined
def product(a: Words, b: Words) -> Number:
    """All 512 bits."""
    low0, above = row_of_product(a[0], b, NOTHING)
    low1, above = row_of_product(a[1], b, above)
    low2, above = row_of_product(a[2], b, above)
    low3, above = row_of_product(a[3], b, above)
    return (low0, low1, low2, low3), above


@inlined
def times_q96(a: Words) -> Number:
    """a·2**96, all 512 bits."""
    low = (ZERO, a[0] << HALF, a[1] << HALF | a[0] >> HALF, a[2] << HALF | a[1] >> HALF)
    return low, (a[3] << HALF | a[2] >> HALF, a[3] >> HALF, ZERO, ZERO)


@inlined
def over_q96(low: Words, high: Words) -> Number:
    """512 bits / 2**96, of which 256 are kept; and whether something is cut off below."""
    quotient = (
        low[2] << HALF | low[1] >> HALF,
        low[3] << HALF | low[2] >> HALF,
        high[0] << HALF | low[3] >> HALF,
        high[1] << HALF | high[0] >> HALF,
    )
    return quotient, (low[0] | low[1] << HALF) != ZERO
