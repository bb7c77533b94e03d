"""The scenarios that ship are whole, and a wrong one says what is wrong."""

from pathlib import Path

import pytest

from sim.scenario_fields import ScenarioError
from sim.world import SimulatedWorld
from storage.scenario_file import load_scenario, scenario_prices, shipped_scenarios


@pytest.mark.parametrize("name", ["calm", "flash-crash", "million", "rmsc04"])
def test_a_shipped_scenario_is_read(name: str) -> None:
    scenario = load_scenario(name)
    assert name in shipped_scenarios()
    assert scenario.world.name == name


def test_calm_begins_to_trade_at_once() -> None:
    scenario = load_scenario("calm", duration_s=2)
    world = SimulatedWorld(scenario, scenario_prices(scenario))
    world.run()
    assert world.fills > 0
    assert world.orders > world.fills


def test_an_unknown_scenario_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="calm"):
        load_scenario(str(tmp_path / "nothing.toml"))
