"""The risk agent: it has no vote, and the last word on what a session does."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from actors.live.looking import SEEN_US, look_again
from actors.loop import Loop
from actors.models.advice import of_verdict, restrained
from actors.models.answers import RiskAnswer
from actors.models.gateway import UNHEARD, Gateway, Replied
from actors.models.terms import ModelTerms
from sim.market import MarketSpec
from sim.signals.agents import RISK_AGENT, RISK_TYPE
from sim.signals.risk import Account, Proposal, Ruling, Verdict, judge, not_approved
from sim.signals.terms import RiskTerms
from storage.agents.model_wishes import is_approval_required, wishes_in_force
from storage.agents.new_decisions import ModelUse
from storage.agents.presence import Presence, arrive, seen
from storage.agents.strategy_in_force import terms_in_force
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import unit_of_work

STOP_WAIT_S = 4.0
CONNECTIONS = 2
LATE_S = 0.5
"""So much longer is a model waited for: less than who asks waits for us."""

NOT_KNOWN, NOBODY_ASKED = "the risk agent has just begun", "no model is asked here"

log = structlog.get_logger()


class RiskUnavailable(Exception):
    """The risk agent did not answer in time."""


@dataclass(frozen=True)
class Case:
    """What a session would do, and all that is judged of it."""

    proposal: Proposal
    account: Account
    spec: MarketSpec
    terms: RiskTerms

    @property
    def asked(self) -> Mapping[str, Any]:
        """As the prompt of its verdict has it."""
        account = {**vars(self.account), "history": vars(self.account.history)}
        return {"proposal": {**vars(self.proposal)}, "account": account}


@dataclass(frozen=True)
class Judged:
    """A verdict, and what a model was asked for it."""

    verdict: Verdict
    use: ModelUse | None = None


class RiskPort(Protocol):
    """The risk agent as the orchestrator asks it; actors.cluster.handles.RiskHandle."""

    def verdicts(self, cases: Sequence[Case], patience_s: float) -> list[Judged]:
        """One for each. Raises RiskUnavailable.

        patience_s   how long models may take; what rules say takes no time
        """


class RiskAgent:
    """Answers whoever asks, and says that it is there.

    models   who is asked about openings that the rules allow; None for nobody
    """

    def __init__(
        self, database_url: str, models: ModelTerms | None = None, run: bool = False
    ) -> None:
        self._database_url = database_url
        self._gateway = None if models is None else Gateway(models)
        self._presence: Presence | None = None
        self._at_work: tuple[asyncio.AbstractEventLoop, AsyncPool] | None = None
        self._needs_approval: bool | None = None
        self._judged = 0
        self._loop = Loop(RISK_AGENT, self._run)
        if run:
            self.start()

    def start(self) -> None:
        """Begin to be there. A second call does nothing."""
        self._loop.start()

    def stop(self) -> None:
        """Be there no more."""
        self._loop.stop(STOP_WAIT_S)

    def health(self) -> dict[str, int]:
        """Cases judged since it started."""
        return {"judged": self._judged}

    def verdicts(self, cases: Sequence[Case], patience_s: float) -> list[Judged]:
        """One for each case, by the rules of sim/signals/risk.py; what these let open a model may
        make less, where one is asked."""
        self._judged += len(cases)
        ruled = [judge(one.proposal, one.account, one.spec, one.terms) for one in cases]
        opening = {
            place: (case, verdict)
            for place, (case, verdict) in enumerate(zip(cases, ruled, strict=True))
            if case.proposal.step.opens and verdict.ruling is not Ruling.VETOED
        }
        replies = self._replies(opening.values(), patience_s) if opening else []
        judged = {
            place: self._final(*one, replied)
            for (place, one), replied in zip(opening.items(), replies, strict=True)
        }
        return [judged.get(place, Judged(verdict)) for place, verdict in enumerate(ruled)]

    def _final(self, case: Case, verdict: Verdict, replied: Replied[RiskAnswer] | None) -> Judged:
        use = None if replied is None else replied.use
        if replied is not None and replied.answer is not None:
            return Judged(restrained(verdict, replied.answer, case.spec), use)
        if self._needs_approval is False:
            return Judged(verdict, use)
        why = NOT_KNOWN if self._needs_approval is None else NOBODY_ASKED
        if use is not None and use.why is not None:
            why = use.why
        return Judged(not_approved(f"{why.rstrip('.')}."), use)

    def _replies(
        self, opening: Collection[tuple[Case, Verdict]], patience_s: float
    ) -> list[Replied[RiskAnswer] | None]:
        """Of this agent's own thread, which has the connections. Whatever goes wrong there, whoever
        asks is answered."""
        if self._gateway is None:
            return [None] * len(opening)
        late = Replied[RiskAnswer](None, UNHEARD)
        if self._at_work is None or self._at_work[0].is_closed():
            return [late] * len(opening)
        loop, pool = self._at_work
        asking = self._asked(self._gateway, pool, opening, patience_s)
        asked = asyncio.run_coroutine_threadsafe(asking, loop)
        try:
            return list(asked.result(patience_s + LATE_S))
        except Exception:
            log.exception("models_unheard")
            asked.cancel()
            return [late] * len(opening)

    async def _asked(
        self,
        gateway: Gateway,
        pool: AsyncPool,
        opening: Iterable[tuple[Case, Verdict]],
        patience_s: float,
    ) -> list[Replied[RiskAnswer]]:
        wishes = await wishes_in_force(pool, gateway.wishes)
        kept_s = (await terms_in_force(pool)).candle_s
        questions = [of_verdict(case.asked, verdict, kept_s, wishes) for case, verdict in opening]
        return await asyncio.gather(*(gateway.ask(pool, one, patience_s) for one in questions))

    def _run(self) -> None:
        asyncio.run(
            look_again(
                self._loop,
                RISK_AGENT,
                self._database_url,
                CONNECTIONS,
                self.be_seen,
                SEEN_US / 1e6,
            )
        )

    async def be_seen(self, pool: AsyncPool) -> None:
        """Say that it is there, and hear what is asked of it. Raises StorageError."""
        self._needs_approval = await is_approval_required(pool)
        self._at_work = asyncio.get_running_loop(), pool
        if self._presence is None:
            self._presence = await arrive(pool, RISK_AGENT, RISK_TYPE)
        async with unit_of_work(pool) as connection:
            await seen(connection, self._presence)
