"""The world of a scenario, with a chain or without."""

from collections.abc import Sequence

from sim.prices.processes import ReferencePrice
from sim.scenario.scenario import Scenario
from sim.stepping.world import SimulatedWorld


def world_of(
    scenario: Scenario, prices: Sequence[ReferencePrice], spread: int = 1
) -> SimulatedWorld:
    """Ethereum's libraries are loaded where a scenario has a chain."""
    if scenario.chain is None:
        return SimulatedWorld(scenario, prices, spread)
    from sim.joint.world import JointWorld

    return JointWorld(scenario, prices, spread)
