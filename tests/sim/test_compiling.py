"""What is declared apart from numba is the same to Python and to a kernel."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import config

from sim.rows import kernels
from sim.rows.kernels import (
    Number,
    cached_kernel,
    called,
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


@cached_kernel()
def lowest(word: Number) -> Number:
    return lowest_bit(word)


@cached_kernel()
def highest(word: Number) -> Number:
    return highest_bit(word)


@cached_kernel()
def upper_half(first: Number, second: Number) -> Number:
    return high_product(first, second)


@cached_kernel()
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

    @cached_kernel()
    def asking(amount: int) -> int:
        return thrice(amount)

    assert asking(5) == 15
    assert kernels.RULES == []


@inlined
def in_line(number: Number) -> Number:
    return number + 4_001


@called
def by_call(number: Number) -> Number:
    return number + 4_003


def of_parts(small: Number, large: Number) -> Number:
    total = in_line(small) + in_line(large) + in_line(5)
    return total + by_call(small) + by_call(large) + by_call(5)


@pytest.fixture
def of_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A kernel that no run before has kept."""
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    return cached_kernel()(of_parts)


def test_a_part_is_compiled_once_for_numbers_of_any_width(of_both: Any) -> None:
    assert of_both(np.uint8(255), np.int64(2**40)) == 2 * (255 + 2**40 + 5) + 24_012
    parts: list[Any] = [in_line, by_call]
    assert [len(part.dispatcher.signatures) for part in parts] == [1, 1]


def test_what_is_called_lies_outside_of_what_calls_it(of_both: Any) -> None:
    of_both(1, 2)
    (text,) = of_both.dispatcher.inspect_asm().values()
    calls = [line for line in text.splitlines() if "call" in line]
    assert any("by_call" in line for line in calls)
    assert not any("in_line" in line for line in calls)


def test_a_part_is_refused_to_whoever_is_no_kernel() -> None:
    with pytest.raises(AssertionError, match="in_line is a part of kernels"):
        in_line(1)


def test_what_goes_wrong_in_a_kernel_is_raised_at_its_first_and_at_its_second_call() -> None:
    for _ in range(2):
        with pytest.raises(TypeError, match="not enough arguments"):
            upper_half(np.uint64(1))  # type: ignore[call-arg]
