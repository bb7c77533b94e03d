"""Random words that are a hash of what they belong to: parts of kernels, and the same in Python.

Nothing is kept between draws: whoever knows the key, who draws and in which step gets the
same word. The hash is the finalizer of SplitMix64 (Steele, Lea and Flood, "Fast splittable
pseudorandom number generators", 2014), once for who and once for when.
"""

import numpy as np

from sim.rows.kernels import Number, inlined

WORD = 2**64 - 1
DRAW_BITS = 16
DRAWS_PER_WORD = 4

OWNER_STRIDE, STEP_STRIDE = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03)
WORD_STRIDE = np.uint64(0x8CB92BA72F3D8DD7)
MIX_A, MIX_B = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
SHIFT_30, SHIFT_27, SHIFT_31 = (np.uint64(bits) for bits in (30, 27, 31))
PIECE_BITS, PIECE = np.uint64(DRAW_BITS), np.uint64((1 << DRAW_BITS) - 1)


@inlined
def mixed(word: Number) -> Number:
    """A uint64 hashed."""
    word = (word ^ (word >> SHIFT_30)) * MIX_A
    word = (word ^ (word >> SHIFT_27)) * MIX_B
    return word ^ (word >> SHIFT_31)


@inlined
def first_word(key: Number, owner: int, step: int) -> Number:
    """The uint64 of an owner in a step; `later_word` makes more of it."""
    return mixed(mixed(key + np.uint64(owner) * OWNER_STRIDE) + np.uint64(step) * STEP_STRIDE)


@inlined
def later_word(first: Number, number: int) -> Number:
    """Word `number`, from 1 on, after a `first_word`."""
    return mixed(first + np.uint64(number) * WORD_STRIDE)


@inlined
def piece(word: Number, place: int) -> Number:
    """Sixteen bits of a word as int64, lowest first."""
    return np.int64((word >> (PIECE_BITS * np.uint64(place))) & PIECE)


def mixed_python(word: int) -> int:
    """`mixed` for Python's integers."""
    word &= WORD
    word = (word ^ (word >> 30)) * int(MIX_A) & WORD
    word = (word ^ (word >> 27)) * int(MIX_B) & WORD
    return word ^ (word >> 31)


def key_of(*numbers: int) -> np.uint64:
    """A key that differs where any of these numbers differs."""
    word = 0
    for number in numbers:
        word = mixed_python(mixed_python(word + int(WORD_STRIDE)) ^ number)
    return np.uint64(word)
