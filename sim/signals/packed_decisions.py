"""Decisions as bytes: a long run keeps many, and hands all of them to each checkpoint."""

import json
from collections.abc import Sequence
from typing import Any

from sim.signals.course import CastVote, Decision, GivenVerdict
from sim.signals.risk import Rule, Ruling
from sim.signals.signal import Action
from sim.signals.steps import Step


def packed(decisions: Sequence[Decision]) -> bytes:
    """What `unpacked` takes; doubles come back as they were."""
    return json.dumps([_row(one) for one in decisions], separators=(",", ":")).encode()


def unpacked(data: bytes) -> list[Decision]:
    """And back."""
    return [_decision(*row) for row in json.loads(data)]


def _row(one: Decision) -> list[Any]:
    return [
        *(one.number, one.time_us, one.market_id, one.action, one.confidence, one.consensus),
        list(one.scores.items()),
        [[vote.agent, vote.weight, vote.action, vote.confidence] for vote in one.votes],
        [[of.head, of.step, of.ruling, of.rule, of.quantity_lots] for of in one.verdicts],
    ]


def _decision(number: int, time_us: int, market_id: str, action: str, *rest: Any) -> Decision:
    confidence, consensus, scores, votes, verdicts = rest
    return Decision(
        number=number,
        time_us=time_us,
        market_id=market_id,
        action=Action(action),
        confidence=confidence,
        consensus=consensus,
        scores={Action(name): score for name, score in scores},
        votes=tuple(CastVote(agent, weight, Action(of), sure) for agent, weight, of, sure in votes),
        verdicts=tuple(
            GivenVerdict(head, Step(step), Ruling(ruling), Rule(rule), lots)
            for head, step, ruling, rule, lots in verdicts
        ),
    )
