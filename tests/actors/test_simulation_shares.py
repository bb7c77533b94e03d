"""Actors of a simulation as plain classes: whoever has which markets and parts, it is one run."""

from itertools import chain

import pytest

from actors.simulate.shares import Cut, dealt, shares_of
from sim.scenario.scenario import Scenario
from tests.actors.stepped_by_hand import stepped
from tests.sim.scenario_texts import prices_of, scenario_of, world_of

SEED, DURATION_S = 8, 3


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return scenario_of(seed=SEED, duration_s=DURATION_S)


@pytest.fixture(scope="module")
def oracle(scenario: Scenario) -> str:
    world = world_of(scenario)
    world.run()
    return world.state_hash()


@pytest.mark.parametrize(
    ("spread", "market_shares", "part_shares"), [(1, 1, 1), (2, 1, 3), (2, 2, 1), (3, 2, 2)]
)
def test_whoever_has_what_it_is_the_run_of_one_process(
    scenario: Scenario, oracle: str, spread: int, market_shares: int, part_shares: int
) -> None:
    cut = Cut(scenario, spread, market_shares, part_shares)
    assert stepped(cut, prices_of(scenario)) == oracle


def test_every_market_and_part_has_one_actor_and_every_route_is_taken_once(
    scenario: Scenario,
) -> None:
    cut = Cut(scenario, 2, 2, 3)
    shares = shares_of(cut)
    assert sorted(chain(*shares.markets)) == [0, 1]
    assert sorted(chain(*shares.parts)) == list(range(len(cut.parts)))
    routes = [route for row in shares.routes for several in row for route in several]
    wanted = [(market, no) for no, part in enumerate(cut.parts) for market in part.markets]
    assert sorted(routes) == sorted(wanted)


@pytest.mark.parametrize(
    ("weights", "shares", "groups"),
    [
        ([5], 3, [[0]]),
        ([1, 1, 1, 1], 2, [[0, 2], [1, 3]]),
        ([9, 4, 3, 2], 2, [[0], [1, 2, 3]]),
        ([0, 0, 0], 3, [[0], [1], [2]]),
    ],
)
def test_the_heaviest_goes_first_to_the_lightest(
    weights: list[int], shares: int, groups: list[list[int]]
) -> None:
    assert dealt(weights, shares) == groups
