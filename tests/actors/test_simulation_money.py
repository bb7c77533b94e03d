import pytest

from actors.simulate.spread_world import SpreadWorld
from sim.stepping.world import Timing
from tests.sim.cascades import cascade
from tests.sim.scenario_texts import prices_of, world_of

pytestmark = [pytest.mark.ray, pytest.mark.slow]

CHECKPOINT_STEPS = 20


def test_liquidations_and_takeovers_come_to_the_hash_of_one_process(ray_session: str) -> None:
    alone = world_of(cascade())
    alone.run()
    world = SpreadWorld(cascade(), prices_of(cascade()), 2, CHECKPOINT_STEPS)
    world.run()
    record = world.record(Timing())
    world.stop()
    assert record.markets[0].quotes["liquidations"].sum() > 50
    assert record.markets[0].quotes["deleveragings"].sum() > 5
    assert record.state_hash == alone.state_hash()
