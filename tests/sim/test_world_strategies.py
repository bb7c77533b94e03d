"""Every strategy keeps the promises that simulations make about all of them."""

import pytest

from sim.populations.registry import STRATEGIES
from sim.stepping.world import Timing
from tests.sim.scenario_texts import EVERYONE, scenario_of, world_of

ONE_MORE = """
[[populations]]
name = "other"
strategy = "{strategy}"
heads = 4200
capital = "1000000"
"""


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_a_strategy_does_the_same_in_parts_and_after_a_checkpoint(strategy: str) -> None:
    scenario = scenario_of(EVERYONE + ONE_MORE.format(strategy=strategy), duration_s=3)
    whole, parts, resumed = world_of(scenario), world_of(scenario, 2), world_of(scenario, 2)
    whole.run()
    parts.run(13)
    resumed.resume(parts.checkpoint())
    parts.run()
    resumed.run()
    assert parts.state_hash() == whole.state_hash()
    assert resumed.state_hash() == parts.state_hash()
    whole.record(Timing())
