"""What is declared apart from numba is the same to Python and to a kernel."""

import random

import numpy as np
import pytest

from sim.rows import kernels
from sim.rows.kernels import (
    Number,
    high_product,
    highest_bit,
    inlined,
    lowest_bit,
    prefetch,
    rule,
)

SEED, WORDS = 20260, 200


@rule
def twice(amount: int) -> int:
    return amount * 2


@inlined
def lowest(word: Number) -> Number:
    return lowest_bit(word)


@inlined
def highest(word: Number) -> Number:
    return highest_bit(word)


@inlined
def upper_half(first: Number, second: Number) -> Number:
    return high_product(first, second)


@inlined
def after_a_look(words: Number) -> Number:
    prefetch(words, 1)
    return twice(words[1])


def words() -> list[np.uint64]:
    print(f"seed {SEED}")
    dice = random.Random(SEED)
    drawn = [1, 2**63, 2**64 - 1]
    drawn += [dice.getrandbits(dice.randint(1, 64)) | 1 << dice.randrange(64) for _ in range(WORDS)]
    return [np.uint64(word) for word in drawn]


def test_bits_are_found_alike_by_python_and_by_the_processor() -> None:
    for word in words():
        assert lowest(word) == lowest_bit(word) == f"{word:b}"[::-1].index("1")
        assert highest(word) == highest_bit(word) == len(f"{word:b}") - 1


def test_products_of_two_words_have_one_upper_half() -> None:
    drawn = words()
    for first, second in zip(drawn, reversed(drawn), strict=True):
        assert upper_half(first, second) == high_product(first, second)


def test_a_kernel_looks_ahead_and_asks_a_rule() -> None:
    assert after_a_look(np.array([3, 4])) == 8


def test_a_rule_is_plain_python_to_whoever_is_not_compiled() -> None:
    assert twice(2**80) == 2**81


def test_a_rule_that_is_declared_late_is_known_to_kernels() -> None:
    assert lowest(np.uint64(8)) == 3, "something is compiled"

    @rule
    def thrice(amount: int) -> int:
        return amount * 3

    @inlined
    def asking(amount: int) -> int:
        return thrice(amount)

    assert asking(5) == 15
    assert kernels.RULES == []


def test_what_goes_wrong_in_a_kernel_is_raised_at_its_first_and_at_its_second_call() -> None:
    for _ in range(2):
        with pytest.raises(TypeError, match="not enough arguments"):
            upper_half(np.uint64(1))  # type: ignore[call-arg]
