"""Decimal text in and out, exactly."""

import tracemalloc
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.units import (
    NotDecimal,
    OffGrid,
    format_scaled,
    format_steps,
    parse_scaled,
    parse_steps,
    shortest,
)

BOMBS = [
    "1e999999",
    "1e-999999",
    " 1 ",
    "1_0",
    "٣",
    "NaN",
    "Infinity",
    "-1",
    "+1",
    "",
    ".5",
    "1.",
    "9" * 5000,
]


BYTES_MAX = 100_000
"""10**999999 alone takes four times as much."""


@given(st.integers(0, 10**18 - 1))
def test_what_is_printed_is_read_back(value: int) -> None:
    assert parse_scaled(format_scaled(value, 6), 6) == value


@given(st.decimals(0, 10**11, allow_nan=False, places=8))
def test_a_parsed_decimal_is_the_decimal(number: Decimal) -> None:
    assert parse_scaled(f"{number:f}", 8) == int(number * 10**8)


@pytest.mark.parametrize("text", BOMBS)
def test_anything_but_plain_digits_is_refused_before_a_number_is_made_of_it(text: str) -> None:
    tracemalloc.start()
    with pytest.raises(NotDecimal):
        parse_scaled(text, 6)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most_bytes < BYTES_MAX


@pytest.mark.parametrize(
    ("text", "step", "nearest"),
    [("65000.05", "0.1", "65000.1"), ("65000.04", "0.1", "65000"), ("1.3", "0.5", "1.5")],
)
def test_off_the_grid_names_the_nearest_valid_value(text: str, step: str, nearest: str) -> None:
    with pytest.raises(OffGrid) as caught:
        parse_steps(text, Decimal(step))
    assert caught.value.nearest == nearest


@given(st.decimals(0, 10**12 - 1, places=8), st.integers(0, 2))
def test_however_a_decimal_is_spelled_its_shortest_text_is_the_same(
    number: Decimal, zeros: int
) -> None:
    plain = f"{number:f}"
    room = "0" * min(zeros, 12 - plain.index("."))
    text = shortest(f"{room}{plain}{'0' * zeros}")
    assert text == shortest(plain) == shortest(text)
    assert Decimal(text) == number


def test_steps_print_as_the_shortest_decimal() -> None:
    assert format_steps(650_000, Decimal("0.1")) == "65000"
    assert format_steps(1, Decimal("0.001")) == "0.001"
