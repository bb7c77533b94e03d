"""Open addressing from 64-bit ids to row numbers, for orders and accounts alike.

One entry is one int64: the upper half a 32-bit hash of the id, the lower half the
row, 0 for free. The id itself stands in column 0 of the rows. A removed entry
leaves no mark: later entries of its run move back.
"""

import numpy as np

from sim.book_arrays import Integers
from sim.kernels import Number, inlined

ROW_MASK = 0xFFFFFFFF
HASH_MULTIPLIERS = (-7046029254386353131, -4417276706812531889)
"""2⁶⁴ ÷ golden ratio and the second constant of xxHash64, as signed integers."""
FIRST_MULTIPLIER, SECOND_MULTIPLIER = HASH_MULTIPLIERS


@inlined
def hash32(key: int) -> Number:
    """32 well mixed bits of an id, whatever stride or sign ids have."""
    mixed = np.int64(key) * np.int64(FIRST_MULTIPLIER)
    mixed = (mixed ^ (mixed >> 32)) * np.int64(SECOND_MULTIPLIER)
    return (mixed >> 32) & ROW_MASK


@inlined
def find(index: Integers, words: Integers, key: int) -> Number:
    """Row whose id is `key`, 0 if there is none."""
    last = len(index) - 1
    hashed = hash32(key)
    place = hashed & last
    while index[place] != 0:
        entry = index[place]
        row = entry & ROW_MASK
        if ((entry >> 32) & ROW_MASK) == hashed and words[row, 0] == key:
            return row
        place = (place + 1) & last
    return 0


@inlined
def insert(index: Integers, key: int, row: int) -> None:
    """Add an id that is not there yet. The index must not be full."""
    last = len(index) - 1
    hashed = hash32(key)
    place = hashed & last
    while index[place] != 0:
        place = (place + 1) & last
    index[place] = (hashed << 32) | row


@inlined
def remove(index: Integers, key: int, row: int) -> None:
    """Take out an id that is there, and close the gap behind it."""
    last = len(index) - 1
    hole = hash32(key) & last
    while (index[hole] & ROW_MASK) != row:
        hole = (hole + 1) & last
    place = (hole + 1) & last
    while index[place] != 0:
        home = (index[place] >> 32) & last
        if ((place - home) & last) >= ((place - hole) & last):
            index[hole] = index[place]
            hole = place
        place = (place + 1) & last
    index[hole] = 0
