import pytest

from actors.simulate.spread_world import SpreadWorld
from sim.scenario.scenario import Scenario
from sim.stepping.world import Timing
from storage.files.scenario_file import load_scenario
from tests.sim.agents_runs import agents_of, agents_scenario, agents_world
from tests.sim.scenario_texts import prices_of, scenario_of, world_of

pytestmark = [pytest.mark.ray, pytest.mark.slow]

CHECKPOINT_STEPS = 20


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return scenario_of()


@pytest.fixture(scope="module")
def oracle(scenario: Scenario) -> str:
    world = world_of(scenario)
    world.run()
    return world.state_hash()


def spread_over(scenario: Scenario, spread: int) -> SpreadWorld:
    return SpreadWorld(scenario, prices_of(scenario), spread, CHECKPOINT_STEPS)


@pytest.mark.parametrize("spread", [1, 2, 4])
def test_actors_come_to_the_hash_of_one_process(
    ray_session: str, scenario: Scenario, oracle: str, spread: int
) -> None:
    world = spread_over(scenario, spread)
    world.run()
    record = world.record(Timing())
    world.stop()
    assert record.state_hash == oracle
    assert record.orders == world.orders > 0


def test_a_market_whose_traders_mostly_sleep_comes_to_the_hash_of_one_process(
    ray_session: str,
) -> None:
    scenario = load_scenario("rmsc04", seed=3, duration_s=10)
    alone, world = world_of(scenario), spread_over(scenario, 2)
    alone.run()
    world.run()
    assert (world.state_hash(), world.orders) == (alone.state_hash(), alone.orders)
    assert alone.orders > 0
    world.stop()


def test_what_agents_leave_comes_back_from_their_actor(ray_session: str) -> None:
    scenario = agents_scenario(duration_s=120)
    alone, world = agents_world(scenario), spread_over(scenario, 2)
    for one in (alone, world):
        one.run()
    ours, theirs = alone.record(Timing()), world.record(Timing())
    world.stop()
    assert theirs.state_hash == ours.state_hash
    assert agents_of(theirs).course.decisions == agents_of(ours).course.decisions
    assert agents_of(theirs).course.trips == agents_of(ours).course.trips
    assert any(agents_of(ours).course.trips)


@pytest.mark.parametrize("kind", ["markets", "parts"])
def test_a_killed_actor_changes_nothing(
    ray_session: str, scenario: Scenario, oracle: str, kind: str
) -> None:
    import ray

    world = spread_over(scenario, 2)
    world.run(35)
    ray.kill(getattr(world, kind)[1])
    world.run()
    assert (world.state_hash(), world.restarts) == (oracle, 1)
    world.stop()


def test_a_checkpoint_goes_from_actors_to_one_process_and_back(
    ray_session: str, scenario: Scenario, oracle: str
) -> None:
    spread = spread_over(scenario, 2)
    spread.run(15)
    alone = world_of(scenario, spread=2)
    alone.resume(spread.checkpoint())
    alone.run(40)
    spread.resume(alone.checkpoint())
    spread.run()
    alone.run()
    assert spread.state_hash() == alone.state_hash() == oracle
    spread.stop()
