"""Decisions as the orchestrator writes them."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import psycopg

from sim.signals.dimension import DIMENSION

CREATED_US = 1_736_935_200_000_000
"""2025-01-15T10:00:00Z."""

ROW: dict[str, Any] = {
    "agent_name": "trend-agent",
    "symbol": "BTC/USDT",
    "kind": "signal",
    "action": "BUY",
    "confidence": 0.85,
    "reasoning": "The faster mean has crossed the slower one.",
    "context": '{"price": 42000.10, "rsi": 35.2, "volume_24h": 1500000000}',
    "prompt": "What says RSI at 35?",
    "response": "BUY",
    "model": "rules",
    "prompt_tokens": 0,
    "completion_tokens": 0,
    "latency_ms": 1.5,
    "outcome": None,
    "pnl_atoms": None,
    "session_id": None,
    "cause_id": None,
    "order_id": None,
    "created_at_us": CREATED_US,
}


def vector(*components: float) -> str:
    """A context that has these components and nothing else."""
    return json.dumps([*components, *[0.0] * (DIMENSION - len(components))])


def decided(
    database: psycopg.Connection[Any], embedding: Sequence[float] | None = None, **changes: Any
) -> str:
    """A decision's id."""
    made = uuid4()
    row = {"id": made, **ROW, **changes}
    row["embedding"] = None if embedding is None else vector(*embedding)
    names, places = ", ".join(row), ", ".join(f"%({name})s" for name in row)
    database.execute(f"INSERT INTO decisions ({names}) VALUES ({places})", row)
    return str(made)


def of_session(session: str) -> dict[str, Any]:
    """A verdict's."""
    return {"session_id": UUID(session), "kind": "risk_approval", "agent_name": "risk-agent"}
