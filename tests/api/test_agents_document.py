"""Every request of the agents' document, sent by curl as it stands there, gets what the document
says; only the server's port is another."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from storage.agents.agents import SILENT_US_MAX
from storage.postgres.database import now_us
from tests.api.agents_floor import AgentsFloor, stopped_by_orchestrator
from tests.api.curl_typed import Answered, Shell
from tests.api.documented_agents import HOST, AgentsExample, agents_examples
from tests.api.documented_requests import differences
from tests.api.made_decisions import decided, of_session

EXAMPLES = {example.name: example for example in agents_examples()}
MADE_UP_SESSION = "123e4567-e89b-12d3-a456-426614174000"
MODELS = ("claude-sonnet-4", "gpt-4-turbo")
PAUSE, STOP, PLACE = "POST /api/v1/trade/pause", "POST /api/v1/trade/stop", "POST /api/v1/orders"
CONTEXT = {"price": 42000.5, "rsi": 35.2, "macd": 120.5, "volume_24h": 1500000000, "indicators": {}}
AGENT = """
INSERT INTO agents (name, agent_type, status, started_at_us, last_seen_us, last_signal_us, signals,
    errors) VALUES (%s, %s, 'active', %s, %s, %s, 42, 0)"""


@dataclass
class Reader:
    """Somebody who reads the document and types what it shows."""

    agents: AgentsFloor
    shell: Shell
    there_is: dict[str, str]

    def sends(self, example: AgentsExample) -> list[Answered]:
        """What each of its commands is answered."""
        return [self.types(command) for command in example.commands()]

    def types(self, command: str) -> Answered:
        command = command.replace(HOST, self.agents.app.url)
        command = command.replace(MADE_UP_SESSION, self.there_is["session"])
        for name, real in self.there_is.items():
            command = command.replace(f"{{{name}}}", real)
        return self.shell.types(command)


@pytest.fixture(scope="module")
def reader(agents: AgentsFloor, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """Where there is of everything what the document shows."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    agents.clear()
    database, paper = agents.app.database, agents.paper
    database.execute("DELETE FROM decisions")
    database.execute("DELETE FROM agents")
    now = now_us()
    for name, kind in (("technical-agent", "analysis"), ("trend-agent", "strategy")):
        database.execute(AGENT, (name, kind, now, now + SILENT_US_MAX, now))
    session = paper.starts()
    agents.offers("SELL", "42000", "0.1")
    filled = paper.places(type="MARKET", session_id=session)["id"]
    number = paper.sees(filled, "FILLED")["exchange_order_id"].removeprefix("order_")
    for kind, price in (("STOP_LOSS", 40_000), ("TAKE_PROFIT", 45_000)):
        paper.places(side="SELL", type=kind, stop_price=price, reduce_only=True, session_id=session)
    paper.sees(paper.asks("orders", session_id=session)["orders"][0]["id"], "NEW")
    approval = of_session(session) | {"order_id": int(number), "reasoning": "RSI is oversold."}
    known = {"context": json.dumps(CONTEXT), "pnl_atoms": 250_500_000, "latency_ms": 1_250.0}
    known |= {"cost_usd": 0.5, "outcome": "SUCCESS"}
    decided(database, [1.0, 0.2], **known, **approval, model=MODELS[0])
    decided(database, [1.0, 0.1], **known, model=MODELS[1])
    there_is = {
        "session": session,
        "filled": filled,
        "open": paper.places(price=30_000)["id"],
        "decision": decided(database, [1.0], **known, model=MODELS[0]),
    }
    agents.offers("SELL", "42000", "0.1")
    return Reader(agents, Shell(tmp_path_factory.mktemp("agents") / "shell"), there_is)


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != STOP])
def test_an_example_gets_what_the_document_says(name: str, reader: Reader) -> None:
    for answer in reader.sends(EXAMPLES[name]):
        assert answer.status == (201 if name == PLACE else 200), answer.text
        assert list(differences(without_words(EXAMPLES[name].answer), answer.told)) == []


def without_words(documented: Any) -> Any:
    """The note of a pause says that it does nothing: here it does."""
    return {name: told for name, told in documented.items() if name != "note"}


def test_the_end_of_a_session_is_told_by_the_ledger(reader: Reader) -> None:
    example, session = EXAMPLES[STOP], reader.there_is["session"]
    with ThreadPoolExecutor(1) as pool:
        answers = pool.submit(reader.sends, example)
        stopped_by_orchestrator(reader.agents.app, session)
        (answer,) = answers.result(timeout=60)
    assert answer.status == 200, answer.text
    assert list(differences(example.answer, answer.told)) == []
    assert answer.told["final_capital"] - 10_000 == answer.told["total_pnl"]


def test_all_endpoints_have_an_example() -> None:
    assert len(EXAMPLES) == 21
    assert [len(EXAMPLES[name].bodies) for name in (PLACE, PAUSE, STOP)] == [2, 1, 1]


def test_ids_are_uuids(reader: Reader) -> None:
    (order,) = reader.agents.paper.asks(
        "orders", session_id=reader.there_is["session"], status="FILLED"
    )["orders"]
    for name in ("id", "session_id", "position_id"):
        assert str(UUID(order[name])) == order[name]
