"""What becomes of decisions that sessions traded on: of one session, of several, and by hand."""

from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from sim.orders import PlaceOrder
from sim.rows.messages import Side
from sim.signals.signal import Action
from storage.agents.outcomes import BY_HAND
from storage.agents.sessions import start_session
from storage.intake.accept import Acceptor
from storage.intake.accept_state import OpenOrdersMax
from storage.intake.session_accounts import SessionStatus
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import unit_of_work
from tests.actors.house import MARKET, House
from tests.actors.lived_session import (
    INITIAL_ATOMS,
    MIDDLE_TICKS,
    SYMBOL,
    LivedSession,
    with_pool,
)
from tests.api.made_decisions import decided
from tests.builders import order, trader

OPEN = "SELECT outcome, pnl_atoms FROM decisions WHERE kind = %s AND outcome IS NOT NULL"


@pytest.fixture
def lived(house: House) -> LivedSession:
    return LivedSession(house)


def another_session(lived: LivedSession) -> tuple[UUID, int]:
    """Of somebody else; its id and whose it is."""
    session_id, owner_id = uuid7(), trader(lived.database)

    async def started(pool: AsyncPool) -> None:
        async with unit_of_work(pool) as connection:
            await start_session(connection, session_id, owner_id, (SYMBOL, MARKET), INITIAL_ATOMS)

    with_pool(lived.house.api_url, started)
    return session_id, owner_id


def kept_signal(lived: LivedSession) -> None:
    """One of the signals that are given stands among decisions, too."""
    ((signal_id,),) = lived.rows("SELECT decision_id FROM agent_signals ORDER BY 1 LIMIT 1")
    decided(lived.database, id=signal_id, symbol=SYMBOL)


def opened(lived: LivedSession, action: Action = Action.BUY) -> None:
    lived.agents_say(action)
    kept_signal(lived)
    lived.decides()
    lived.sends()
    lived.trades()
    lived.cares()
    lived.trades()


def stopped(lived: LivedSession) -> None:
    lived.stand(SessionStatus.STOPPING)
    for _ in range(4):
        lived.cares()
        lived.trades()
    assert lived.session()["status"] == "STOPPED"


def ordered(lived: LivedSession, wish: PlaceOrder) -> None:
    """By the session's owner."""

    async def placed(pool: AsyncPool) -> None:
        acceptor = Acceptor(pool, OpenOrdersMax(100, 100))
        await acceptor.start()
        await acceptor.place(wish, None, lived.owner_id)
        await acceptor.stop()

    with_pool(lived.house.api_url, placed)


def outcomes(lived: LivedSession, kind: str) -> list[tuple[Any, ...]]:
    return lived.rows(OPEN, (kind,))


def test_what_everybody_sees_is_pending_until_the_last_position_is_closed(
    lived: LivedSession,
) -> None:
    other = another_session(lived)
    opened(lived)
    for kind in ("consensus", "signal"):
        assert outcomes(lived, kind) == [("PENDING", None)]
    lived.quote(MIDDLE_TICKS - 30)
    stopped(lived)
    ((lost,),) = lived.rows("SELECT pnl_atoms FROM decisions WHERE outcome = 'FAILURE'")
    assert lost < 0
    for kind in ("consensus", "signal"):
        assert outcomes(lived, kind) == [("PENDING", None)]
    lived.session_id, lived.owner_id = other
    lived.quote(MIDDLE_TICKS + 60)
    stopped(lived)
    verdicts = [pnl for _, pnl in outcomes(lived, "risk_approval")]
    assert (len(verdicts), min(verdicts)) == (2, lost)
    assert sum(verdicts) > 0
    for kind in ("consensus", "signal"):
        assert outcomes(lived, kind) == [("SUCCESS", sum(verdicts))]


def test_a_consensus_waits_for_no_order_that_was_dropped(lived: LivedSession) -> None:
    other = another_session(lived)
    lived.agents_say(Action.BUY)
    lived.decides()
    lived.stand(SessionStatus.PAUSED)
    lived.sends()
    lived.session_id, lived.owner_id = other
    lived.trades()
    lived.cares()
    stopped(lived)
    ((outcome, pnl),) = outcomes(lived, "consensus")
    assert (outcome, [(outcome, pnl)]) == ("FAILURE", outcomes(lived, "risk_approval"))


@pytest.mark.parametrize("lots", [1, None], ids=["a little", "all of it"])
def test_a_position_in_which_a_person_has_traded_says_nothing_of_decisions(
    lots: int | None, lived: LivedSession
) -> None:
    opened(lived)
    by_hand = order(
        lived.account_id, Side.SELL, lots or lived.position_lots(), price_ticks=MIDDLE_TICKS - 1
    )
    ordered(lived, by_hand)
    lived.trades()
    stopped(lived)
    assert lived.position_lots() == 0
    assert lived.verdicts() == [("BUY", "SENT", None, BY_HAND)]
    assert outcomes(lived, "consensus") == outcomes(lived, "signal") == []
    assert lived.session()["trades"] == 1
