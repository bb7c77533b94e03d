"""How busy a market is: the day's course, and what its own moves add."""

from typing import Any

import numpy as np
import pytest

from sim.populations.activity import FACTORS_PPM, ActivityDescription, MarketActivity
from sim.scenario.fields import ScenarioError
from sim.stepping.world import Timing
from sim.units import PPM
from tests.sim.scenario_texts import EVERYONE, scenario_of, world_of

BUSY = """
[activity]
course_percent = [400, 25]
course_s = 4
feedback_ppm = 300_000
memory_shift = 2
"""


def moved(moves_ppm: list[int], **fields: Any) -> MarketActivity:
    """After steps in which the mid jumped by these parts of itself."""
    activity = MarketActivity(ActivityDescription(**fields))
    mid = 1_000_000
    for move in moves_ppm:
        mid += mid * move // PPM
        activity.note(mid - 5, mid + 5)
    return activity


def test_without_a_description_everybody_acts_as_often_as_usual() -> None:
    activity = MarketActivity(None)
    activity.note(90, 110)
    assert activity.factor_ppm(5) == PPM


def test_the_course_of_the_day_begins_again() -> None:
    activity = MarketActivity(ActivityDescription((200, 50), 1_000_000))
    found = [activity.factor_ppm(now_us) for now_us in (0, 499_999, 500_000, 999_999, 1_000_000)]
    assert found == [2 * PPM, 2 * PPM, PPM // 2, PPM // 2, 2 * PPM]


def test_moves_excite_and_quiet_calms_slowly() -> None:
    excited = moved([0, 100, -100, 100, -100], feedback_ppm=500_000, typical_move_ppb=5_000)
    assert excited.factor_ppm(0) == 2 * PPM
    factors = []
    for _ in range(10_000):
        excited.note(1_000_000, 1_000_010)
        factors.append(excited.factor_ppm(0))
    assert np.all(np.diff(factors) <= 0)
    assert factors[50] > factors[500] > factors[-1]
    assert factors[-1] < PPM


def test_a_jump_counts_up_to_a_limit_and_factors_are_few() -> None:
    for jump in (1_000, 500_000):
        found = moved([0, jump], feedback_ppm=PPM, typical_move_ppb=1, memory_shift=0)
        assert found.factor_ppm(0) == FACTORS_PPM[-1]
        assert found.state()[1] == 100 << 32
    assert len(set(FACTORS_PPM)) == len(FACTORS_PPM) == 28
    assert PPM in FACTORS_PPM


def test_a_busy_market_trades_more_and_its_accounts_add_up() -> None:
    ran = world_of(scenario_of(BUSY + EVERYONE))
    ran.run(20)
    busy = ran.orders
    ran.run(40)
    assert busy > 2 * (ran.orders - busy)
    ran.run()
    ran.record(Timing())


def test_parts_and_a_checkpoint_change_nothing() -> None:
    scenario = scenario_of(BUSY + EVERYONE, duration_s=3)
    whole, parts, resumed = world_of(scenario), world_of(scenario, 2), world_of(scenario, 2)
    whole.run()
    parts.run(13)
    resumed.resume(parts.checkpoint())
    resumed.run()
    assert resumed.state_hash() == whole.state_hash()
    assert whole.state_hash() != finished_without_activity()


def finished_without_activity() -> str:
    world = world_of(scenario_of(EVERYONE, duration_s=3))
    world.run()
    return world.state_hash()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("course_percent = []", "activity.course_percent: found \\[\\], allowed is a list"),
        ("course_percent = [0]", "a list of whole numbers from 1 to 10000"),
        ("feedback_ppm = 2_000_000", "activity.feedback_ppm: found 2000000, allowed"),
        ("fear = 1", "activity.fear: unknown"),
    ],
)
def test_a_wrong_activity_names_the_field(line: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        scenario_of(f"[activity]\n{line}\n" + EVERYONE)
