import subprocess
import sys

import numpy as np
import pytest

from sim.prices.processes import (
    ConstantPrice,
    ReplayPrice,
    StateMismatch,
    SyntheticPrice,
    normal_q16,
)
from tests.waiting import PROGRAM_S_MAX

SEED = 20_240_808
STEPS_A_YEAR = 365 * 24 * 3600 * 4
KNOWN_TICKS = [660020, 660012, 659999, 659996, 659986, 659942, 659953, 659981]


def path(price: SyntheticPrice, steps: int) -> np.ndarray:
    return np.array([price.step() for _ in range(steps)])


def test_a_synthetic_price_is_the_same_in_another_process() -> None:
    code = (
        "from sim.prices.processes import SyntheticPrice\n"
        f"price = SyntheticPrice({SEED}, 660_000)\n"
        "print([price.step() for _ in range(200)], price.state().hex())"
    )
    environment = {"PYTHONHASHSEED": "7", "PYTHONPATH": ":".join(sys.path)}
    answer = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        timeout=PROGRAM_S_MAX,
    )
    price = SyntheticPrice(SEED, 660_000)
    steps = [price.step() for _ in range(200)]
    assert answer.stdout.strip() == f"{steps} {price.state().hex()}"


def test_a_known_seed_gives_known_ticks_on_every_machine() -> None:
    assert path(SyntheticPrice(1, 660_000), 8).tolist() == KNOWN_TICKS


def test_a_synthetic_price_goes_on_from_a_stored_state() -> None:
    whole = path(SyntheticPrice(SEED, 660_000), 300)
    first = SyntheticPrice(SEED, 660_000)
    path(first, 100)
    second = SyntheticPrice(SEED, 660_000)
    second.restore(first.state())
    assert second.price_ticks == first.price_ticks
    assert path(second, 200).tolist() == whole[100:].tolist()


def test_the_wildest_price_goes_on_from_a_stored_state() -> None:
    def wildest() -> SyntheticPrice:
        return SyntheticPrice(
            SEED, 2**31 - 1, step_us=10_000_000, volatility_ppm_per_year=10_000_000
        )

    price, again = wildest(), wildest()
    price.advance(50)
    assert len(price.state()) > 25
    again.restore(price.state())
    assert again.state() == price.state()
    assert again.advance(50).tolist() == price.advance(50).tolist()
    with pytest.raises(StateMismatch):
        again.restore(price.state()[:-1])


def test_two_seeds_walk_differently() -> None:
    assert (
        path(SyntheticPrice(1, 660_000), 50).tolist()
        != path(SyntheticPrice(2, 660_000), 50).tolist()
    )


def test_seeds_up_to_the_largest_word_are_good() -> None:
    assert SyntheticPrice(2**64 - 1, 660_000).step() > 0


def test_normal_draws_have_mean_zero_and_variance_one() -> None:
    draws = np.array([normal_q16(SEED, step) for step in range(20_000)]) / 2**16
    assert abs(draws.mean()) < 0.03
    assert abs(draws.std() - 1) < 0.03


def test_volatility_is_near_what_was_asked_for() -> None:
    print(f"seed {SEED}")
    prices = path(SyntheticPrice(SEED, 6_600_000), 40_000)
    yearly = np.diff(np.log(prices)).std() * STEPS_A_YEAR**0.5
    assert 0.4 < yearly < 0.6


def test_volatility_clusters_mildly() -> None:
    returns = np.diff(np.log(path(SyntheticPrice(SEED, 2**30), 40_000)))
    squared = returns**2
    correlation = np.corrcoef(squared[:-1], squared[1:])[0, 1]
    assert 0.01 < correlation < 0.3


def test_the_price_stays_sane_over_eight_weeks_and_comes_back() -> None:
    print(f"seed {SEED}")
    minute = {"step_us": 60_000_000}
    prices = path(SyntheticPrice(SEED, 660_000, **minute), 8 * 7 * 24 * 60)
    assert prices.min() > 660_000 * 0.85
    assert prices.max() < 660_000 * 1.15
    assert abs(prices.mean() / 660_000 - 1) < 0.02
    assert np.abs(np.diff(prices)).max() / 660_000 < 0.01


def test_a_wild_price_never_leaves_the_market_s_range() -> None:
    wild = SyntheticPrice(
        SEED, 10, volatility_ppm_per_year=900_000_000, max_price_ticks=50, step_us=60_000_000
    )
    prices = path(wild, 5_000)
    assert prices.min() >= 1
    assert prices.max() <= 50


def test_a_constant_price_is_constant() -> None:
    price = ConstantPrice(42)
    assert [price.step(), price.step(), price.price_ticks] == [42, 42, 42]


def replay(loop: bool) -> ReplayPrice:
    times = np.array([1_000_000, 1_000_000, 1_600_000, 2_000_000], dtype=np.int64)
    return ReplayPrice(times, np.array([10, 11, 12, 13], dtype=np.int64), loop)


def test_a_replay_shows_the_last_trade_at_the_elapsed_time_and_stops() -> None:
    price = replay(loop=False)
    shown = [price.price_ticks] + [price.step() for _ in range(6)]
    assert shown == [11, 11, 11, 12, 13, 13, 13]


def test_a_replay_loops() -> None:
    price = replay(loop=True)
    shown = [price.price_ticks] + [price.step() for _ in range(6)]
    assert shown == [11, 11, 11, 12, 13, 11, 11]


def test_a_replay_goes_on_from_a_stored_state() -> None:
    first, second = replay(loop=True), replay(loop=True)
    for _ in range(3):
        first.step()
    second.restore(first.state())
    assert [second.price_ticks, second.step()] == [12, 13]


def test_a_replay_needs_a_trade() -> None:
    with pytest.raises(ValueError, match="at least one"):
        ReplayPrice(np.empty(0, np.int64), np.empty(0, np.int64), loop=True)


def test_a_state_of_another_kind_is_refused_and_changes_nothing() -> None:
    price = SyntheticPrice(SEED, 660_000)
    price.step()
    before = price.state()
    for state in (b"", b"C", replay(loop=True).state(), before[:-1]):
        with pytest.raises(StateMismatch):
            price.restore(state)
    assert price.state() == before
