"""Actors as others reach them over Ray: each handle is the port that its user declares."""

from collections.abc import Sequence
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import GetTimeoutError, RayActorError

from actors.live.chain import PoolUnavailable
from actors.live.risk_agent import Case, Judged, RiskUnavailable
from actors.live.strategy import MarketUnavailable
from sim.chain.pool_host import PoolAnswer, PoolCall, PoolStand, Purses
from sim.populations.population import StrategyReply
from sim.rows.messages import Rows

ANSWER_TIMEOUT_S = 30.0
RISK_ANSWER_S_MAX = 1.0


class NamedActor:
    """Travels as its name. What it raises where the actor is away, or has not answered in time, is
    `away`."""

    away: type[Exception]
    answer_s_max = ANSWER_TIMEOUT_S

    def __init__(self, name: str) -> None:
        self._name = name
        self._handle: ActorHandle[Any] | None = None

    def __reduce__(self) -> tuple[type[Any], tuple[str]]:
        return (type(self), (self._name,))

    def _call(self, method: str, *arguments: object, more_s: float = 0) -> Any:
        """more_s   to wait for the answer beyond what is usual"""
        try:
            if self._handle is None:
                self._handle = ray.get_actor(self._name)
            answer = getattr(self._handle, method).remote(*arguments)
            return ray.get(answer, timeout=self.answer_s_max + more_s)
        except (ValueError, RayActorError, GetTimeoutError) as error:
            self._handle = None
            raise self.away(self._name) from error


class MarketHandle(NamedActor):
    """A market as a strategy sees it: MarketPort."""

    away = MarketUnavailable

    def register(self, strategy_no: int, first_account: int, last_account: int) -> StrategyReply:
        """See actors.live.market.Market.register. Raises MarketUnavailable."""
        reply: StrategyReply = self._call("register", strategy_no, first_account, last_account)
        return reply

    def submit(self, strategy_no: int, batch_no: int, rows: Rows) -> StrategyReply:
        """See actors.live.market.Market.submit. Raises MarketUnavailable."""
        reply: StrategyReply = self._call("submit", strategy_no, batch_no, rows)
        return reply


class PoolHandle(NamedActor):
    """A pool as the chain and droids see it: BlockPool, PoolReader. All raise PoolUnavailable."""

    away = PoolUnavailable

    def settled(self) -> PoolStand:
        stand: PoolStand = self._call("settled")
        return stand

    def begin(self, number: int, state_hash: bytes) -> None:
        self._call("begin", number, state_hash)

    def run(self, time_s: int, purses: Purses, calls: Sequence[PoolCall]) -> list[PoolAnswer]:
        answers: list[PoolAnswer] = self._call("run", time_s, purses, calls)
        return answers

    def stand(self) -> PoolStand:
        stand: PoolStand = self._call("stand")
        return stand

    def keep(self, number: int) -> None:
        self._call("keep", number)

    def state(self, number: int) -> bytes | None:
        state: bytes | None = self._call("state", number)
        return state


class RiskHandle(NamedActor):
    """The risk agent as the orchestrator asks it: RiskPort."""

    away = RiskUnavailable
    answer_s_max = RISK_ANSWER_S_MAX

    def verdicts(self, cases: Sequence[Case], patience_s: float) -> list[Judged]:
        """See actors.live.risk_agent.RiskAgent.verdicts. Raises RiskUnavailable."""
        judged: list[Judged] = self._call("verdicts", cases, patience_s, more_s=patience_s)
        return judged
