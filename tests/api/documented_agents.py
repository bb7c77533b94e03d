"""The examples of the agents' document: what is sent, and what it says comes back."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).parents[1] / "data" / "cryptofunk" / "trading_api.txt"
END = "Endpoint: ws://localhost:8080/api/v1/ws"
HOST = "http://localhost:8080"
SESSION = "?session_id={session}"
SECTIONS = {
    "GET /": "Get API information.",
    "GET /api/v1/health": "Check API and database health.",
    "GET /api/v1/status": "Get detailed system status",
    "GET /api/v1/agents": "Get status of all registered trading agents.",
    "GET /api/v1/agents/technical-agent": "Get detailed information about a specific agent.",
    "GET /api/v1/agents/technical-agent/status": "Get health status of a specific agent",
    f"GET /api/v1/positions{SESSION}": "Get all open positions",
    f"GET /api/v1/positions/BTC/USDT{SESSION}": "Get the latest position",
    f"GET /api/v1/orders{SESSION}&symbol=BTC/USDT&status=FILLED": "Get orders with optional",
    "GET /api/v1/orders/{filled}": "Get detailed information about a specific order.",
    "POST /api/v1/orders": "Create a new order (manual trading).",
    "DELETE /api/v1/orders/{open}": "Cancel a pending order.",
    "POST /api/v1/trade/start": "Start a new trading session.",
    "POST /api/v1/trade/stop": "Stop an active trading session.",
    "POST /api/v1/trade/pause": "Pause an active trading session.",
    "GET /api/v1/config": "Get current system configuration",
    "PATCH /api/v1/config": "Update runtime configuration",
    "GET /api/v1/decisions?symbol=BTC/USDT": "List LLM decisions",
    "GET /api/v1/decisions/{decision}": "Get detailed information about a specific LLM decision.",
    "GET /api/v1/decisions/{decision}/similar": "Find decisions with similar market context",
    "GET /api/v1/decisions/stats": "Get aggregated statistics for LLM decisions.",
}
"""The document's words for each request, which stand in it in this order."""


@dataclass(frozen=True)
class AgentsExample:
    """One endpoint's.

    bodies   JSON as it is written there
    answer   the first that is shown
    """

    name: str
    bodies: list[str]
    answer: Any

    def commands(self) -> Iterator[str]:
        """What is typed, for each body."""
        method, path = self.name.split(" ")
        for body in self.bodies or [""]:
            typed = f"curl -X {method} '{HOST}{path}'"
            if body:
                typed += f" -H 'Content-Type: application/json' -d '{body}'"
            yield typed


def agents_examples() -> list[AgentsExample]:
    """All of them, in the document's order."""
    text = DOCUMENT.read_text()
    starts = [text.index(words) for words in SECTIONS.values()]
    assert starts == sorted(starts)
    ends = [*starts[1:], text.index(END)]
    return [
        example_in(name, text[start:end])
        for name, start, end in zip(SECTIONS, starts, ends, strict=True)
    ]


def example_in(name: str, section: str) -> AgentsExample:
    """What a section shows."""
    text = section.replace("{...}", "{}").replace(", ...]", "]")
    text = text.replace("EXG-12345", "order_12345")  # the exchange has names of its own
    request, _, response = text.partition("Response")
    sent = [written for _, written in objects_in(request)]
    return AgentsExample(name, sent, next(told for told, _ in objects_in(response)))


def objects_in(text: str) -> Iterator[tuple[Any, str]]:
    """Each JSON object, and as it is written."""
    decoder = json.JSONDecoder(parse_float=Decimal)
    place = text.find("{")
    while place >= 0:
        told, end = decoder.raw_decode(text, place)
        yield told, text[place:end]
        place = text.find("{", end)
