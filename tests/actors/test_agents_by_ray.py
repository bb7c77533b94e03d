"""Signal agents in processes of their own, which end and come back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.cluster.handles import RiskHandle
from actors.cluster.remote import RayCluster, Wanted, ask
from sim.signals.agents import RISK_AGENT
from storage.agents.founding import name_markets
from tests.actors.house import MARKET, House
from tests.actors.lived_session import SYMBOL
from tests.actors.model_server import ModelServer
from tests.waiting import eventually

pytestmark = [pytest.mark.ray]
AGENT, START_S_MAX = "trend-agent", 60


@pytest.fixture
def started(
    ray_session: str, house: House, tmp_path: Path, model_server: ModelServer
) -> Iterator[House]:
    assert ray_session
    cluster = RayCluster(str(tmp_path))
    name_markets(house.database, {SYMBOL: MARKET})
    database = {"database_url": house.urls[0], "models": model_server.terms()}
    cluster.ensure(Wanted("agent", AGENT, {"name": AGENT, **database}))
    cluster.ensure(Wanted("risk_agent", RISK_AGENT, database))
    yield house
    cluster.end([AGENT, RISK_AGENT])


def since(house: House) -> int:
    """When the agent that is there has come; 0 while none is."""
    found = "SELECT started_at_us FROM agents WHERE name = %s AND signals > 0"
    row = house.database.execute(found, (AGENT,)).fetchone()
    return int(str(row[0])) if row else 0


def test_a_killed_agent_is_active_again_and_the_risk_agent_answers(started: House) -> None:
    first = eventually(lambda: since(started), START_S_MAX)
    RayCluster().kill(AGENT)
    eventually(lambda: since(started) > first, START_S_MAX)
    eventually(lambda: ask(RISK_AGENT, "health", 1) is not None, START_S_MAX)
    assert RiskHandle(RISK_AGENT).verdicts([], 0) == []
