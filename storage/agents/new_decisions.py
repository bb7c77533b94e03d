"""What is decided, as it is written: signals, consensus, verdicts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from sim.signals.dimension import DIMENSION
from storage.model_settings import NOT_A_MODEL
from storage.postgres.unit_of_work import Connection

RULES = NOT_A_MODEL
"""The model where no language model was asked, or none gave an answer that could be used."""

INSERT = """
INSERT INTO decisions (id, agent_name, symbol, kind, action, confidence, reasoning, context, prompt,
    response, model, prompt_tokens, completion_tokens, cost_usd, latency_ms, session_id, cause_id,
    order_state, quantity_lots, reduce_only, created_at_us, embedding)
VALUES (%(id)s, %(agent)s, %(symbol)s, %(kind)s, %(action)s, %(confidence)s, %(reasoning)s,
    %(context)s, %(prompt)s, %(response)s, %(model)s, %(prompt_tokens)s, %(completion_tokens)s,
    %(cost)s, %(latency)s, %(session)s, %(cause)s, %(state)s, %(lots)s, %(reduces)s, %(now)s,
    %(embedding)s::vector)"""


class Kind(StrEnum):
    """Who has decided: an agent, all of them together, the risk agent."""

    SIGNAL = "signal"
    CONSENSUS = "consensus"
    RISK_APPROVAL = "risk_approval"


class OrderState(StrEnum):
    """What became of the order that a verdict approves."""

    WISHED = "WISHED"
    SENT = "SENT"
    DROPPED = "DROPPED"


@dataclass(frozen=True)
class WishedOrder:
    """What a verdict lets a session do."""

    quantity_lots: int
    reduce_only: bool


@dataclass(frozen=True)
class ModelUse:
    """What a language model was asked for a decision, and what that has cost.

    model                              whose answer it is; RULES where the rules speak
    prompt                             what was sent, JSON; empty where nothing was
    raw                                the last answer as it came, its beginning
    prompt_tokens, completion_tokens   of all calls, those whose answer was of no use too
    why                                what of the context says about it: why the rules speak
    """

    model: str = RULES
    prompt: str = ""
    raw: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    latency_ms: float = 0.0
    is_cached: bool = False
    why: str | None = None

    @property
    def told(self) -> dict[str, Any]:
        """As the decision's context has it."""
        why = {} if self.why is None else {"rules_because": self.why}
        return {"is_cached": self.is_cached, **why}


@dataclass(frozen=True)
class NewDecision:
    """A decision that is not written yet; see storage/tables/agents.py.

    asked, answered   what it was made of, and what it came to: prompt and response
    embedding         float32 (DIMENSION,) of sim/signals/context.py
    use               of a language model, where one is asked
    """

    decision_id: UUID
    agent: str
    symbol: str
    kind: Kind
    action: str
    confidence: float
    reasoning: str
    context: Mapping[str, Any]
    asked: Mapping[str, Any]
    answered: Mapping[str, Any]
    at_us: int
    latency_ms: float
    embedding: npt.NDArray[np.float32]
    session_id: UUID | None = None
    cause_id: UUID | None = None
    order: WishedOrder | None = None
    use: ModelUse | None = None

    @property
    def row(self) -> dict[str, Any]:
        """As INSERT has it."""
        order = self.order
        assert self.embedding.shape == (DIMENSION,), "the column is as wide as the vector"
        return {
            "id": self.decision_id,
            "agent": self.agent,
            "symbol": self.symbol,
            "kind": self.kind,
            "action": self.action,
            "confidence": self.confidence,
            "reasoning": self.reasoning,
            **self._spoken,
            "latency": self.latency_ms,
            "session": self.session_id,
            "cause": self.cause_id,
            "state": None if order is None else OrderState.WISHED,
            "lots": 0 if order is None else order.quantity_lots,
            "reduces": order is not None and order.reduce_only,
            "now": self.at_us,
            "embedding": json.dumps([round(float(one), 6) for one in self.embedding]),
        }

    @property
    def _spoken(self) -> dict[str, Any]:
        """Whose word it is, and what it was made of."""
        use = self.use or ModelUse()
        context = {**self.context} if self.use is None else {**self.context, "model": use.told}
        return {
            "context": json.dumps(context),
            "prompt": use.prompt or json.dumps(self.asked),
            "response": json.dumps({**self.answered, **({"raw": use.raw} if use.raw else {})}),
            "model": use.model,
            "prompt_tokens": use.prompt_tokens,
            "completion_tokens": use.completion_tokens,
            "cost": use.cost_usd,
        }


async def record(connection: Connection, decisions: Sequence[NewDecision]) -> None:
    """Written in their order; the caller's transaction commits."""
    async with connection.cursor() as cursor:
        await cursor.executemany(INSERT, [one.row for one in decisions])
