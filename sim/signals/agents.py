"""Which agents there are, what each is shown, and the rule that it goes by."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.signals import arbitrage, orderbook, reversion, sentiment, technical, trend
from sim.signals.arbitrage import Venue
from sim.signals.books import Book, Look
from sim.signals.candles import Candles
from sim.signals.context import context_of
from sim.signals.sentiment import Headline
from sim.signals.signal import Signal
from sim.signals.terms import StrategyTerms

SHOWN_CANDLES, SHOWN_LEVELS, SHOWN_HEADLINES = 10, 5, 10
"""Of what a rule has looked at, how much is written into the prompt of its decision."""

LOOKS_MAX = 32


@dataclass
class View:
    """What an agent sees of one symbol at a moment; `looks` are the book's of the last seconds."""

    symbol: str
    candles: Candles
    looks: Sequence[Look]
    now_s: float
    perpetual: Venue | None = None
    venues: Sequence[Venue] = ()
    headlines: Sequence[Headline] = ()

    @property
    def book(self) -> Book | None:
        """The newest."""
        return self.looks[-1].book if self.looks else None

    @property
    def embedding(self) -> npt.NDArray[np.float32]:
        """The market as decisions are compared by it."""
        return context_of(self.candles, self.book)

    @property
    def asked(self) -> dict[str, Any]:
        """As the prompt of a decision has it."""
        newest = slice(-SHOWN_CANDLES, None)
        candles = self.candles
        columns = (candles.open, candles.high, candles.low, candles.close, candles.volume)
        book = self.book
        return {
            "symbol": self.symbol,
            "at_s": self.now_s,
            "candles": len(candles),
            "newest_candles": [
                [int(at), *map(float, row)]
                for at, *row in zip(
                    candles.open_time_s[newest], *(one[newest] for one in columns), strict=True
                )
            ],
            "bids": [] if book is None else book.bids[:SHOWN_LEVELS].tolist(),
            "asks": [] if book is None else book.asks[:SHOWN_LEVELS].tolist(),
            "venues": [vars(one) for one in self.venues],
            "headlines": [one.text for one in self.headlines[:SHOWN_HEADLINES]],
        }


Rule = Callable[[View, StrategyTerms], Signal]


@dataclass(frozen=True)
class AgentKind:
    """An agent: its section of the terms, and its rule.

    sees          of what is not shown to all: "looks" in between, "venues", "headlines"
    asks_models   whether a language model may be asked what it thinks of the rule's signal
    """

    agent_type: str
    section: str
    rule: Rule
    sees: str = ""
    asks_models: bool = False

    def cycle_s(self, terms: StrategyTerms) -> int:
        cycle_s: int = getattr(terms.agents, self.section).cycle_s
        return cycle_s

    def weight(self, terms: StrategyTerms) -> float:
        weight: float = getattr(terms.agents, self.section).weight
        return weight


AGENTS: Mapping[str, AgentKind] = {
    "technical-agent": AgentKind(
        "analysis",
        "technical",
        lambda v, t: technical.signal_of(v.candles, t.agents.technical),
        asks_models=True,
    ),
    "orderbook-agent": AgentKind(
        "analysis",
        "orderbook",
        lambda v, t: orderbook.signal_of(v.looks, t.agents.orderbook),
        "looks",
    ),
    "sentiment-agent": AgentKind(
        "analysis",
        "sentiment",
        lambda v, t: sentiment.signal_of(v.headlines, v.now_s, t.agents.sentiment),
        "headlines",
    ),
    "trend-agent": AgentKind(
        "strategy",
        "trend",
        lambda v, t: trend.signal_of(v.candles, t.agents.trend),
        asks_models=True,
    ),
    "reversion-agent": AgentKind(
        "strategy",
        "reversion",
        lambda v, t: reversion.signal_of(v.candles, t.agents.reversion),
        asks_models=True,
    ),
    "arbitrage-agent": AgentKind(
        "strategy",
        "arbitrage",
        lambda v, t: arbitrage.signal_of(v.perpetual, v.venues, t.agents.arbitrage),
        "venues",
    ),
}
RISK_AGENT, RISK_TYPE = "risk-agent", "risk"
ORCHESTRATOR, ORCHESTRATOR_TYPE = "orchestrator", "orchestrator"


@dataclass
class Looks:
    """The book of each symbol as it was seen lately."""

    of: dict[str, list[Look]] = field(default_factory=dict)

    def add(self, symbol: str, look: Look) -> None:
        """A market that has not moved since is seen as it was then."""
        looks = self.of.setdefault(symbol, [])
        if not looks or look.time_s > looks[-1].time_s:
            looks.append(look)
            del looks[:-LOOKS_MAX]


def answered(signal: Signal) -> dict[str, Any]:
    """A signal as JSON has it: what a decision's response is."""
    answer = {
        "action": signal.action,
        "confidence": signal.confidence,
        "numbers": dict(signal.numbers),
        "reasoning": signal.reasoning,
    }
    found: dict[str, Any] = json.loads(json.dumps(answer))
    return found
