"""From 64-bit ids to row numbers, for orders and accounts alike: hashing with chains.

The index holds the first row of each place, 0 for none; every row names the next
one of its place in `chain`. The id stands in column 0 of the rows' words.
"""

import numpy as np

from sim.book.arrays import Integers, Records, Slots
from sim.rows.kernels import Number, inlined

HASH_MULTIPLIERS = (-7046029254386353131, -4417276706812531889)
"""2⁶⁴ ÷ golden ratio and the second constant of xxHash64, as signed integers."""
FIRST_MULTIPLIER, SECOND_MULTIPLIER = HASH_MULTIPLIERS


@inlined
def place_of(index: Slots, key: int) -> Number:
    """Where an id belongs: well mixed bits, whatever stride or sign ids have."""
    mixed = np.int64(key) * np.int64(FIRST_MULTIPLIER)
    mixed = (mixed ^ (mixed >> 32)) * np.int64(SECOND_MULTIPLIER)
    return (mixed >> 32) & (len(index) - 1)


@inlined
def find(index: Slots, rows: Records, words: Integers, key: int) -> Number:
    """Row whose id is `key`, 0 if there is none."""
    row = index[place_of(index, key)]
    while row != 0 and words[row, 0] != key:
        row = rows[row].chain
    return row


@inlined
def insert(index: Slots, rows: Records, key: int, row: int) -> None:
    """Enter a row whose id is not there yet."""
    place = place_of(index, key)
    rows[row].chain = index[place]
    index[place] = row


@inlined
def remove(index: Slots, rows: Records, key: int, row: int) -> None:
    """Take out a row that is there."""
    place = place_of(index, key)
    if index[place] == row:
        index[place] = rows[row].chain
        return
    before = index[place]
    while rows[before].chain != row:
        before = rows[before].chain
    rows[before].chain = rows[row].chain
