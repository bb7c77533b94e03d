"""What is decided, as it is written: signals, consensus, verdicts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from sim.signals.dimension import DIMENSION
from storage.postgres.unit_of_work import Connection

RULES = "rules"
"""The model where no language model was asked."""

INSERT = """
INSERT INTO decisions (id, agent_name, symbol, kind, action, confidence, reasoning, context, prompt,
    response, model, prompt_tokens, completion_tokens, latency_ms, session_id, cause_id,
    order_state, quantity_lots, reduce_only, created_at_us, embedding)
VALUES (%(id)s, %(agent)s, %(symbol)s, %(kind)s, %(action)s, %(confidence)s, %(reasoning)s,
    %(context)s, %(prompt)s, %(response)s, %(model)s, 0, 0, %(latency)s, %(session)s, %(cause)s,
    %(state)s, %(lots)s, %(reduces)s, %(now)s, %(embedding)s::vector)"""


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
class NewDecision:
    """A decision that is not written yet; see storage/tables/agents.py.

    asked, answered   what it was made of, and what it came to: prompt and response
    embedding         float32 (DIMENSION,) of sim/signals/context.py
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
            "context": json.dumps(self.context),
            "prompt": json.dumps(self.asked),
            "response": json.dumps(self.answered),
            "model": RULES,
            "latency": self.latency_ms,
            "session": self.session_id,
            "cause": self.cause_id,
            "state": None if order is None else OrderState.WISHED,
            "lots": 0 if order is None else order.quantity_lots,
            "reduces": order is not None and order.reduce_only,
            "now": self.at_us,
            "embedding": json.dumps([round(float(one), 6) for one in self.embedding]),
        }


async def record(connection: Connection, decisions: Sequence[NewDecision]) -> None:
    """Written in their order; the caller's transaction commits."""
    async with connection.cursor() as cursor:
        await cursor.executemany(INSERT, [one.row for one in decisions])
