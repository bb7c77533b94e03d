"""One process and any number of actors come to one hash: every scenario that ships, many seeds.

A part of the grid runs always. SANDPIT_WIDE_GRID=1 runs all of it, for longer.
"""

import os
import random
from dataclasses import replace
from pathlib import Path

import pytest

from actors.simulate.shares import Cut
from sim.scenario.scenario import Scenario, parse_scenario
from sim.stepping.world import SimulatedWorld
from storage.files.scenario_file import load_scenario, scenario_prices, shipped_scenarios
from tests.actors.stepped_by_hand import stepped
from tests.sim.scenario_texts import HEAD
from tests.sim.test_world_idle import SHOCKS, sleepers

WIDE = bool(os.environ.get("SANDPIT_WIDE_GRID"))
SEEDS, SLEEPERS_SEEDS = range(1, 21), range(1, 21 if WIDE else 8)
ACTORS = (1, 2, 4)
STEPS = {"rmsc04": 200, "million": 8}
STEPS_USUAL, SLEEPERS_STEPS = 40, 60
LONGER = 4 if WIDE else 1
HEADS_MAX = 50_000 if WIDE else 2_000
TRADES = 2_000


@pytest.fixture(scope="module")
def trades_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    dice, price, lines = random.Random(1), 66_000.0, []
    for number in range(TRADES):
        price *= 1 + dice.gauss(0, 2e-5)
        lines.append(f"{number},{price:.2f},0.01,660,{1_700_000_000_000 + 50 * number},true\n")
    path = tmp_path_factory.mktemp("trades") / "BTCUSDT-trades.csv"
    path.write_text("".join(lines))
    return path


def hurried(scenario: Scenario, steps: int) -> Scenario:
    """All that befalls it within so many steps, its margins often looked at."""
    sooner = tuple(
        replace(one, step=1 + one.step * (steps - 1) // scenario.steps)
        for one in scenario.happenings
    )
    populations = tuple(
        replace(one, heads=min(one.heads, HEADS_MAX)) for one in scenario.world.populations
    )
    world = replace(scenario.world, populations=populations)
    return replace(
        scenario, world=world, steps=steps, happenings=sooner, margin_steps=7, sample_steps=9
    )


def one_process(scenario: Scenario) -> SimulatedWorld:
    world = SimulatedWorld(scenario, scenario_prices(scenario))
    world.run()
    return world


def across_actors(scenario: Scenario, actors: int) -> str:
    return stepped(Cut(scenario, actors, actors, actors), scenario_prices(scenario))


@pytest.mark.parametrize("name", shipped_scenarios())
def test_every_scenario_comes_to_one_hash_however_it_is_spread(
    name: str, trades_file: Path
) -> None:
    replay, orders = trades_file if name == "replay" else None, 0
    for seed in SEEDS:
        loaded = load_scenario(name, seed, replay=replay)
        scenario = hurried(loaded, LONGER * STEPS.get(name, STEPS_USUAL))
        alone = one_process(scenario)
        for actors in ACTORS if WIDE else ACTORS[seed % 3 : seed % 3 + 1]:
            print(f"{name}, seed {seed}, {actors} actors")
            assert across_actors(scenario, actors) == alone.state_hash()
        orders += alone.orders
    assert orders > 0


@pytest.mark.parametrize("activity_ppm", [300, 3_000])
def test_those_who_sleep_and_remember_see_the_same_wherever_they_are(activity_ppm: int) -> None:
    for seed in SLEEPERS_SEEDS:
        text = HEAD.format(seed=seed, duration_s=60) + sleepers(activity_ppm) + SHOCKS
        scenario = hurried(parse_scenario(text), LONGER * SLEEPERS_STEPS)
        alone = one_process(scenario).state_hash()
        for actors in ACTORS if WIDE else ACTORS[seed % 3 : seed % 3 + 1]:
            print(f"activity {activity_ppm} ppm, seed {seed}, {actors} actors")
            assert across_actors(scenario, actors) == alone
