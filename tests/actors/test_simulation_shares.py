"""Actors of a simulation as plain classes: whoever has which markets and parts, it is one run."""

from itertools import chain
from typing import Any

import pytest

from actors.simulation_actors import SimulatedMarketActor, SimulatedPartActor
from actors.simulation_shares import Cut, dealt, shares_of
from sim.simulation_scenario import Scenario
from sim.world import combined_hash
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


def stepped(cut: Cut) -> str:
    """The hash of a run whose messages are carried by hand."""
    shares, prices = shares_of(cut), prices_of(cut.scenario)
    markets = [
        SimulatedMarketActor(cut, share, [prices[number] for number in numbers])
        for share, numbers in enumerate(shares.markets)
    ]
    parts = [SimulatedPartActor(cut, share) for share in range(len(shares.parts))]
    replies = [market.replies() for market in markets]
    for step in range(1, cut.scenario.steps + 1):
        sent: list[list[Any]] = [[] for _ in markets]
        for share, part in enumerate(parts):
            partners = [place for place, routes in enumerate(shares.routes) if routes[share]]
            lists = part.act(step, *(replies[place].pop(0) for place in partners))
            for place, batches in zip(
                partners, lists if len(partners) > 1 else [lists], strict=True
            ):
                sent[place].append(batches)
        replies = [market.step(step, *lists) for market, lists in zip(markets, sent, strict=True)]
    hashes = {
        number: one.state_hash
        for numbers, market in zip(shares.markets, markets, strict=True)
        for number, one in zip(numbers, market.finish()[0], strict=True)
    }
    return combined_hash([hashes[number] for number in sorted(hashes)])


@pytest.mark.parametrize(
    ("spread", "market_shares", "part_shares"), [(1, 1, 1), (2, 1, 3), (2, 2, 1), (3, 2, 2)]
)
def test_whoever_has_what_it_is_the_run_of_one_process(
    scenario: Scenario, oracle: str, spread: int, market_shares: int, part_shares: int
) -> None:
    assert stepped(Cut(scenario, spread, market_shares, part_shares)) == oracle


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
