"""Decisions as this family tells them."""

import json
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from api.cryptofunk.spelling import instant_text
from api.cryptofunk.trading_answers import amount, text_or_none
from api.cryptofunk.wire import Told
from api.door.answers import example
from api.door.wire import ExactDecimal
from storage.agents.decisions import Decision, Statistics, WholeDecision

RATE_STEP, CENT = Decimal("0.0001"), Decimal("0.01")
SHOWN: dict[str, Any] = {
    "id": "123e4567-e89b-12d3-a456-426614174000",
    "session_id": None,
    "agent_name": "trend-agent",
    "symbol": "BTC/USDT",
    "decision_type": "signal",
    "decision": "BUY",
    "confidence": 0.85,
    "reasoning": "The faster mean has crossed the slower one, and ADX calls it a trend.",
    "context": {"price": 42_000.0, "rsi": 35.2, "macd": 120.5},
    "prompt_tokens": 0,
    "completion_tokens": 0,
    "model": "rules",
    "outcome": "SUCCESS",
    "actual_pnl": 250.5,
    "latency_ms": 1.5,
    "cost_usd": 0,
    "note": None,
    "created_at": "2025-01-15T10:00:00Z",
}


class DecisionTold(Told):
    """A decision. `outcome` is null of what led to no position, `actual_pnl` until that closes."""

    id: str
    session_id: str | None
    agent_name: str
    symbol: str
    decision_type: str
    decision: str
    confidence: ExactDecimal
    reasoning: str
    context: dict[str, Any]
    prompt_tokens: int
    completion_tokens: int
    model: str
    outcome: str | None
    actual_pnl: ExactDecimal | None
    latency_ms: ExactDecimal
    cost_usd: ExactDecimal
    note: str | None
    created_at: str

    model_config = example(**SHOWN)


class DecisionsFilter(Told):
    """What was asked for."""

    symbol: str | None = None
    decision_type: str | None = None
    outcome: str | None = None
    model: str | None = None
    agent_name: str | None = None
    session_id: str | None = None
    from_date: str | None = None
    to_date: str | None = None
    limit: int
    offset: int


class DecisionsAnswer(Told):
    """Decisions, newest first."""

    decisions: list[DecisionTold]
    count: int
    filter: DecisionsFilter

    model_config = example(
        decisions=[SHOWN], count=1, filter={"symbol": "BTC/USDT", "limit": 50, "offset": 0}
    )


class DecisionAnswer(DecisionTold):
    """A decision with what was asked and answered, and the vector of its market's context."""

    prompt: str
    response: str
    prompt_embedding: list[ExactDecimal] | None

    model_config = example(
        **SHOWN, prompt='{"rsi": 35.2}', response='{"action": "BUY"}', prompt_embedding=[0.25, -0.5]
    )


class SimilarDecision(DecisionTold):
    """A decision, and how alike its market's context is: 1 is the same."""

    similarity: ExactDecimal

    model_config = example(**SHOWN, similarity=0.94)


class SimilarAnswer(Told):
    """The decisions whose market's context is most alike."""

    decision_id: str
    similar: list[SimilarDecision]
    count: int

    model_config = example(
        decision_id="123e4567-e89b-12d3-a456-426614174001",
        similar=[SHOWN | {"similarity": 0.94}],
        count=1,
    )


class StatisticsAnswer(Told):
    """Of all decisions that fit. Those that are PENDING are not in `success_rate`."""

    total_decisions: int
    by_outcome: dict[str, int]
    by_decision_type: dict[str, int]
    avg_confidence: ExactDecimal
    success_rate: ExactDecimal
    avg_pnl: ExactDecimal
    by_model: dict[str, int]
    total_cost: ExactDecimal
    avg_latency_ms: ExactDecimal

    model_config = example(
        total_decisions=342,
        by_outcome={"SUCCESS": 198, "FAILURE": 87, "PENDING": 57},
        by_decision_type={"signal": 280, "risk_approval": 62},
        avg_confidence=0.76,
        success_rate=0.6947,
        avg_pnl=125.3,
        by_model={"rules": 342},
        total_cost=0,
        avg_latency_ms=1.25,
    )


class FoundDecision(Told):
    """A decision and how well it fits."""

    decision: DecisionTold
    score: ExactDecimal


class FoundAnswer(Told):
    """What a search has found, the best first."""

    results: list[FoundDecision]
    count: int
    search_type: str
    query: str | None

    model_config = example(
        results=[{"decision": SHOWN, "score": 0.6}], count=1, search_type="text", query="oversold"
    )


def told_fields(one: Decision) -> dict[str, Any]:
    """A decision's fields."""
    context = json.loads(one.context, parse_float=Decimal)
    return {
        "id": str(one.decision_id),
        "session_id": text_or_none(one.session_id),
        "agent_name": one.agent_name,
        "symbol": one.symbol,
        "decision_type": one.kind,
        "decision": one.action,
        "confidence": as_written(one.confidence),
        "reasoning": one.reasoning,
        "context": context if isinstance(context, dict) else {"value": context},
        "prompt_tokens": one.prompt_tokens,
        "completion_tokens": one.completion_tokens,
        "model": one.model,
        "outcome": one.outcome,
        "actual_pnl": None if one.pnl_atoms is None else amount(int(one.pnl_atoms)),
        "latency_ms": as_written(one.latency_ms),
        "cost_usd": shortest(Decimal(one.cost_usd)),
        "note": one.note,
        "created_at": instant_text(one.created_at_us),
    }


def decision_told(one: Decision) -> DecisionTold:
    """A decision in a list."""
    return DecisionTold(**told_fields(one))


def whole_decision(whole: WholeDecision) -> DecisionAnswer:
    """A decision by itself."""
    vector = None if whole.embedding is None else json.loads(whole.embedding, parse_float=Decimal)
    return DecisionAnswer(
        **told_fields(whole.decision),
        prompt=whole.prompt,
        response=whole.response,
        prompt_embedding=vector,
    )


def similar_decision(one: Decision, similarity: float) -> SimilarDecision:
    """A decision, and how alike."""
    return SimilarDecision(**told_fields(one), similarity=rounded(similarity))


def found_decision(one: Decision, score: float) -> FoundDecision:
    """A decision, and how well it fits."""
    return FoundDecision(decision=decision_told(one), score=rounded(score))


def statistics_answer(counted: Statistics) -> StatisticsAnswer:
    """Means of nothing are 0."""
    known = counted.succeeded + counted.failed
    return StatisticsAnswer(
        total_decisions=counted.total,
        by_outcome={
            "SUCCESS": counted.succeeded,
            "FAILURE": counted.failed,
            "PENDING": counted.pending,
        },
        by_decision_type=counted.by_kind,
        avg_confidence=rounded(counted.confidence or 0),
        success_rate=rounded(counted.succeeded / known) if known else Decimal(0),
        avg_pnl=(Decimal(counted.pnl_atoms or 0) / 10**6).quantize(CENT, ROUND_HALF_EVEN),
        by_model=counted.by_model,
        total_cost=shortest(Decimal(counted.cost_usd)),
        avg_latency_ms=rounded(counted.latency_ms or 0),
    )


def as_written(value: float) -> Decimal:
    """A double in the fewest digits that mean it."""
    return Decimal(repr(value))


def rounded(value: float) -> Decimal:
    """To four decimals, half to even, in the fewest digits."""
    return shortest(Decimal(repr(float(value))).quantize(RATE_STEP, ROUND_HALF_EVEN))


def shortest(value: Decimal) -> Decimal:
    """The same without zeros at its end."""
    whole = value.to_integral_value()
    return whole if value == whole else value.normalize()
