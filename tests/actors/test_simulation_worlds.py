import os

import pytest

from actors.simulate.worlds import DECISIONS_WORTH_ACTORS, chosen_actors
from sim.scenario.work import decisions_a_step
from storage.files.scenario_file import load_scenario
from tests.sim.scenario_texts import BTC, ETH, NOISE, scenario_of


def crowd(heads: int, activity_ppm: int) -> str:
    text = NOISE.replace("heads = 5000", f"heads = {heads}")
    return BTC + ETH + text.replace("activity_ppm = 10000", f"activity_ppm = {activity_ppm}")


def test_a_million_who_mostly_sleep_run_in_one_process() -> None:
    scenario = load_scenario("million")
    assert decisions_a_step(scenario) < 1_000
    assert chosen_actors("auto", scenario)[0] == 0


@pytest.mark.parametrize(("heads", "worth"), [(9_000, False), (11_000, True)])
def test_as_many_decisions_as_pay_for_messages_run_across_actors(heads: int, worth: bool) -> None:
    scenario = scenario_of(crowd(heads, 1_000_000))
    assert (decisions_a_step(scenario) >= DECISIONS_WORTH_ACTORS) == worth
    actors, why = chosen_actors("auto", scenario)
    cores = len(os.sched_getaffinity(0))
    assert actors == (cores if worth and cores > 1 else 0)
    assert str(2 * heads) in why
