"""The stylised facts: samples whose statistics are known, and real trades where they lie."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from sim.facts.measures import autocorrelation, hill_exponent, rank_correlation
from sim.facts.stylized import (
    FACTS,
    INTERVALS_US,
    Fact,
    FactTable,
    Verdict,
    fact_table,
    impact_of_runs,
    sampling_interval_us,
)
from sim.record.tape import SECOND_US, Tape, bars, real_tape, taken_orders
from storage.files.trades_file import read_trades

SEED = 2_001
COUNT = 20_000
PRICE_START = 10_000_000_000
REAL = Path(__file__).parents[3] / "shared" / "data" / "binance"
TICKS = {"BTCUSDT-PERP": "0.1", "BTCUSDT": "0.01", "ETHUSDT-PERP": "0.01", "ETHUSDT": "0.01"}


@pytest.fixture
def dice() -> np.random.Generator:
    print(f"seed {SEED}")
    return np.random.default_rng(SEED)


def tape_of(returns: np.ndarray, side: np.ndarray | None = None) -> Tape:
    """One trade of one unit a second, the price as fine as rounding allows."""
    time_us = SECOND_US * np.arange(len(returns) + 1)
    logs = np.concatenate([[0.0], np.cumsum(returns)])
    price = (PRICE_START * np.exp(logs)).round().astype(np.int64)
    ones = np.ones(len(price), np.int64)
    sides = np.resize([1, -1], len(price)) if side is None else side
    return Tape("made", time_us, price, ones, sides, ones)


def fact(tape: Tape, key: str) -> Fact:
    facts = fact_table(tape, SECOND_US).facts
    return next(fact for fact in facts if fact.description.key == key)


def verdicts(tape: Tape) -> dict[str, Verdict]:
    return {fact.description.key: fact.verdict for fact in fact_table(tape, SECOND_US).facts}


def garch(dice: np.random.Generator, count: int) -> np.ndarray:
    """GARCH(1, 1) returns, α 0.1 and β 0.85: Bollerslev (1986)."""
    normals, returns, variance = dice.standard_normal(count), np.zeros(count), 1.0
    for step in range(count):
        returns[step] = variance**0.5 * normals[step]
        variance = 0.05 + 0.1 * returns[step] ** 2 + 0.85 * variance
    return returns / 10_000


def test_there_are_eleven_facts_each_with_a_band_and_a_source() -> None:
    assert len({fact.key for fact in FACTS}) == 11
    assert all(fact.band.low < fact.band.high and fact.band.told and fact.source for fact in FACTS)


def test_independent_normal_returns_show_nothing_but_no_autocorrelation(
    dice: np.random.Generator,
) -> None:
    found = verdicts(tape_of(dice.standard_normal(COUNT) / 10_000))
    assert found["no_autocorrelation"] is Verdict.HOLDS
    for key in ("heavy_tails", "aggregational_normality", "order_sign_persistence"):
        assert found[key] is Verdict.DOES_NOT, key
    for key in ("volatility_clustering", "gain_loss_asymmetry", "leverage_effect"):
        assert found[key] is not Verdict.HOLDS, key


def test_returns_that_follow_each_other_are_autocorrelated(dice: np.random.Generator) -> None:
    normals = dice.standard_normal(COUNT + 1)
    found = fact(tape_of((normals[1:] - 0.9 * normals[:-1]) / 10_000), "no_autocorrelation")
    assert found.beside["lag 1"] == pytest.approx(-0.9 / 1.81, abs=0.02)
    assert found.verdict is Verdict.DOES_NOT


@pytest.mark.parametrize("exponent", [2.5, 3.0, 4.0])
def test_a_pareto_sample_has_its_own_tail_exponent(
    exponent: float, dice: np.random.Generator
) -> None:
    signs = dice.choice([-1, 1], 10 * COUNT)
    found = hill_exponent(signs * (1 + dice.pareto(exponent, 10 * COUNT)))
    assert found is not None
    assert found[0] == pytest.approx(exponent, abs=3 * found[1])


def test_student_returns_have_heavy_tails_that_aggregation_makes_lighter(
    dice: np.random.Generator,
) -> None:
    tape = tape_of(dice.standard_t(3, 2 * COUNT) / 10_000)
    tail = hill_exponent(bars(tape, SECOND_US).returns, part=0.01)
    assert tail is not None
    assert tail[0] == pytest.approx(3, abs=3 * tail[1])
    assert verdicts(tape)["heavy_tails"] is Verdict.HOLDS
    assert verdicts(tape)["aggregational_normality"] is Verdict.HOLDS


def test_garch_returns_cluster_without_being_autocorrelated(dice: np.random.Generator) -> None:
    tape = tape_of(garch(dice, COUNT))
    found = fact(tape, "volatility_clustering")
    assert found.verdict is Verdict.HOLDS
    assert found.beside["decay exponent"] is not None
    assert verdicts(tape)["no_autocorrelation"] is Verdict.HOLDS


def test_losses_that_are_larger_than_gains_are_an_asymmetry(dice: np.random.Generator) -> None:
    losses = -dice.exponential(1.0, COUNT)
    assert verdicts(tape_of((losses + 1) / 10_000))["gain_loss_asymmetry"] is Verdict.HOLDS
    assert verdicts(tape_of((-losses - 1) / 10_000))["gain_loss_asymmetry"] is Verdict.DOES_NOT


def test_losses_that_raise_volatility_are_the_leverage_effect(dice: np.random.Generator) -> None:
    normals = dice.standard_normal(COUNT)
    recent = np.convolve(normals, np.ones(10) / 10**0.5)[: COUNT - 1]
    returns = normals[1:] * np.exp(-0.4 * recent) / 10_000
    assert verdicts(tape_of(returns))["leverage_effect"] is Verdict.HOLDS
    returns = normals[1:] * np.exp(0.4 * recent) / 10_000
    assert verdicts(tape_of(returns))["leverage_effect"] is Verdict.DOES_NOT


def test_volume_that_comes_with_volatility_is_seen(dice: np.random.Generator) -> None:
    activity = dice.lognormal(0, 0.5, COUNT)
    tape = tape_of(dice.standard_normal(COUNT) * activity**0.5 / 10_000)
    volume = np.concatenate([[1], (1_000 * activity).astype(np.int64)])
    assert verdicts(replace(tape, quantity=volume))["volume_volatility"] is Verdict.HOLDS
    dice.shuffle(volume)
    assert verdicts(replace(tape, quantity=volume))["volume_volatility"] is Verdict.DOES_NOT


def test_signs_with_long_memory_have_the_exponent_of_their_runs(dice: np.random.Generator) -> None:
    """Runs of one sign with tail exponent 1.6 give γ = 0.6: Lillo, Mike and Farmer (2005)."""
    runs = (1 + dice.pareto(1.6, 10 * COUNT)).astype(np.int64)
    side = np.repeat(dice.choice([-1, 1], len(runs)), runs)[: 10 * COUNT]
    found = fact(tape_of(np.zeros(len(side) - 1), side), "order_sign_persistence")
    assert found.value == pytest.approx(0.6, abs=0.2)
    assert found.verdict is Verdict.HOLDS


def test_signs_that_forget_quickly_do_not_persist(dice: np.random.Generator) -> None:
    flips = np.where(dice.random(10 * COUNT) < 0.3, -1, 1)
    found = fact(tape_of(np.zeros(len(flips) - 1), np.cumprod(flips)), "order_sign_persistence")
    assert found.verdict is Verdict.DOES_NOT


def test_poisson_arrivals_are_told_from_bursts(dice: np.random.Generator) -> None:
    tape = tape_of(np.zeros(COUNT))
    poisson = np.cumsum(dice.exponential(1e6, COUNT + 1)).astype(np.int64)
    found = fact(replace(tape, time_us=poisson), "inter_arrival")
    assert found.value == pytest.approx(1, abs=0.03)
    assert found.beside["Weibull shape"] == pytest.approx(1, abs=0.03)
    assert found.verdict is Verdict.DOES_NOT
    bursts = np.cumsum(1e6 * dice.weibull(0.6, COUNT + 1)).astype(np.int64)
    found = fact(replace(tape, time_us=bursts), "inter_arrival")
    assert found.beside["Weibull shape"] == pytest.approx(0.6, abs=0.03)
    assert found.verdict is Verdict.HOLDS


def test_a_day_that_is_busy_at_both_ends_is_a_u(dice: np.random.Generator) -> None:
    hours = np.linspace(-1, 1, 86_401)
    tape = replace(tape_of(np.zeros(86_400)), quantity=(100 * (1 + hours**2)).astype(np.int64))
    found = fact(tape, "intraday_volume")
    assert found.value == pytest.approx((1 + 19 / 27) / (1 + 1 / 27), rel=0.01)
    assert found.verdict is Verdict.HOLDS
    assert verdicts(tape_of(np.zeros(86_400)))["intraday_volume"] is Verdict.DOES_NOT
    assert verdicts(tape_of(np.zeros(3_600)))["intraday_volume"] is Verdict.NOT_ENOUGH_DATA


@pytest.mark.parametrize("exponent", [0.5, 1.0])
def test_an_impact_made_by_a_power_law_gives_its_exponent(
    exponent: float, dice: np.random.Generator
) -> None:
    side = np.resize([1, -1], COUNT)
    quantity = (100 * (1 + dice.pareto(1.5, COUNT))).astype(np.int64)
    impact = side * 1e-6 * quantity**exponent
    noise = dice.standard_normal(COUNT) * 1e-5
    tape = replace(tape_of((impact + noise)[1:]), quantity=quantity, side=side)
    found = fact(tape, "market_impact")
    assert found.value == pytest.approx(exponent, abs=0.05)
    assert found.verdict is (Verdict.HOLDS if exponent == 0.5 else Verdict.DOES_NOT)


def test_the_impact_of_a_run_is_from_the_price_before_it_to_its_last() -> None:
    tape = tape_of(np.zeros(4))
    price, quantity = np.array([100, 110, 120, 90, 95]), np.array([1, 2, 3, 4, 5])
    tape = replace(tape, price=price, quantity=quantity, side=np.array([-1, 1, 1, -1, 1]))
    lots, moved = impact_of_runs(taken_orders(tape))
    assert lots.tolist() == [5, 4, 5]
    assert np.exp(moved) == pytest.approx([120 / 100, 120 / 90, 95 / 90])


def test_fills_of_one_moment_side_and_taker_are_one_order() -> None:
    tape = tape_of(np.zeros(4))
    times, takers = np.array([0, 0, 0, 5, 5]), np.array([1, 1, 2, 2, 2])
    ones = np.ones(5, np.int64)
    orders = taken_orders(replace(tape, time_us=times, taker=takers, side=ones))
    assert orders.quantity.tolist() == [2, 1, 2]


def test_a_short_or_empty_tape_says_so() -> None:
    for tape in (tape_of(np.zeros(5)), Tape("none", *[np.zeros(0, np.int64)] * 5)):
        table = fact_table(tape)
        assert {fact.verdict for fact in table.facts} == {Verdict.NOT_ENOUGH_DATA}
        assert table.holding == 0


def test_returns_are_of_seconds_in_an_hour_and_of_longer_intervals_in_a_day() -> None:
    busy = tape_of(np.zeros(86_400))
    hour = replace(busy, time_us=busy.time_us // 24)
    assert [sampling_interval_us(tape) for tape in (hour, busy)] == list(INTERVALS_US[:2])
    sparse = replace(busy, time_us=busy.time_us * 30)
    assert sampling_interval_us(sparse) == INTERVALS_US[2]


def test_small_statistics_have_their_textbook_values() -> None:
    assert autocorrelation(np.array([1.0, 2, 3, 4]), np.array([1, 2])) == pytest.approx(
        [0.25, -0.3]
    )
    assert rank_correlation(np.array([1.0, 2, 3]), np.array([10.0, 40, 90])) == pytest.approx(1)
    assert rank_correlation(np.array([1.0, 1, 2]), np.array([5.0, 5, 1])) == pytest.approx(-1)


def real_table(name: str) -> FactTable:
    path = REAL / f"{name}-trades-2024-08-08.csv.gz"
    if not path.exists():
        pytest.skip("the real trades are not here")
    trades = read_trades(path, Decimal(TICKS[name]))
    columns = trades.times_us, trades.prices_ticks, trades.quantities_e8, trades.buyer_is_maker
    return fact_table(real_tape(name, *columns))


@pytest.mark.parametrize("name", TICKS)
def test_real_trades_contradict_no_fact(name: str) -> None:
    table = real_table(name)
    assert table.interval_us == SECOND_US
    assert table.holding >= 6
    assert not [fact for fact in table.facts if fact.verdict is Verdict.DOES_NOT]
