"""The risk agent: it has no vote, and the last word on what a session does."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from actors.live.looking import SEEN_US, look_again
from actors.loop import Loop
from sim.market import MarketSpec
from sim.signals.agents import RISK_AGENT, RISK_TYPE
from sim.signals.risk import Account, Proposal, Verdict, judge
from sim.signals.terms import RiskTerms
from storage.agents.presence import Presence, arrive, seen
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import unit_of_work

STOP_WAIT_S = 4.0


class RiskUnavailable(Exception):
    """The risk agent did not answer in time."""


@dataclass(frozen=True)
class Case:
    """What a session would do, and all that is judged of it."""

    proposal: Proposal
    account: Account
    spec: MarketSpec
    terms: RiskTerms


class RiskPort(Protocol):
    """The risk agent as the orchestrator asks it; actors.cluster.handles.RiskHandle."""

    def verdicts(self, cases: Sequence[Case]) -> list[Verdict]:
        """One for each. Raises RiskUnavailable."""


class RiskAgent:
    """Answers whoever asks, and says that it is there."""

    def __init__(self, database_url: str, run: bool = False) -> None:
        self._database_url = database_url
        self._presence: Presence | None = None
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

    def verdicts(self, cases: Sequence[Case]) -> list[Verdict]:
        """One for each case, by the rules of sim/signals/risk.py."""
        self._judged += len(cases)
        return [judge(one.proposal, one.account, one.spec, one.terms) for one in cases]

    def _run(self) -> None:
        asyncio.run(
            look_again(self._loop, RISK_AGENT, self._database_url, 1, self.be_seen, SEEN_US / 1e6)
        )

    async def be_seen(self, pool: AsyncPool) -> None:
        """Say that it is there. Raises StorageError."""
        if self._presence is None:
            self._presence = await arrive(pool, RISK_AGENT, RISK_TYPE)
        async with unit_of_work(pool) as connection:
            await seen(connection, self._presence)
