"""What sessions need beside decisions: outcomes, protection, their equity once a minute, an end."""

from collections.abc import Callable
from uuid import UUID

import structlog

from sim.money.candles import MINUTE_US
from sim.refusals import Refused
from sim.signals.terms import RiskTerms
from storage.agents.open_sessions import open_sessions, unsettled
from storage.agents.outcomes import follow, sample
from storage.agents.presence import Presence
from storage.agents.protection import protect
from storage.agents.session_ending import Refusals, leave
from storage.agents.sessions import Session
from storage.intake.accept_state import OpenOrdersMax
from storage.intake.session_accounts import SessionStatus
from storage.postgres.database import AsyncPool
from storage.reading.standing import standing

LOOK_US = 1_000_000

log = structlog.get_logger()


class SessionCare:
    """All that it knows beside the tables is how often it has failed, and what it has just done."""

    def __init__(
        self, presence: Presence, open_orders_max: OpenOrdersMax, clock_us: Callable[[], int]
    ) -> None:
        self._presence, self._clock_us = presence, clock_us
        self._open_orders_max = open_orders_max
        self._refusals: dict[UUID, Refusals] = {}
        self._sampled_us: dict[UUID, int] = {}
        self._due_us = 0

    async def look(self, pool: AsyncPool, terms: RiskTerms) -> None:
        """At all sessions that have not stopped, once a second. Raises StorageError."""
        if self._clock_us() < self._due_us:
            return
        self._due_us = self._clock_us() + LOOK_US
        sessions = await open_sessions(pool)
        busy = await unsettled(pool)
        for session in sessions:
            if session.status is SessionStatus.STOPPING:
                await self._end(pool, session)
                continue
            if session.session_id in busy:
                await self._protect(pool, session, terms)
            await self._sample(pool, session)
        ids = {one.session_id for one in sessions}
        for kept in (self._refusals, self._sampled_us):
            for session_id in kept.keys() - ids:
                del kept[session_id]

    async def _protect(self, pool: AsyncPool, session: Session, terms: RiskTerms) -> None:
        await follow(pool, self._presence, session)
        refused = await protect(pool, self._presence, session, terms, self._open_orders_max)
        for why in refused:
            log.warning("position_not_protected", session=str(session.session_id), why=why)

    async def _end(self, pool: AsyncPool, session: Session) -> None:
        refusals = self._refusals.setdefault(session.session_id, Refusals())
        await leave(pool, self._presence, session, refusals, self._open_orders_max)

    async def _sample(self, pool: AsyncPool, session: Session) -> None:
        minute_us = self._clock_us() // MINUTE_US * MINUTE_US
        if self._sampled_us.get(session.session_id) == minute_us:
            return
        try:
            equity_atoms = (await standing(pool, session.account_id)).equity_atoms
        except Refused as refused:  # a position without a mark: its worth is not known now
            log.warning("equity_unknown", session=str(session.session_id), why=refused.message)
            return
        await sample(pool, self._presence, session, minute_us, equity_atoms)
        self._sampled_us[session.session_id] = minute_us
