"""What an agent says, and how several parts of its view become one."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

QUIET_CONFIDENCE = 0.25
"""What a part that sees nothing counts for HOLD."""


class Action(StrEnum):
    BUY = "BUY"
    SELL = "SELL"
    HOLD = "HOLD"


NEEDED = "needed"
"""What a signal has among its numbers while there is too little to look at."""


Numbers = Mapping[str, float | str]


@dataclass(frozen=True)
class Signal:
    """What an agent would do in a market now.

    confidence   0 to 1
    numbers      what it was made of, by name; `reasoning` speaks of each as `shown` shows it
    reasoning    two to six sentences
    """

    action: Action
    confidence: float
    numbers: Numbers
    reasoning: str

    def __post_init__(self) -> None:
        assert 0 <= self.confidence <= 1, self
        assert all(isinstance(one, str) or math.isfinite(one) for one in self.numbers.values())


@dataclass(frozen=True)
class Part:
    """One indicator's word within an agent's signal, and how much it counts."""

    name: str
    weight: float
    action: Action
    confidence: float

    def __str__(self) -> str:
        return f"{self.name} says {self.action} with {shown(self.confidence)}"


def shown(value: float | str) -> str:
    """A number as reasonings write it: four digits that count, and no exponent."""
    if isinstance(value, str):
        return value
    if value == 0:
        return "0"
    decimals = max(0, 3 - math.floor(math.log10(abs(value))))
    text = f"{value:.{min(decimals, 12)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def bounded(value: float, low: float = 0.0, high: float = 1.0) -> float:
    return min(max(value, low), high)


def ratio(part: float, whole: float) -> float:
    """A part of a whole; 0 of nothing."""
    return part / whole if whole > 0 else 0.0


def quiet(name: str, weight: float) -> Part:
    return Part(name, weight, Action.HOLD, QUIET_CONFIDENCE)


def leaning(name: str, weight: float, pressure: float, confidence: float) -> Part:
    """BUY above zero, SELL below."""
    action = Action.BUY if pressure > 0 else Action.SELL
    return Part(name, weight, action, bounded(confidence))


def said(action: Action, confidence: float, numbers: Numbers, *sentences: str) -> Signal:
    return Signal(action, bounded(confidence), numbers, " ".join(sentences))


def is_warming_up(signal: Signal) -> bool:
    """Whether that is all that it says."""
    return NEEDED in signal.numbers


def warming_up(known: int, needed: int) -> Signal:
    """Before there is enough to look at."""
    return said(
        Action.HOLD,
        0.0,
        {"candles": known, NEEDED: needed},
        f"It is warming up: {known} of {needed} candles.",
        "Until then it holds.",
    )


def mixed(parts: Sequence[Part], numbers: Numbers, sentences: Sequence[str]) -> Signal:
    """The action whose weighted score is highest, HOLD and then SELL on a tie.

    A confidence is the mean of those that speak, for and against: quiet parts count in the choice
    alone, for else an agent of five parts could never be sure. Where HOLD has most there is nothing
    to trade on, so it has no confidence.
    """
    scores = {action: _score(parts, action) for action in Action}
    action = max((Action.HOLD, Action.SELL, Action.BUY), key=lambda one: scores[one])
    counted = [part.weight for part in parts if part.action is not Action.HOLD]
    confidence = 0.0 if action is Action.HOLD else ratio(scores[action], math.fsum(counted))
    told = {part.name: str(part.action) for part in parts}
    verdict = f"BUY scores {shown(scores[Action.BUY])}, SELL {shown(scores[Action.SELL])}"
    verdict = f"{verdict} and HOLD {shown(scores[Action.HOLD])}: it says {action}."
    voices = "; ".join(map(str, parts)) + "."
    return said(action, confidence, {**numbers, **told}, *sentences, voices, verdict)


def _score(parts: Sequence[Part], action: Action) -> float:
    return math.fsum(part.weight * part.confidence for part in parts if part.action is action)
