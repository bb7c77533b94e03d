"""Many steps in one call come to what single steps in plain Python come to."""

from collections.abc import Callable
from fractions import Fraction
from math import floor

import numpy as np
import pytest

from sim.money.mark import Mark, Quotes, next_mark
from sim.money.mark_path import follow_mark
from sim.prices.processes import ConstantPrice, ReferencePrice, ReplayPrice, SyntheticPrice
from sim.units import PPM

SEED = 31
DAY_US = 24 * 3600 * 1_000_000


def synthetic(**terms: int) -> SyntheticPrice:
    return SyntheticPrice(SEED, terms.pop("start", 660_000), **terms)


def replay(loop: bool) -> ReplayPrice:
    times = np.array([5, 5, 90, 1_000, 1_700], np.int64) * 1_000
    return ReplayPrice(times, np.array([7, 8, 9, 11, 10], np.int64), loop, step_us=100_000)


MAKERS: dict[str, Callable[[], ReferencePrice]] = {
    "default": lambda: synthetic(),
    "fast": lambda: synthetic(step_us=100_000, volatility_ppm_per_year=1_500_000),
    "still": lambda: synthetic(volatility_ppm_per_year=0),
    "pulled": lambda: synthetic(step_us=10_000_000, reversion_us=1_000_000),
    "slow": lambda: synthetic(step_us=10_000_000, reversion_us=365 * DAY_US),
    "wild": lambda: synthetic(step_us=10_000_000, volatility_ppm_per_year=3_000_000),
    "stormy": lambda: synthetic(step_us=1_000_000, volatility_ppm_per_year=5_500_000),
    "one tick": lambda: synthetic(start=1, volatility_ppm_per_year=9_000_000),
    "highest": lambda: synthetic(start=2**31 - 1, volatility_ppm_per_year=2_000_000),
    "constant": lambda: ConstantPrice(42),
    "replay": lambda: replay(loop=False),
    "looping": lambda: replay(loop=True),
}


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_a_price_that_advances_is_where_it_would_have_stepped_to(name: str) -> None:
    print(f"seed {SEED}")
    stepped: ReferencePrice = MAKERS[name]()
    advanced: ReferencePrice = MAKERS[name]()
    for steps in (1, 7, 1, 300, 0, 40):
        path = [stepped.step() for _ in range(steps)]
        assert advanced.advance(steps).tolist() == path
        assert advanced.state() == stepped.state()
        assert advanced.price_ticks == stepped.price_ticks


def plain_mark(
    index: int, touch: tuple[int, int, int], basis_q20: int, weight_us: int
) -> tuple[int, int]:
    """A mark and its average by medians and fractions: shares no rule with sim.money.mark."""
    bid, ask, _ = touch
    known = sorted(ticks for ticks in touch if ticks)
    book = known or [index]
    middle = book[1] if len(book) == 3 else floor(Fraction(sum(book), len(book)))
    premium = Fraction(bid + ask, 2) - index if bid and ask else Fraction(0)
    away = premium * 2**20 - basis_q20
    basis_q20 = floor(basis_q20 + away * weight_us / (150_000_000 + weight_us))
    most = floor(index * floor(Fraction(2**20, 20)))
    basis_q20 = max(-most, min(most, basis_q20))
    smoothed = index + floor(Fraction(basis_q20, 2**20) + Fraction(1, 2))
    return max(1, sorted((smoothed, middle, index))[1]), basis_q20


@pytest.mark.parametrize("step_us", [1_000, 100_000, 10_000_000])
def test_a_mark_that_follows_a_path_is_where_single_marks_lead(step_us: int) -> None:
    print(f"seed {SEED}")
    dice, highest = np.random.default_rng(SEED), 2**31 - 1
    for _ in range(300):
        around = int(dice.choice([3, 660_000, highest // 2]))
        ticks = np.maximum(around + dice.integers(-around // 50, around // 50 + 1, 20), 1)
        bid, ask, last = (
            int(around + dice.integers(-2, 3)) * int(dice.integers(0, 4) > 0) for _ in "bal"
        )
        touch = (bid, ask, last)
        scale, basis = int(dice.choice([1, PPM, 3 * PPM])), int(dice.integers(-(2**40), 2**40))
        state = np.array([0, 0, basis], np.int64)
        taken = follow_mark(state, ticks, scale, highest, touch, step_us)
        marked = (0, 0, basis)
        for price in ticks[:taken].tolist():
            index = min(max(1, price * scale // PPM), highest)
            wanted, average = plain_mark(index, touch, marked[2], step_us)
            assert next_mark(index, Quotes(*touch), marked[2], step_us) == Mark(wanted, average)
            marked = (index, wanted, average)
        assert tuple(state.tolist()) == marked
        assert taken == len(ticks) or step_us * (abs(basis) + (around << 22)) > 2**60
