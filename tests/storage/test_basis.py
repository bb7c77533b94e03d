"""basis shows what its name says: arbitrage carries a fall from the perpetual to spot."""

from dataclasses import replace

import numpy as np
import pytest

from sim.record.run import RunRecord
from sim.scenario.scenario import Scenario
from sim.stepping.world import SimulatedWorld, Timing
from storage.files.scenario_file import load_scenario, scenario_prices

SHOCK_S = 600


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario("basis", duration_s=700)


def falls(scenario: Scenario) -> tuple[list[float], RunRecord]:
    """How far the last price of each market falls below that of the moment before the seller."""
    world = SimulatedWorld(scenario, scenario_prices(scenario))
    world.run()
    record = world.record(Timing())
    found = []
    for market in record.markets:
        seconds, last = market.quotes["time_us"] / 1e6, market.quotes["last_price_ticks"]
        before = np.searchsorted(seconds, SHOCK_S - 1)
        found.append(1 - float(last[before:].min() / last[before]))
    return found, record


def test_the_spot_market_falls_with_the_perpetual(scenario: Scenario) -> None:
    (perpetual, spot), record = falls(scenario)
    assert 0.04 < perpetual < 0.1
    assert spot == pytest.approx(perpetual, abs=0.03)
    arbitrage = next(one for one in record.strategies if one.name == "arbitrage")
    assert np.abs(np.diff(arbitrage.inventory_lots, axis=0)).max(axis=0).min() > 0


def test_without_arbitrage_it_does_not(scenario: Scenario) -> None:
    world = scenario.world
    others = tuple(one for one in world.populations if one.name != "arbitrage")
    (perpetual, spot), _ = falls(replace(scenario, world=replace(world, populations=others)))
    assert perpetual > 0.04
    assert spot < 0.005
