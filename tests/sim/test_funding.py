"""The funding rules against their worked examples and a model in fractions."""

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor, trunc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.market import BTC_PERP, MarketSpec
from sim.money.funding import (
    IMPACT_SHIFT,
    Premiums,
    book_premium_ppm,
    crosses,
    funding_changes,
    impact_price_q20,
    impact_worth,
    premium_ppm,
    rate_ppm,
)
from sim.rows.messages import Side
from sim.units import ATOMS_PER_UNIT, PPM, format_atoms

FINE = MarketSpec("FINE-PERP", "FINE", "USDC", Decimal("1"), Decimal("0.1"), 10**9)
UNCAPPED_PPM = 100_000


def q20(ticks: int) -> int:
    return ticks << IMPACT_SHIFT


def changes(lots: list[int], index: int, rate: int, hours: int) -> list[int]:
    notionals = np.array([FINE.notional_atoms(index, one) for one in lots], np.int64)
    found: list[int] = funding_changes(notionals, rate, hours).tolist()
    return found


def test_impact_bid_10_100_over_an_index_of_10_000_is_0_95_percent_and_118_75_an_hour() -> None:
    premium = premium_ppm(q20(10_100), q20(10_200), 10_000)
    assert premium == PPM // 100
    rate = rate_ppm(premium, UNCAPPED_PPM)
    assert Fraction(rate, PPM) == Fraction("0.0095")
    assert Fraction(rate, 8 * PPM) == Fraction("0.0011875")
    long_of_10 = changes([100], 10_000, rate, 1)[0]
    assert format_atoms(long_of_10) == "-118.75"


def test_sixty_samples_of_1_430_ppm_are_paid_by_the_short_of_1() -> None:
    """The example cuts what a whole coin pays to the cent, 4.82625 to 4.82; we pay to the atom."""
    premiums = Premiums()
    for _ in range(60):
        premiums = premiums.with_sample(premium_ppm(q20(28_000), q20(28_005), 27_960))
    assert premiums.average_ppm == 1_430
    paid = changes([8, -10, 2], 27_000, premiums.average_ppm, 1)
    assert [format_atoms(one) for one in paid] == ["-3.861", "4.82625", "-0.96525"]
    assert sum(paid) == 0
    of_one_coin = Fraction(paid[1] // 10_000, 100)
    documented = [-of_one_coin * lots / 10 for lots in (8, -10, 2)]
    assert documented == [Fraction("-3.856"), Fraction("4.820"), Fraction("-0.964")]
    assert sum(documented) == 0


def test_the_premium_is_0_when_the_index_lies_between_the_impact_prices() -> None:
    assert premium_ppm(q20(99), q20(101), 100) == 0
    assert premium_ppm(q20(101), q20(102), 100) == 10_000
    assert premium_ppm(q20(97), q20(99), 100) == -10_000
    assert premium_ppm(0, 0, 100) == 0


@pytest.mark.parametrize(
    ("premium", "cap", "rate"),
    [
        (0, 3_750, 100),
        (300, 3_750, 100),
        (-400, 3_750, 100),
        (601, 3_750, 101),
        (-401, 3_750, 99),
        (10_000, 3_750, 3_750),
        (-10_000, 3_750, -3_750),
        (0, 50, 50),
    ],
)
def test_interest_pulls_the_rate_by_no_more_than_the_clamp(
    premium: int, cap: int, rate: int
) -> None:
    assert rate_ppm(premium, cap) == rate


def test_the_average_is_truncated_toward_zero_on_both_sides() -> None:
    up, down = Premiums(7, 2), Premiums(-7, 2)
    assert (up.average_ppm, down.average_ppm, Premiums().average_ppm) == (3, -3, 0)


def test_an_impact_price_is_what_trading_the_worth_costs_on_average() -> None:
    levels = np.array([[100, 5, 1], [90, 100, 2]], np.int64)
    worth = 1_400
    average = Fraction(worth, 5 + Fraction(worth - 500, 90))
    scaled = average * (1 << IMPACT_SHIFT)
    assert impact_price_q20(Side.BUY, levels, worth) == floor(scaled)
    assert impact_price_q20(Side.SELL, levels, worth) == ceil(scaled)
    assert impact_price_q20(Side.BUY, levels, 500) == q20(100)
    assert impact_price_q20(Side.BUY, levels, 5 * 100 + 100 * 90) != 0
    assert impact_price_q20(Side.BUY, levels, 5 * 100 + 100 * 90 + 1) == 0
    assert impact_price_q20(Side.BUY, levels[:0], 1) == 0


def test_the_impact_worth_is_200_over_the_margin_rate_at_the_highest_leverage() -> None:
    assert impact_worth(BTC_PERP) * BTC_PERP.atoms_per_tick_lot == 4_000 * ATOMS_PER_UNIT
    bids = np.array([[661_000, 1_000, 1]], np.int64)
    asks = np.array([[661_010, 1, 1]], np.int64)
    assert book_premium_ppm(BTC_PERP, bids, asks, 660_000) == 1_515


@given(
    st.lists(st.integers(-(2**62), 2**62), max_size=30),
    st.integers(-PPM // 10, PPM // 10),
    st.integers(1, 24),
)
def test_payers_pay_up_receivers_get_down_and_the_dust_is_small(
    notionals: list[int], rate: int, hours: int
) -> None:
    found = funding_changes(np.array(notionals, np.int64), rate, hours).tolist()
    for notional, change in zip(notionals, found, strict=True):
        exact = -Fraction(notional) * rate * hours / (8 * PPM)
        assert change == (floor(exact) if exact > 0 else -ceil(-exact))


@given(st.lists(st.integers(-(10**15), 10**15), min_size=1, max_size=20), st.integers(-750, 750))
def test_payments_and_dust_sum_to_zero(notionals: list[int], rate: int) -> None:
    balanced = [*notionals, -sum(notionals)]
    dust = -int(funding_changes(np.array(balanced, np.int64), rate, 8).sum())
    assert 0 <= dust < len(balanced)


@given(st.lists(st.integers(-5_000, 5_000), min_size=1), st.integers(0, 5_000))
def test_a_rate_is_what_the_formula_says(samples: list[int], cap: int) -> None:
    premiums = Premiums()
    for sample in samples:
        premiums = premiums.with_sample(sample)
    average = trunc(Fraction(sum(samples), len(samples)))
    pull = sorted((Fraction(-500), Fraction(100 - average), Fraction(500)))[1]
    assert rate_ppm(premiums.average_ppm, cap) == sorted((-cap, average + pull, cap))[1]


def test_a_boundary_is_crossed_once() -> None:
    ends = [end for end in range(1, 21) if crosses(end - 1, end, 5)]
    assert ends == [5, 10, 15, 20]
    assert crosses(4, 26, 5)
