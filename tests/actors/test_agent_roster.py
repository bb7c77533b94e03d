"""Signal agents come when there is something to look at."""

from typing import Any

from actors.cluster.agent_roster import AWAITED_S_MAX, AgentRoster
from actors.cluster.remote import Wanted
from tests.actors.house import MARKET, House

WANTED = [Wanted("agent", name) for name in ("first", "second")]


class Cluster:
    """Notes what it is asked to start."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def ensure(self, wanted: Any) -> None:
        self.started.append(wanted.name)

    def end(self, names: Any) -> None:
        assert not list(names)


def test_agents_come_one_after_the_other_once_their_markets_are_quoted(house: House) -> None:
    cluster, roster = Cluster(), AgentRoster(house.urls[0], WANTED, [MARKET], lambda: 0.0)
    assert roster.reconcile(cluster) == []
    assert cluster.started == []
    house.database.execute("UPDATE market_views SET best_bid_ticks = 1, best_ask_ticks = 2")
    assert roster.reconcile(cluster) == []
    assert cluster.started == ["first"]
    assert [one.name for one in roster.reconcile(cluster)] == ["first"]
    assert [one.name for one in roster.reconcile(cluster)] == ["first", "second"]
    assert cluster.started == roster.names() == ["first", "second"]
    roster.close()


def test_markets_without_quotes_are_not_awaited_for_ever(house: House) -> None:
    times = iter([0.0, 0.0, AWAITED_S_MAX + 1])
    cluster, roster = Cluster(), AgentRoster(house.urls[0], WANTED, [MARKET], lambda: next(times))
    roster.reconcile(cluster)
    assert cluster.started == []
    roster.reconcile(cluster)
    assert cluster.started == ["first"]
    roster.close()
