"""Scenarios that are kept as text: those that ship, and those that came by REST.

What came by REST names no file: nothing here opens a path that somebody sent.
"""

from sim.scenario import Constant, Synthetic
from sim.scenario_fields import ScenarioError
from sim.simulation_scenario import Scenario, parse_scenario
from storage.scenario_file import SHIPPED_DIRECTORY, shipped_scenarios, with_absolute_files
from storage.simulations import SimulationWish

MADE_WITHOUT_FILES = (Synthetic, Constant)


def shipped_text(name: str) -> str:
    """The text of a shipped scenario. Raises ScenarioError where there is none of this name."""
    known = shipped_scenarios()
    if name not in known:
        found = repr(name)[:60]
        raise ScenarioError(f"scenario: found {found}, allowed is one of {', '.join(known)}")
    return (SHIPPED_DIRECTORY / f"{name}.toml").read_text()


def scenario_of(wish: SimulationWish) -> Scenario:
    """The scenario to run. Raises ScenarioError."""
    return read_scenario(wish.scenario, wish.shipped, wish.seed, wish.duration_s)


def read_scenario(
    text: str, shipped: bool, seed: int | None = None, duration_s: int | None = None
) -> Scenario:
    """A scenario from its text; trades files only where it ships. Raises ScenarioError."""
    try:
        scenario = parse_scenario(text, seed, duration_s)
    except ScenarioError:
        raise
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise ScenarioError("not a scenario: a number is too long or a table too deep") from error
    if shipped:
        return with_absolute_files(scenario, SHIPPED_DIRECTORY)
    for place, market in enumerate(scenario.world.markets):
        if not isinstance(market.price, MADE_WITHOUT_FILES):
            raise ScenarioError(
                f"markets[{place}].price.process: found one that reads a file, allowed here is"
                " one of constant, synthetic"
            )
    return scenario
