"""Decisions of a position outlive their time for as long as it is open."""

from actors.live.keeper import Keeper
from sim.signals.signal import Action
from storage.postgres.database import now_us
from storage.upkeep.kept import DAY_US
from tests.actors.house import House
from tests.actors.lived_session import MIDDLE_TICKS, LivedSession
from tests.api.made_decisions import decided
from tests.builders import KEPT

LATER_US = (KEPT.decision_days + 1) * DAY_US
TOLD = "SELECT kind, outcome FROM decisions ORDER BY created_at_us, seq"


def test_a_position_that_stays_open_keeps_its_decisions_until_they_are_told(house: House) -> None:
    lived, keeper = LivedSession(house), Keeper(house.urls[0], KEPT)
    lived.agents_say(Action.BUY)
    voted = lived.rows("SELECT decision_id, symbol FROM agent_signals")
    for number, (signal, symbol) in enumerate(voted):
        decided(lived.database, id=signal, symbol=symbol, created_at_us=number)
    decided(lived.database, created_at_us=0)
    lived.decides()
    lived.sends()
    keeper.prune(now_us() + LATER_US)
    lived.trades()
    lived.cares()
    kept = [*[("signal", "PENDING")] * len(voted), ("consensus", "PENDING")]
    assert lived.rows(TOLD) == [*kept, ("risk_approval", "PENDING")]
    keeper.prune(now_us() + LATER_US)
    lived.quote(MIDDLE_TICKS * 97 // 100)
    lived.trades()
    lived.cares()
    assert {outcome for _, outcome in lived.rows(TOLD)} == {"FAILURE"}
    lived.cares(61)
    assert lived.rows("SELECT count(*) FROM session_equity") != [(0,)]
    keeper.prune(now_us() + LATER_US)
    assert lived.rows(TOLD) == []
    assert lived.rows("SELECT count(*) FROM session_equity") != [(0,)]
    lived.database.execute("UPDATE trading_sessions SET stopped_at_us = started_at_us")
    keeper.prune(now_us() + LATER_US)
    assert lived.rows("SELECT count(*) FROM session_equity") == [(0,)]
    assert keeper.health()["failures"] == 0
    keeper.stop()
