"""What is asked of a model for a signal or a verdict, and the little that its answer may change."""

from collections.abc import Mapping
from typing import Any

from actors.models.answers import RiskAnswer, SignalAnswer
from actors.models.gateway import Question
from sim.market import MarketSpec
from sim.signals.agents import RISK_AGENT, View, answered
from sim.signals.risk import Verdict, narrowed
from sim.signals.signal import Action, Signal, shown
from storage.agents.model_wishes import ModelWishes

SIGNAL_FORM, RISK_FORM = "signal_answer", "risk_answer"


def of_signal(
    agent: str, view: View, rules: Signal, candle_s: int, wishes: ModelWishes
) -> Question[SignalAnswer]:
    """What the agent sees, and what its rules say. Within a candle in which nothing happens it is
    the same question."""
    now_s = int(view.now_s) // candle_s * candle_s
    data = {**view.asked, "at_s": now_s, "rules": answered(rules)}
    return Question(agent, SIGNAL_FORM, SignalAnswer, data, wishes, candle_s)


def of_verdict(
    case: Mapping[str, Any], verdict: Verdict, kept_s: float, wishes: ModelWishes
) -> Question[RiskAnswer]:
    """What a session would open, on which account, and what the rules of risk say."""
    data = {**case, "verdict": vars(verdict)}
    return Question(RISK_AGENT, RISK_FORM, RiskAnswer, data, wishes, kept_s)


def advised(rules: Signal, answer: SignalAnswer) -> Signal:
    """The model's word in the place of the rules': one vote, with the agent's weight."""
    told = f"The rules say {rules.action} with {shown(rules.confidence)}."
    numbers = {
        **rules.numbers,
        "rules_action": str(rules.action),
        "rules_confidence": rules.confidence,
    }
    reasoning = f"{answer.reasoning} {told}"
    return Signal(Action(answer.action), answer.confidence, numbers, reasoning)


def restrained(verdict: Verdict, answer: RiskAnswer, market: MarketSpec) -> Verdict:
    """What a model leaves of what the rules have approved."""
    part = answer.quantity_fraction if answer.approve else 0.0
    return narrowed(verdict, part, answer.reasoning, market)
