"""The fast pools' arithmetic answers as the contracts' own did, and as plain integers do."""

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from sim.fast_pool.converting import integers, table
from sim.pool.bitmap import WORD_BITS, flipped_word
from sim.pool.full_math import mul_div, mul_div_rounding_up
from sim.pool.reverts import Reverted
from sim.pool.sqrt_price_math import next_sqrt_price_from_input, next_sqrt_price_from_output
from sim.pool.store import Undoable
from sim.pool.swap_math import swap_step
from sim.pool.tick_math import (
    MAX_SQRT_RATIO,
    MAX_TICK,
    MIN_SQRT_RATIO,
    MIN_TICK,
    sqrt_ratio_at_tick,
    tick_at_sqrt_ratio,
)
from tests.sim import fast_pool_kernels as kernels
from tests.sim.fast_pool_lives import seeded
from tests.sim.pool_vectors import vectors

Cases = list[dict[str, Any]]
RANDOM_CASES = 20_000
SUMS_BEYOND_256_BITS = [(2**96 + 5, 1, 2**160 - 1, False), (2**64, 2**100, 2**256 - 1, True)]
"""Price, liquidity, amount, direction: price + step, and L/p + amount."""


def words(cases: Cases, name: str) -> npt.NDArray[np.uint64]:
    return table([int(case[name]) for case in cases])


def truths(cases: Cases, name: str) -> npt.NDArray[np.bool_]:
    return np.array([case[name] for case in cases], np.bool_)


def room(cases: Any, rows: int = 1) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    return np.zeros((rows * len(cases), 4), np.uint64), np.ones(len(cases), np.bool_)


def told(cases: Cases) -> list[int | None]:
    return [None if "revert" in case else abs(int(case["out"])) for case in cases]


def answered(found: npt.NDArray[np.uint64], holds: npt.NDArray[np.bool_]) -> list[int | None]:
    pairs = zip(integers(found), holds.tolist(), strict=True)
    return [number if it_holds else None for number, it_holds in pairs]


def plainly(function: Callable[..., int], *arguments: Any) -> int | None:
    try:
        return function(*arguments)
    except Reverted:
        return None


@pytest.mark.parametrize("name", ["mulDiv", "mulDivRoundingUp"])
def test_products_are_divided_as_published(name: str) -> None:
    cases = vectors("misc_math")[name]
    found, holds = room(cases)
    a, b, divisor = (words(cases, part) for part in ("a", "b", "denominator"))
    kernels.mul_divs(a, b, divisor, np.full(len(cases), name != "mulDiv"), found, holds)
    assert answered(found, holds) == told(cases)


def wide_number(dice: Random) -> int:
    """Of any length, often all ones, all zeros or both in a row."""
    number = dice.getrandbits(dice.randint(1, 256))
    if dice.random() < 0.4:
        number = (1 << dice.randint(1, 256)) - (1 << dice.randint(0, 64))
    if dice.random() < 0.3:
        number ^= 1 << dice.randint(0, 255)
    return number % 2**256


def near_multiple(dice: Random, a: int, divisor: int) -> int:
    """A factor with which the product lies beside a multiple of the divisor."""
    quotient = wide_number(dice)
    return max(divisor * quotient // max(a, 1) + dice.choice([-1, 0, 1]), 0) % 2**256


def random_product(dice: Random) -> tuple[int, int, int]:
    """Two factors and a divisor."""
    a, divisor = wide_number(dice), wide_number(dice)
    if dice.random() < 0.2:  # at the edge where the reciprocal of its two words is rounded
        divisor = -(-(2**192) // dice.randrange(2**64, 2**65)) << dice.choice([0, 7, 64, 128])
    b = near_multiple(dice, a, divisor) if dice.random() < 0.5 else wide_number(dice)
    return a, b, divisor


def test_random_products_are_divided_as_plain_integers_are() -> None:
    dice = seeded()
    asked = [random_product(dice) for _ in range(RANDOM_CASES)]
    rounds_up = [dice.random() < 0.5 for _ in asked]
    found, holds = room(asked)
    a, b, divisor = (table(list(one)) for one in zip(*asked, strict=True))
    kernels.mul_divs(a, b, divisor, np.array(rounds_up), found, holds)
    assert answered(found, holds) == [
        plainly(mul_div_rounding_up if up else mul_div, *one)
        for one, up in zip(asked, rounds_up, strict=True)
    ]
    assert 0.2 < holds.mean() < 0.95


def test_ticks_have_the_published_roots() -> None:
    cases = [one for one in vectors("tick_math")["getSqrtRatioAtTick"] if "revert" not in one]
    found, _ = room(cases)
    kernels.ratios(np.array([one["tick"] for one in cases]), found)
    assert integers(found) == told(cases)
    assert len(cases) > 380


def test_roots_have_the_published_ticks() -> None:
    published = vectors("tick_math")["getTickAtSqrtRatio"]
    cases = [one for one in published if "revert" not in one]
    found = np.zeros(len(cases), np.int64)
    kernels.ticks_at(words(cases, "sqrtPriceX96"), found)
    assert found.tolist() == [one["out"] for one in cases]
    assert len(cases) > 380


def test_every_root_and_its_neighbour_below_lie_at_their_ticks() -> None:
    assert kernels.ticks_around(MIN_TICK + 1, MAX_TICK) == MAX_TICK


def test_random_ticks_and_roots_are_those_of_plain_integers() -> None:
    dice = seeded()
    ticks = [dice.randint(MIN_TICK, MAX_TICK) for _ in range(RANDOM_CASES)]
    found, _ = room(ticks)
    kernels.ratios(np.array(ticks), found)
    assert integers(found) == [sqrt_ratio_at_tick(tick) for tick in ticks]
    roots = [dice.randrange(MIN_SQRT_RATIO, MAX_SQRT_RATIO) >> dice.randint(0, 120) for _ in ticks]
    roots = [max(root, MIN_SQRT_RATIO) for root in roots[:2000]]
    places = np.zeros(len(roots), np.int64)
    kernels.ticks_at(table(roots), places)
    assert places.tolist() == [tick_at_sqrt_ratio(root) for root in roots]


@pytest.mark.parametrize("signed", ["", "Signed"])
@pytest.mark.parametrize("token", [0, 1])
def test_amounts_between_prices_are_the_published(token: int, signed: str) -> None:
    published = vectors("sqrt_price_math")[f"getAmount{token}Delta{signed}"]
    cases = [one for one in published if "revert" not in one]
    names = list(cases[0])
    prices = [sorted((int(one[names[0]]), int(one[names[1]]))) for one in cases]
    liquidity = [int(one["liquidity"]) for one in cases]
    rounds_up = [one.get("roundUp", int(one["liquidity"]) >= 0) for one in cases]
    found, _ = room(cases)
    low, high = (table(list(one)) for one in zip(*prices, strict=True))
    kernels.amounts(low, high, table(list(map(abs, liquidity))), np.array(rounds_up), token, found)
    assert integers(found) == told(cases)
    assert len(cases) >= 60


def price_function(is_input: bool) -> Callable[..., int]:
    return next_sqrt_price_from_input if is_input else next_sqrt_price_from_output


@pytest.mark.parametrize("is_input", [True, False])
def test_prices_that_amounts_lead_to_are_the_published(is_input: bool) -> None:
    side = "Input" if is_input else "Output"
    published = vectors("sqrt_price_math")[f"getNextSqrtPriceFrom{side}"]
    price, liquidity, amount, zero_for_one = list(published[0])[:4]
    cases = [one for one in published if int(one[price]) and int(one[liquidity])]
    found, holds = room(cases)
    asked = tuple(words(cases, name) for name in (price, liquidity, amount))
    kernels.next_prices(asked, truths(cases, zero_for_one), is_input, found, holds)
    assert answered(found, holds) == told(cases)
    assert not holds.all()


@pytest.mark.parametrize("is_input", [True, False])
def test_random_amounts_lead_where_plain_integers_do(is_input: bool) -> None:
    dice = seeded()
    asked = [
        (
            dice.randrange(MIN_SQRT_RATIO, MAX_SQRT_RATIO) >> dice.randint(0, 120) or 1,
            dice.getrandbits(dice.randint(1, 128)) or 1,
            dice.getrandbits(dice.randint(1, 256)),
            dice.random() < 0.5,
        )
        for _ in range(RANDOM_CASES)
    ]
    asked += SUMS_BEYOND_256_BITS
    found, holds = room(asked)
    price, liquidity, amount, downwards = zip(*asked, strict=True)
    asked_words = tuple(table(list(one)) for one in (price, liquidity, amount))
    kernels.next_prices(asked_words, np.array(downwards), is_input, found, holds)
    expected = [plainly(price_function(is_input), *one) for one in asked]
    assert answered(found, holds) == expected
    assert 0.1 < holds.mean() < 0.9


def test_steps_are_the_published() -> None:
    cases = vectors("swap_math")["computeSwapStep"]
    found, holds = room(cases, 4)
    names = ("sqrtCurrent", "sqrtTarget", "liquidity", "amountRemaining")
    fees = np.array([int(one["feePips"]) for one in cases])
    kernels.steps(tuple(words(cases, name) for name in names), fees, found, holds)
    parts = ("sqrtNext", "amountIn", "amountOut", "feeAmount")
    assert integers(found) == [int(case[name]) for case in cases for name in parts]
    assert holds.all()


def random_step(dice: Random) -> tuple[int, int, int, int, int]:
    price = dice.randrange(MIN_SQRT_RATIO, MAX_SQRT_RATIO) >> dice.randint(0, 120) or 1
    target = max(price + price * dice.randint(-999, 999) // 10 ** dice.randint(3, 20), 1)
    liquidity = dice.getrandbits(dice.randint(1, 128))
    amount = dice.getrandbits(dice.randint(1, 250)) * dice.choice([-1, 1])
    return price, target, liquidity, amount, dice.choice([0, 1, 100, 3000, 999_999])


def plain_step(
    price: int, target: int, liquidity: int, remaining: int, fee_pips: int
) -> list[int] | None:
    try:
        step = swap_step(price, target, liquidity, remaining, fee_pips)
    except Reverted:
        return None
    return [step.sqrt_next_x96, step.amount_in, step.amount_out, step.fee_amount]


def test_random_steps_are_those_of_plain_integers() -> None:
    dice = seeded()
    asked = [random_step(dice) for _ in range(RANDOM_CASES)]
    expected = [plain_step(*one) for one in asked]
    found, holds = room(asked, 4)
    *numbers, fees = zip(*asked, strict=True)
    kernels.steps(tuple(table(list(one)) for one in numbers), np.array(fees), found, holds)
    plain = integers(found)
    for row, step in enumerate(expected):
        ours = plain[4 * row : 4 * row + 4] if holds[row] else None
        assert ours == step, asked[row]
    reached = sum(next_x96 == one[1] for next_x96, one in zip(plain[::4], asked, strict=True))
    assert RANDOM_CASES * 0.1 < reached < RANDOM_CASES * 0.9


def test_the_next_initialized_tick_is_the_published() -> None:
    for case in vectors("misc_math")["nextInitializedTickWithinOneWord"]:
        bits, spacing = Undoable[int, int](0), case["tickSpacing"]
        for tick in case["initializedTicks"]:
            bits.put(*flipped_word(bits, tick, spacing))
        first = MIN_TICK // spacing // WORD_BITS
        rows = [bits[number] for number in range(first, MAX_TICK // spacing // WORD_BITS + 2)]
        queries = case["queries"]
        found, is_initialized = np.zeros(len(queries), np.int64), room(queries)[1]
        ticks, downwards = np.array([one["tick"] for one in queries]), truths(queries, "lte")
        kernels.next_ticks(table(rows), first, ticks, spacing, downwards, found, is_initialized)
        answers = list(zip(found.tolist(), is_initialized.tolist(), strict=True))
        assert answers == [(one["next"], one["initialized"]) for one in queries]
