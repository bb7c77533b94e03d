import numpy as np

from sim.market import BTC_PERP
from sim.money.liquidation import PARTIAL_PPM
from sim.money.watch import Judgement, MarginWatch
from sim.units import ATOMS_PER_UNIT, PPM
from tests.markets import ETH_PERP

STEP_US = 100_000
PAUSE_STEPS = 300
CAPITAL = 1_000 * ATOMS_PER_UNIT
LEVERAGE = 20
FREE_MOST = 2**61


def watch_of(traders: int = 3) -> MarginWatch:
    return MarginWatch(range(11, 11 + traders), CAPITAL, [BTC_PERP, ETH_PERP], STEP_US, LEVERAGE)


def margins(gains: list[int], worth: list[int]) -> list[np.ndarray]:
    """Units of quote; everything happens in the second market."""
    here = np.array([gains, worth], np.int64) * ATOMS_PER_UNIT
    return [np.zeros_like(here), here]


def room(watch: MarginWatch) -> np.ndarray:
    return np.full((len(watch.accounts), 4), -77, np.int64)


def judged(watch: MarginWatch, step: int, told: list[np.ndarray]) -> Judgement:
    free, sums = np.zeros(len(watch.accounts), np.int64), room(watch)
    return watch.judge(step, told, free, FREE_MOST, sums)


def closings(watch: MarginWatch, step: int, told: list[np.ndarray]) -> list[list[int]]:
    """Account and ppm, of the second market."""
    found: list[list[int]] = judged(watch, step, told).closings[1][:, :2].tolist()
    return found


def test_a_trader_is_closed_when_equity_is_no_more_than_maintenance() -> None:
    watch = watch_of()
    worth = [20_000, 20_000, 20_000]
    found = judged(watch, 10, margins([-899, -900, -5_000], worth))
    assert found.closings[1].tolist() == [
        [12, PPM, 100 * ATOMS_PER_UNIT],
        [13, PPM, -4_000 * ATOMS_PER_UNIT],
    ]
    assert found.closings[0].tolist() == [[12, PPM, 0], [13, PPM, 0]]
    assert found.owing.tolist() == []
    assert watch.closed.tolist() == [False, True, True]


def test_equity_stands_behind_each_market_by_what_is_held_there() -> None:
    watch = watch_of(1)
    here = np.array([[-950 * ATOMS_PER_UNIT], [3_333_333_333]], np.int64)
    there = np.array([[-100 * ATOMS_PER_UNIT], [6_666_666_667]], np.int64)
    found = judged(watch, 10, [here, there])
    shares = [int(one[0, 2]) for one in found.closings]
    assert shares == [-16_666_666, -33_333_333]
    assert [one.tolist() for one in found.elsewhere] == [
        [CAPITAL - 100 * ATOMS_PER_UNIT],
        [CAPITAL - 950 * ATOMS_PER_UNIT],
    ]


def test_who_is_flat_owes_what_it_has_less_than_nothing_and_is_out() -> None:
    watch = watch_of()
    judged(watch, 10, margins([0, -2_000, 0], [0, 1, 0]))
    found = judged(watch, 20, margins([-1_500, -2_000, 5], [0, 0, 0]))
    assert found.closings[1].tolist() == [[11, PPM, 0]]
    assert found.owing.tolist() == [[11, CAPITAL // 2], [12, CAPITAL]]
    assert watch.closed.tolist() == [True, True, False]
    assert judged(watch, 30, margins([-1_500, 0, -1_000], [0, 0, 0])).owing.tolist() == [
        [11, CAPITAL // 2]
    ]


def test_a_large_position_is_closed_by_a_fifth_and_wholly_thirty_seconds_later() -> None:
    watch, large = watch_of(), margins([-600, -600, 0], [150_000, 90_000, 150_000])
    assert closings(watch, 10, large) == [[11, PARTIAL_PPM], [12, PPM]]
    assert closings(watch, 11, large) == [[12, PPM]]
    assert [11, PPM] in closings(watch, 10 + PAUSE_STEPS, large)


def test_a_fifth_that_helped_is_all() -> None:
    watch = watch_of(1)
    judged(watch, 10, margins([-600], [150_000]))
    assert closings(watch, 20, margins([-100], [120_000])) == []
    assert not watch.closed.any()
    assert closings(watch, 400, margins([-600], [150_000])) == [[11, PARTIAL_PPM]]


def test_what_is_free_is_equity_less_the_margin_of_positions_at_the_leverage() -> None:
    watch, free = watch_of(), np.zeros(3, np.int64)
    told, most = margins([0, 50, 0], [0, 10_000, 19_999]), 1_000 * ATOMS_PER_UNIT
    watch.judge(10, told, free, most, room(watch))
    assert free.tolist() == [CAPITAL, 550 * ATOMS_PER_UNIT, 50_000]
