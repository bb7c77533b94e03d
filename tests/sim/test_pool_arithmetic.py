"""Each function of the pools' arithmetic answers as the contracts' own did, reverts included."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sim.pool.bitmap import flipped_word, next_initialized_tick
from sim.pool.full_math import add_delta, mul_div, mul_div_rounding_up
from sim.pool.reverts import Reverted
from sim.pool.sqrt_price_math import (
    amount0_delta,
    amount1_delta,
    next_sqrt_price_from_input,
    next_sqrt_price_from_output,
    signed_amount0_delta,
    signed_amount1_delta,
)
from sim.pool.swap_math import swap_step
from sim.pool.tick_math import sqrt_ratio_at_tick, tick_at_sqrt_ratio
from sim.pool.ticks import max_liquidity_per_tick
from tests.sim.pool_vectors import vectors

RESULTS = {"out", "revert"}
FUNCTIONS: dict[tuple[str, str], Callable[..., int]] = {
    ("tick_math", "getSqrtRatioAtTick"): sqrt_ratio_at_tick,
    ("tick_math", "getTickAtSqrtRatio"): tick_at_sqrt_ratio,
    ("sqrt_price_math", "getAmount0Delta"): amount0_delta,
    ("sqrt_price_math", "getAmount1Delta"): amount1_delta,
    ("sqrt_price_math", "getAmount0DeltaSigned"): signed_amount0_delta,
    ("sqrt_price_math", "getAmount1DeltaSigned"): signed_amount1_delta,
    ("sqrt_price_math", "getNextSqrtPriceFromInput"): next_sqrt_price_from_input,
    ("sqrt_price_math", "getNextSqrtPriceFromOutput"): next_sqrt_price_from_output,
    ("misc_math", "mulDiv"): mul_div,
    ("misc_math", "mulDivRoundingUp"): mul_div_rounding_up,
    ("misc_math", "addDelta"): add_delta,
    ("misc_math", "maxLiquidityPerTick"): max_liquidity_per_tick,
}
ELSEWHERE = {
    ("swap_math", "computeSwapStep"),
    ("misc_math", "nextInitializedTickWithinOneWord"),
}


def plain(value: Any) -> int | bool:
    return int(value) if isinstance(value, str) else value


def answer(function: Callable[..., int], case: dict[str, Any]) -> int | str:
    try:
        return function(*[plain(case[name]) for name in case if name not in RESULTS])
    except Reverted as reverted:
        return f"reverts: {reverted.reason}"


def expected(case: dict[str, Any]) -> int | str:
    return f"reverts: {case['revert']}" if "revert" in case else int(case["out"])


def all_names() -> Iterator[tuple[str, str]]:
    for file in ("tick_math", "sqrt_price_math", "swap_math", "misc_math"):
        yield from ((file, name) for name in vectors(file) if name != "about")


def test_every_published_function_is_asked() -> None:
    assert set(all_names()) == set(FUNCTIONS) | ELSEWHERE


@pytest.mark.parametrize(("file", "name"), FUNCTIONS)
def test_a_function_answers_as_the_contracts_do(file: str, name: str) -> None:
    cases = vectors(file)[name]
    found = [answer(FUNCTIONS[file, name], case) for case in cases]
    wrong = [case for case, one in zip(cases, found, strict=True) if one != expected(case)]
    assert cases
    assert wrong == []


def test_a_step_of_a_swap_goes_as_far_and_costs_as_much() -> None:
    cases = vectors("swap_math")["computeSwapStep"]
    asked = ("sqrtCurrent", "sqrtTarget", "liquidity", "amountRemaining", "feePips")
    told = ("sqrtNext", "amountIn", "amountOut", "feeAmount")
    wrong = []
    for case in cases:
        step = swap_step(*[int(case[name]) for name in asked])
        found = (step.sqrt_next_x96, step.amount_in, step.amount_out, step.fee_amount)
        if found != tuple(int(case[name]) for name in told):
            wrong.append((case, found))
    assert len(cases) == 400
    assert wrong == []


def test_the_next_initialized_tick_is_looked_for_within_one_word() -> None:
    cases = vectors("misc_math")["nextInitializedTickWithinOneWord"]
    for case in cases:
        words: defaultdict[int, int] = defaultdict(int)
        spacing = case["tickSpacing"]
        for tick in case["initializedTicks"]:
            number, word = flipped_word(words, tick, spacing)
            words[number] = word
        for query in case["queries"]:
            found = next_initialized_tick(words, query["tick"], spacing, query["lte"])
            assert found == (query["next"], query["initialized"]), query
    assert len(cases) == 4


def test_a_tick_beside_the_spacing_is_refused() -> None:
    with pytest.raises(Reverted):
        flipped_word(defaultdict(int), 61, 60)


@pytest.mark.parametrize("tick", [-887272, -887271, -1, 0, 1, 195618, 887271])
def test_a_price_lies_at_the_tick_whose_ratio_it_has_reached(tick: int) -> None:
    ratio = sqrt_ratio_at_tick(tick)
    assert tick_at_sqrt_ratio(ratio) == tick
    if tick > -887272:
        assert tick_at_sqrt_ratio(ratio - 1) == tick - 1
