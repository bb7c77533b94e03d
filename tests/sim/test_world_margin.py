import numpy as np

from sim.market import BTC_PERP, ETH_PERP
from sim.units import ATOMS_PER_UNIT, PPM
from sim.world_margin import PARTIAL_PPM, MarginWatch

STEP_US = 100_000
PAUSE_STEPS = 300
CAPITAL = 1_000 * ATOMS_PER_UNIT


def watch_of(traders: int = 3) -> MarginWatch:
    return MarginWatch(range(11, 11 + traders), CAPITAL, [BTC_PERP, ETH_PERP], STEP_US)


def margins(gains: list[int], worth: list[int]) -> list[np.ndarray]:
    """Units of quote; everything happens in the second market."""
    here = np.array([gains, worth], np.int64) * ATOMS_PER_UNIT
    return [np.zeros_like(here), here]


def test_a_trader_is_closed_when_equity_is_no_more_than_maintenance() -> None:
    watch = watch_of()
    worth = [20_000, 20_000, 20_000]
    closings, owing = watch.judge(10, margins([-899, -900, -5_000], worth))
    assert closings.tolist() == [[12, PPM], [13, PPM]]
    assert owing.tolist() == []
    assert watch.closed.tolist() == [False, True, True]


def test_who_is_flat_is_never_closed_and_owes_only_after_a_closing() -> None:
    watch = watch_of()
    watch.judge(10, margins([0, -2_000, 0], [0, 1, 0]))
    closings, owing = watch.judge(20, margins([-1_500, -2_000, 5], [0, 0, 0]))
    assert closings.tolist() == []
    assert owing.tolist() == [[12, CAPITAL]]


def test_a_large_position_is_closed_by_a_fifth_and_wholly_thirty_seconds_later() -> None:
    watch, large = watch_of(), margins([-600, -600, 0], [150_000, 90_000, 150_000])
    assert watch.judge(10, large)[0].tolist() == [[11, PARTIAL_PPM], [12, PPM]]
    assert watch.judge(11, large)[0].tolist() == [[12, PPM]]
    assert [11, PPM] in watch.judge(10 + PAUSE_STEPS, large)[0].tolist()


def test_a_fifth_that_helped_is_all() -> None:
    watch = watch_of(1)
    watch.judge(10, margins([-600], [150_000]))
    assert watch.judge(20, margins([-100], [120_000]))[0].tolist() == []
    assert not watch.closed.any()
    assert watch.judge(400, margins([-600], [150_000]))[0].tolist() == [[11, PARTIAL_PPM]]
