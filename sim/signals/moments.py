"""A market at the moment of a decision: from what agents have said to a consensus, and from that to
what a session would do. Live and simulated sessions are decided on here alone."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from sim.signals import indicators
from sim.signals.agents import AGENTS
from sim.signals.candles import Candles
from sim.signals.context import context_of
from sim.signals.risk import Proposal
from sim.signals.sights import BookSight
from sim.signals.signal import Signal
from sim.signals.steps import Step
from sim.signals.terms import StrategyTerms
from sim.signals.voting import Consensus, Vote, consensus_of

DAY_S = 86_400
VOLATILITY_CANDLES = 60
"""From so many on a day's deviation is reckoned."""


class Given(Protocol):
    """An agent's newest signal on a symbol."""

    @property
    def agent(self) -> str: ...

    @property
    def symbol(self) -> str: ...

    @property
    def signal(self) -> Signal: ...

    @property
    def at_us(self) -> int: ...


@dataclass(frozen=True, eq=False)
class Moment:
    """A symbol as it is decided on."""

    symbol: str
    sight: BookSight
    candles: Candles
    now_us: int
    terms: StrategyTerms

    @property
    def embedding(self) -> npt.NDArray[np.float32]:
        """The market as decisions are compared by it."""
        return context_of(self.candles, self.sight.book)

    @property
    def volatility(self) -> float | None:
        """A day's standard deviation of returns."""
        count = len(self.candles) - 1
        if count < VOLATILITY_CANDLES:
            return None
        deviation = indicators.deviation(self.candles, count)
        return deviation * math.sqrt(DAY_S / self.terms.candle_s)

    def proposal(self, step: Step) -> Proposal:
        """What a session would do at mark."""
        age_s = max(0, self.now_us - self.sight.priced_at_us) / 1e6
        return Proposal(step, self.sight.mark_ticks, age_s, self.volatility)


def votes_of(given: Iterable[Given], symbol: str, now_us: int, terms: StrategyTerms) -> list[Vote]:
    """What each agent has last said of a symbol, as a vote."""
    return [
        Vote(
            one.agent,
            AGENTS[one.agent].weight(terms),
            AGENTS[one.agent].cycle_s(terms),
            max(0, now_us - one.at_us) / 1e6,
            one.signal,
        )
        for one in given
        if one.symbol == symbol and one.agent in AGENTS
    ]


def consensus_on(votes: Iterable[Vote], terms: StrategyTerms) -> Consensus:
    """By a strategy's own weights and rules of voting."""
    return consensus_of(votes, terms.agents.total_weight, terms.voting)
