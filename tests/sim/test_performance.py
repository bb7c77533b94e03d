"""The metrics of a strategy: closed-form cases, and empyrical beside it on random paths."""

import empyrical
import numpy as np
import pytest

from sim.facts.performance import (
    MINUTE_US,
    SECOND_US,
    YEAR_US,
    Drawdown,
    max_drawdown,
    performance,
    period_returns,
    profit_factor,
    sampling_period_us,
    win_rate,
)
from sim.ratios import drawdowns, sharpe_ratio, sortino_ratio, volatility
from sim.record.run import STANDING, StrategyRecord

MINUTES_PER_YEAR = YEAR_US / MINUTE_US
CAPITAL_ATOMS = 10**12

SEEDS = (7, 8, 9)


def random_path(seed: int = SEEDS[0]) -> np.ndarray:
    """Equity at the start and at the end of each of 240 minutes, atoms."""
    print(f"seed {seed}")
    steps = np.random.default_rng(seed).integers(-(10**9), 1_050_000_000, 240)
    return np.concatenate([[CAPITAL_ATOMS], CAPITAL_ATOMS + np.cumsum(steps)])


def record_of(equity_atoms: np.ndarray, period_us: int = MINUTE_US, **last: int) -> StrategyRecord:
    standings = np.zeros(len(equity_atoms), STANDING)
    standings["time_us"] = period_us * np.arange(len(equity_atoms))
    standings["equity_atoms"] = equity_atoms
    for column, value in last.items():
        standings[column][-1] = value
    pnl_atoms = np.array([30, -10, 0, -5], np.int64)
    capital_atoms = int(equity_atoms[0])
    nothing = np.zeros((len(equity_atoms), 1), np.int64)
    return StrategyRecord("noise", "noise", 4, capital_atoms, standings, nothing, pnl_atoms)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_path_has_the_figures_that_empyrical_gives(seed: int) -> None:
    equity = random_path(seed)
    returns, yearly = np.diff(equity) / equity[:-1], {"annualization": MINUTES_PER_YEAR}
    found = performance(record_of(equity))
    for ours, theirs in (
        (found.return_fraction, empyrical.cum_returns_final(returns)),
        (found.volatility, empyrical.annual_volatility(returns, **yearly)),
        (found.sharpe, empyrical.sharpe_ratio(returns, **yearly)),
        (found.sortino, empyrical.sortino_ratio(returns, **yearly)),
        (found.drawdown.fraction, empyrical.max_drawdown(returns)),
    ):
        assert ours == pytest.approx(theirs, rel=1e-9)


def test_no_figure_of_a_year_is_made_of_an_hours_seconds() -> None:
    equity = CAPITAL_ATOMS + np.cumsum(np.full(59 * 60, 10**6))
    short = performance(record_of(equity, SECOND_US))
    assert (short.volatility, short.sharpe, short.sortino) == (None, None, None)
    assert (short.period_us, short.why_not_judged) == (MINUTE_US, "under 60 returns")
    assert short.return_fraction == pytest.approx(0.00354, rel=0.01)


def test_a_strategy_that_lost_most_is_not_told_as_one_that_won() -> None:
    wild = CAPITAL_ATOMS * np.array([1, 4, 1] * 40 + [1, 0.33])
    told = performance(record_of(wild.astype(np.int64)))
    assert told.return_fraction == pytest.approx(-0.67)
    assert (told.sharpe, told.sortino) == (None, None)
    assert told.why_not_judged == "its mean return and its whole return have different signs"
    ruined = np.append(random_path(), [-1, 10**6])
    assert performance(record_of(ruined)).why_not_judged == "its equity fell to nothing"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_drawdown_at_every_moment_is_that_of_empyrical(seed: int) -> None:
    equity = random_path(seed).astype(np.float64)
    returns = np.diff(equity) / equity[:-1]
    deepest = [empyrical.max_drawdown(returns[:count]) for count in range(1, len(returns) + 1)]
    ours = np.minimum.accumulate(drawdowns(equity))[1:]
    assert ours == pytest.approx(deepest, rel=1e-9, abs=1e-15)


def test_a_return_that_comes_back_each_period_has_its_closed_forms() -> None:
    returns = np.array([0.02, -0.01] * 50)
    mean, spread = 0.005, 0.015 * (100 / 99) ** 0.5
    assert volatility(returns, 100) == pytest.approx(10 * spread)
    assert sharpe_ratio(returns, 100) == pytest.approx(10 * mean / spread)
    assert sortino_ratio(returns, 100) == pytest.approx(10 * mean / (0.01 / 2**0.5))


def test_what_is_undefined_is_none_and_never_infinite() -> None:
    steady = np.zeros(10)
    assert sharpe_ratio(steady, 100) is None
    assert sortino_ratio(np.full(10, 0.01), 100) is None
    assert volatility(np.zeros(1), 100) is None
    assert profit_factor(np.array([5, 0])) is None
    assert win_rate(np.zeros(3, np.int64)) is None
    idle = performance(StrategyRecord("a", "b", 0, 0, *nothing_happened()))
    assert idle.return_fraction is None
    assert idle.drawdown == Drawdown(0.0, 0, True)


def nothing_happened() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.zeros(0, STANDING), np.zeros((0, 1), np.int64), np.zeros(0, np.int64)


def test_the_length_of_a_drawdown_is_from_its_peak_until_it_is_made_good() -> None:
    times_us = SECOND_US * np.arange(8)
    equity = np.array([100, 120, 110, 60, 90, 120, 130, 125], np.float64)
    assert max_drawdown(times_us, equity) == Drawdown(-0.5, 4 * SECOND_US, True)
    assert drawdowns(equity)[-1] == pytest.approx(-5 / 130)


def test_a_drawdown_that_is_not_made_good_lasts_to_the_end() -> None:
    equity = np.array([100, 120, 60, 90], np.float64)
    assert max_drawdown(np.arange(4), equity) == Drawdown(-0.5, 2, False)


def test_traders_win_or_lose_and_those_who_did_neither_do_not_count() -> None:
    found = performance(record_of(random_path()))
    assert found.win_rate == pytest.approx(1 / 3)
    assert found.profit_factor == pytest.approx(2)


def test_totals_are_those_of_the_last_sample_in_quote_units() -> None:
    totals = {"volume_atoms": 2 * CAPITAL_ATOMS, "fees_atoms": 7_500_000}
    found = performance(
        record_of(random_path(), **totals, funding_atoms=-1_000_000, liquidated_traders=3)
    )
    assert (found.turnover, found.fees_units, found.funding_units) == (2, 7.5, -1)
    assert found.liquidated_traders == 3


def test_samples_are_a_minute_apart_in_a_long_run_and_a_second_in_a_short_one() -> None:
    assert sampling_period_us(np.arange(0, 2 * 60 * MINUTE_US, 100_000)) == MINUTE_US
    assert sampling_period_us(np.arange(0, 10 * MINUTE_US, 100_000)) == MINUTE_US
    assert sampling_period_us(np.arange(0, 60 * MINUTE_US, 5 * MINUTE_US)) == 5 * MINUTE_US


def test_a_ruined_strategy_has_the_returns_until_its_ruin() -> None:
    equity = np.array([100, 50, 0, 10], np.float64)
    assert period_returns(np.arange(4), equity, 1).tolist() == [-0.5]
    assert performance(record_of(np.array([100, 50, -20]))).drawdown.fraction == pytest.approx(-1.2)
