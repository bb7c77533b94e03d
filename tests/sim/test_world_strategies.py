"""Every strategy keeps the promises that simulations make about all of them."""

import pytest

from sim.populations.registry import STRATEGIES
from sim.stepping.world import Timing
from tests.sim.scenario_texts import EVERYONE, scenario_of, world_of

HEADS = 4_200
"""More than a part of one block."""

ONE_MORE = """
[[populations]]
name = "other"
strategy = "{strategy}"
heads = {heads}
capital = "1000000"
"""


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_a_strategy_does_the_same_in_parts_and_after_a_checkpoint(strategy: str) -> None:
    heads = STRATEGIES[strategy].heads_max or HEADS
    text = EVERYONE + ONE_MORE.format(strategy=strategy, heads=heads)
    scenario = scenario_of(text, duration_s=3)
    whole, parts, resumed = world_of(scenario), world_of(scenario, 2), world_of(scenario, 2)
    whole.run()
    parts.run(13)
    resumed.resume(parts.checkpoint())
    parts.run()
    resumed.run()
    assert parts.state_hash() == whole.state_hash()
    assert resumed.state_hash() == parts.state_hash()
    whole.record(Timing())
