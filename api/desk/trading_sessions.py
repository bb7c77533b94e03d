"""Starting, pausing and stopping trading sessions: each request in one transaction.

The orchestrator ends what is asked to stop; whoever asked waits for that, for a while.
"""

import asyncio
import time
from uuid import UUID

from uuid_utils.compat import uuid7

from api.desk.digests import digest
from api.desk.transfers import amount_atoms
from sim.market import COLLATERAL
from sim.refusals import Refusal, Refused
from storage.agents.control_entries import ControlAction, ControlOutcome, note_control
from storage.agents.round_trips import advance
from storage.agents.sessions import (
    Session,
    locked_session,
    own_session,
    set_status,
    start_session,
)
from storage.intake.idempotency import Asked, Outcome, once
from storage.intake.session_accounts import SessionStatus
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import Connection, unit_of_work

ROUTE = "trade/start"
STOP_S_MAX = 10.0
"""How long whoever stops a session waits for it to be STOPPED."""

LOOKS_AGAIN_S, LOOKS_AGAIN_S_MAX = 0.02, 0.25
STILL_STOPPING = (
    "The session is still closing its positions: ask again, and it is told when it has stopped"
)

SESSION_ACTS = {
    SessionStatus.PAUSED: ControlAction.SESSION_PAUSED,
    SessionStatus.RUNNING: ControlAction.SESSION_RESUMED,
}
"""What is done to a session that stands so afterwards."""


async def start(
    pool: AsyncPool, user_id: int, traded: tuple[str, str], capital: str, key: str | None
) -> Session:
    """A new session on a symbol and its market, with this money. Raises Refused."""
    atoms = amount_atoms(capital, COLLATERAL, "initial_capital")

    async def work(connection: Connection) -> Outcome:
        made = await start_session(connection, uuid7(), user_id, traded, atoms)
        said = {"symbol": traded[0], "initial_capital": capital}
        started = (ControlAction.SESSION_STARTED, str(made.session_id))
        await note_control(connection, user_id, *started, said)
        return {"session_id": str(made.session_id)}

    asked = Asked(user_id, ROUTE, digest(*traded, str(atoms)), key)
    session_id = UUID((await once(pool, asked, work))["session_id"])
    return await own_session(pool, session_id, user_id)


async def change(
    pool: AsyncPool,
    session_id: UUID,
    user_id: int,
    before: SessionStatus,
    after: SessionStatus,
) -> Session:
    """The session, which stood so and stands otherwise from now on. Raises Refused."""
    async with unit_of_work(pool) as connection:
        session = await locked_session(connection, session_id, user_id)
        if session.status != before:
            details = {
                "brief": f"session is not {before.lower()}",
                "session_id": str(session_id),
                "status": session.status,
            }
            sentence = f"The session is {session.status.lower()}"
            raise Refused(Refusal.INVALID_REQUEST, sentence, details)
        act = SESSION_ACTS[after]
        await note_control(connection, user_id, act, str(session_id), {"symbol": session.symbol})
        return await set_status(connection, session, after)


async def stop(pool: AsyncPool, session_id: UUID, user_id: int) -> Session:
    """The session, once it has stopped. Raises Refused UNAVAILABLE where that takes longer than
    STOP_S_MAX; whoever stops one that has stopped is told the same again.

    Its positions are brought up first, so that what is closed from now on was closed by the end.
    """
    async with unit_of_work(pool) as connection:
        session = await locked_session(connection, session_id, user_id)
        if session.status.trades:
            await advance(connection, session.account_id)
            session = await set_status(connection, session, SessionStatus.STOPPING)
            stopped = (ControlAction.SESSION_STOPPED, str(session_id), {"symbol": session.symbol})
            await note_control(connection, user_id, *stopped, ControlOutcome.ACCEPTED)
    until, pause_s = time.monotonic() + STOP_S_MAX, LOOKS_AGAIN_S
    while session.status != SessionStatus.STOPPED:
        left_s = until - time.monotonic()
        if left_s <= 0:
            details = {"session_id": str(session_id), "status": session.status}
            raise Refused(Refusal.UNAVAILABLE, STILL_STOPPING, details)
        await asyncio.sleep(min(pause_s, left_s))
        pause_s = min(2 * pause_s, LOOKS_AGAIN_S_MAX)
        session = await own_session(pool, session_id, user_id)
    return session
