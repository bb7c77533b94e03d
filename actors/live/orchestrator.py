"""The orchestrator: agents' signals become decisions, and decisions become orders of sessions.

A consensus and the verdicts on it are one transaction, each order is one with what it is noted in
(storage/agents/session_orders.py), and all else that it does of a session is found anew from what
stands in the tables: whoever is killed at any point goes on from there.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import structlog

from actors.live.looking import SEEN_US, awaited, look_again
from actors.live.proposals import (
    Proposed,
    consensus_decision,
    moments_of,
    proposed,
    verdict_decision,
)
from actors.live.risk_agent import Judged, RiskPort, RiskUnavailable
from actors.live.session_care import SessionCare
from actors.loop import Loop
from sim.signals.agents import ORCHESTRATOR, ORCHESTRATOR_TYPE
from sim.signals.moments import Moment
from sim.signals.risk import Rule, Ruling, Verdict
from sim.signals.terms import StrategyTerms
from storage.agents.new_decisions import record
from storage.agents.open_sessions import open_sessions
from storage.agents.presence import Presence, arrive, seen
from storage.agents.repeated_vetoes import news
from storage.agents.session_orders import send, wishes
from storage.agents.sessions import Session
from storage.agents.sights import CandlesRead, sights_of, traded_symbols
from storage.agents.signals import GivenSignal, given_signals
from storage.agents.strategy_in_force import terms_in_force
from storage.intake.accept_state import OpenOrdersMax
from storage.intake.session_accounts import SessionStatus
from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import unit_of_work

TICK_S = 0.5
STOP_WAIT_S = 4.0
CONNECTIONS = 3
SYMBOLS_AT_ONCE = 64
"""That are decided on in one transaction: more would keep the first waiting for the last."""

WISH_CYCLES_MAX = 2
"""An approval that is older than so many cycles is not traded on any more."""

RISK_S_MAX = 5.0
"""A risk agent that has not said anything by then, models apart, is away."""

AWAY = Verdict(
    Ruling.VETOED, 0, Rule.RISK_AGENT_AWAY, "The risk agent is away. Nothing is done without it."
)

log = structlog.get_logger()


class Orchestrator:
    """One a deployment: who comes later takes over."""

    def __init__(
        self,
        database_url: str,
        risk: RiskPort,
        open_orders_max: OpenOrdersMax,
        clock_us: Callable[[], int] = now_us,
        model_timeout_s: float = 0,
        run: bool = False,
    ) -> None:
        """model_timeout_s   how long a model may take that the risk agent asks; 0 for none"""
        self._database_url, self._risk, self._clock_us = database_url, risk, clock_us
        self._model_timeout_s, self._patient_until_us = model_timeout_s, 0
        self._open_orders_max, self._read = open_orders_max, CandlesRead()
        self._presence: Presence | None = None
        self._care: SessionCare | None = None
        self._due_us, self._cycles, self._cycle_ms = 0, 0, 0.0
        self._seen_us = 0
        self._loop = Loop(ORCHESTRATOR, self._run)
        if run:
            self.start()

    def start(self) -> None:
        """Begin to decide. A second call does nothing."""
        self._loop.start()

    def stop(self) -> None:
        """Finish what is under way, and end."""
        self._loop.stop(STOP_WAIT_S)

    def health(self) -> dict[str, float]:
        """Cycles since it started, and how long the last one took."""
        return {"cycles": self._cycles, "cycle_ms": self._cycle_ms}

    def _run(self) -> None:
        looking = look_again(
            self._loop, ORCHESTRATOR, self._database_url, CONNECTIONS, self.look, TICK_S
        )
        asyncio.run(looking)

    async def look(self, pool: AsyncPool) -> None:
        """Decide where it is time for it, send what is approved, look after sessions.

        Raises StorageError.
        """
        terms = await terms_in_force(pool)
        if self._clock_us() >= self._due_us:
            self._due_us = self._clock_us() + terms.voting.cycle_s * 1_000_000
            started_s = time.perf_counter()
            await self.decide(pool, terms)
            self._cycles += 1
            self._cycle_ms = (time.perf_counter() - started_s) * 1e3
            log.info("cycle_decided", took_ms=round(self._cycle_ms, 1))
        await self.send(pool, terms)
        await self._stay(pool, terms)

    async def _stay(self, pool: AsyncPool, terms: StrategyTerms) -> None:
        await self.look_after(pool, terms)
        if self._clock_us() - self._seen_us >= SEEN_US:
            await self._be_seen(pool)

    async def arrived(self, pool: AsyncPool) -> Presence:
        """As who it writes."""
        if self._presence is None:
            self._presence = await arrive(pool, ORCHESTRATOR, ORCHESTRATOR_TYPE)
        return self._presence

    async def decide(self, pool: AsyncPool, terms: StrategyTerms) -> None:
        """A consensus on every symbol, and verdicts on what running sessions would do of it."""
        presence, given = await self.arrived(pool), await given_signals(pool)
        patience_s = min(self._model_timeout_s, terms.voting.cycle_s / 2)
        self._patient_until_us = self._clock_us() + int(patience_s * 1e6)
        sessions = [one for one in await open_sessions(pool) if one.status is SessionStatus.RUNNING]
        traded = await traded_symbols(pool)
        sights = await sights_of(pool, traded, self._read)
        moments = moments_of(traded, sights, self._clock_us(), terms)
        for first in range(0, len(moments), SYMBOLS_AT_ONCE):
            some = moments[first : first + SYMBOLS_AT_ONCE]
            await self._decide_on(pool, presence, some, given, sessions)

    async def _decide_on(
        self,
        pool: AsyncPool,
        presence: Presence,
        moments: Sequence[Moment],
        given: Sequence[GivenSignal],
        sessions: Sequence[Session],
    ) -> None:
        said = [consensus_decision(one, given, time.perf_counter()) for one in moments]
        found = await proposed(pool, said, sessions)
        asked_s = time.perf_counter()
        judged = await self._judged(pool, moments[0].terms, found)
        if len(judged) < len(found):
            return
        risk_ms = (time.perf_counter() - asked_s) * 1e3
        decisions = [
            replace(verdict_decision(wish, one.verdict, risk_ms), use=one.use)
            for wish, one in zip(found, judged, strict=True)
        ]
        async with unit_of_work(pool) as connection:
            await seen(connection, presence)
            causes = [one.cause for one in said]
            kept = await news(connection, causes, decisions)
            await record(connection, [*causes, *kept])

    async def _judged(
        self, pool: AsyncPool, terms: StrategyTerms, found: Sequence[Proposed]
    ) -> list[Judged]:
        """A risk agent that does not answer forbids. What models take of its time is bounded for
        all symbols of a cycle together, and sessions are looked after meanwhile. Nothing comes of
        it where this actor is to stop."""
        if not found:
            return []
        patience_s = max(0, self._patient_until_us - self._clock_us()) / 1e6
        cases, stay = [one.case for one in found], partial(self._stay, pool, terms)
        asked = asyncio.to_thread(self._risk.verdicts, cases, patience_s)
        try:
            judged = await awaited(self._loop, asked, patience_s + RISK_S_MAX, stay)
        except RiskUnavailable:
            judged = None
        if judged is None and self._loop.stopping.is_set():
            return []
        return judged or [Judged(AWAY)] * len(found)

    async def send(self, pool: AsyncPool, terms: StrategyTerms) -> None:
        """Orders of verdicts that have none yet."""
        presence = await self.arrived(pool)
        oldest_us = self._clock_us() - WISH_CYCLES_MAX * terms.voting.cycle_s * 1_000_000
        for decision_id in await wishes(pool):
            await send(pool, presence, decision_id, oldest_us, self._open_orders_max)

    async def _be_seen(self, pool: AsyncPool) -> None:
        async with unit_of_work(pool) as connection:
            await seen(connection, await self.arrived(pool))
        self._seen_us = self._clock_us()

    async def look_after(self, pool: AsyncPool, terms: StrategyTerms) -> None:
        """What sessions need beside decisions."""
        presence = await self.arrived(pool)
        if self._care is None:
            self._care = SessionCare(presence, self._open_orders_max, self._clock_us)
        await self._care.look(pool, terms.agents.risk)
