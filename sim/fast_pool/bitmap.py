"""Which ticks are initialised, in kernels: a row of 256 bits for each word of compressed ticks.

The search is v3-core's TickBitmap.nextInitializedTickWithinOneWord. Rows begin with the word that
the lowest tick lies in; `first_word` is its number.
"""

from typing import Any

import numpy as np

from sim.fast_pool.arrays import FIRST_WORD, TICK_SPACING, PoolArrays
from sim.fast_pool.words import ALL_BITS, ONE, ZERO
from sim.pool.bitmap import WORD_BITS
from sim.rows.kernels import Number, highest_bit, inlined, lowest_bit

LAST_PLACE = 63


@inlined
def next_below(bitmap: Any, first_word: int, compressed: int) -> Number:
    """The nearest initialised tick at or below, or the first of the word; and whether it is
    initialised. Compressed."""
    number, bit = compressed // WORD_BITS, compressed % WORD_BITS
    part = bit >> 6
    bits = bitmap[number - first_word, part] & (ALL_BITS >> np.uint64(LAST_PLACE - (bit & 63)))
    while bits == ZERO and part > 0:
        part -= 1
        bits = bitmap[number - first_word, part]
    place = 64 * part + highest_bit(bits) if bits != ZERO else 0
    return number * WORD_BITS + place, bits != ZERO


@inlined
def next_above(bitmap: Any, first_word: int, compressed: int) -> Number:
    """The nearest initialised tick above, or the last of its word; and whether it is initialised.
    Compressed."""
    number, bit = (compressed + 1) // WORD_BITS, (compressed + 1) % WORD_BITS
    part, below = bit >> 6, np.uint64(bit & 63)
    bits = bitmap[number - first_word, part] >> below << below
    while bits == ZERO and part < 3:
        part += 1
        bits = bitmap[number - first_word, part]
    place = 64 * part + lowest_bit(bits) if bits != ZERO else WORD_BITS - 1
    return number * WORD_BITS + place, bits != ZERO


@inlined
def next_tick(
    bitmap: Any, first_word: int, tick: int, tick_spacing: int, downwards: bool
) -> Number:
    """The nearest initialised tick, or the last of the word; and whether it is initialised."""
    compressed = tick // tick_spacing
    if downwards:
        found, is_initialized = next_below(bitmap, first_word, compressed)
    else:
        found, is_initialized = next_above(bitmap, first_word, compressed)
    return found * tick_spacing, is_initialized


@inlined
def flip(pool: PoolArrays, tick: int) -> None:
    """Turns a tick's bit over; the tick is a multiple of the spacing."""
    compressed = tick // pool.numbers[TICK_SPACING]
    row, bit = compressed // WORD_BITS - pool.numbers[FIRST_WORD], compressed % WORD_BITS
    pool.bitmap[row, bit >> 6] ^= ONE << np.uint64(bit & 63)


@inlined
def is_empty(bitmap: Any, row: int) -> Number:
    return (bitmap[row, 0] | bitmap[row, 1] | bitmap[row, 2] | bitmap[row, 3]) == ZERO


@inlined
def past_empty_words(
    bitmap: Any, first_word: int, tick: int, tick_spacing: int, last_word: int, downwards: bool
) -> Number:
    """From where a search goes on that has come to the end of all empty words before the limit's:
    the tick itself, unless its own word is one."""
    compressed = tick // tick_spacing
    number = (compressed if downwards else compressed + 1) // WORD_BITS
    found = number
    if downwards:
        while found > last_word and is_empty(bitmap, found - first_word):
            found -= 1
        return tick if found == number else ((found + 1) * WORD_BITS - 1) * tick_spacing
    while found < last_word and is_empty(bitmap, found - first_word):
        found += 1
    return tick if found == number else (found * WORD_BITS - 1) * tick_spacing
