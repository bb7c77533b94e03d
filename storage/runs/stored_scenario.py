"""Scenarios of the API: those that ship, by name, and those that were sent, as text.

They read no files: nothing here opens a path that somebody sent.
"""

from sim.scenario.fields import ScenarioError
from sim.scenario.markets import Constant, Same, Synthetic
from sim.scenario.scenario import Scenario, parse_scenario
from storage.files.scenario_file import SHIPPED_DIRECTORY, shipped_scenarios
from storage.runs.simulations import SimulationWish

MADE_WITHOUT_FILES = (Synthetic, Constant, Same)
FOUND_LENGTH_MAX = 60


def shipped_text(name: str) -> str:
    """The text of a shipped scenario. Raises ScenarioError where there is none of this name."""
    known = shipped_scenarios()
    if name not in known:
        found = repr(name)[:FOUND_LENGTH_MAX]
        raise ScenarioError(f"scenario: found {found}, allowed is one of {', '.join(known)}")
    return (SHIPPED_DIRECTORY / f"{name}.toml").read_text()


def scenario_of(wish: SimulationWish) -> Scenario:
    """The scenario to run. Raises ScenarioError."""
    return read_scenario(wish.scenario, wish.seed, wish.duration_s)


def read_scenario(text: str, seed: int | None = None, duration_s: int | None = None) -> Scenario:
    """A scenario from its text; without recorded trades. Raises ScenarioError."""
    scenario = parse_scenario(text, seed, duration_s)
    for place, market in enumerate(scenario.world.markets):
        if not isinstance(market.price, MADE_WITHOUT_FILES):
            raise ScenarioError(
                f"markets[{place}].price.process: found one that reads a file (the command line"
                " may do that), allowed here is one of constant, same, synthetic"
            )
    return scenario
