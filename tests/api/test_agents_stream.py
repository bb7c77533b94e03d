"""What happens to agents, sessions and one's accounts is told over a WebSocket, in the document's
shapes, and to whom it belongs."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from api.cryptofunk.stream_sources import METADATA_EVERY_US, AgentSaid, is_news
from storage.agents.agents import Agent, AgentStatus
from storage.postgres.database import now_us
from tests.api.agents_floor import AgentsFloor, Client, stopped_by_orchestrator
from tests.api.documented_agents import DOCUMENT, END, objects_in
from tests.api.listening import Ear, listening
from tests.api.made_decisions import decided, of_session

PATH = "/api/v1/ws"
PUBLIC = {"agent_status", "decision"}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
TELLER = "telling-agent"


def documented() -> dict[str, dict[str, Any]]:
    """The document's example of each message, by its type."""
    text = DOCUMENT.read_text().partition(END)[2].replace("// Type-specific data", "")
    text = text[text.index("Broadcast when a position") : text.index("- Write Timeout")]
    return {told["type"]: told for told, _ in objects_in(text)}


def kind_of(value: Any) -> str:
    """A number is a number, with or without a fraction."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return type(value).__name__
    return "number"


def fits(told: dict[str, Any], example: dict[str, Any]) -> None:
    """The documented keys exactly, of the documented types; ours stand beside them."""
    ours = {"sequence", "account", "is_open"}
    assert set(told) - ours == set(example)
    assert INSTANT.fullmatch(told["timestamp"])
    if told["type"] != "agent_status":
        assert set(told["data"]) == set(example["data"])
    for name, value in example["data"].items():
        assert kind_of(told["data"][name]) == kind_of(value), (name, told)
    for name, value in example["data"].get("metadata", {}).items():
        assert kind_of(told["data"]["metadata"][name]) == kind_of(value), (name, told)


def so_far(ear: Ear) -> list[dict[str, Any]]:
    """What was told up to the answer to a ping that is sent now."""
    ear.connection.send('{"type":"ping","timestamp":"2025-01-15T10:30:00Z","data":{}}')
    heard = []
    while (told := ear.hear())["type"] != "pong":
        heard.append(told)
    fits(told, documented()["pong"])
    return heard


def answered(who: Client, path: str) -> Any:
    """What a GET says."""
    return who.sends("GET", path).json()


def part(shown: dict[str, Any], told: dict[str, Any], id_name: str) -> dict[str, Any]:
    """As much of an answer as is told, with its id by this name."""
    named = {id_name: shown["id"], **shown}
    return {name: named[name] for name in told}


@contextmanager
def anns(agents: AgentsFloor, ann: Client) -> Iterator[Ear]:
    with listening(agents.app, headers=ann.headers, path=PATH) as ear:
        yield ear


@contextmanager
def telling(agents: AgentsFloor) -> Iterator[None]:
    """An agent that is there."""
    database = agents.app.database
    database.execute(
        "INSERT INTO agents (name, agent_type, status, started_at_us, last_seen_us, signals,"
        " errors) VALUES (%s, 'analysis', 'active', 1, %s, 42, 0)",
        (TELLER, now_us()),
    )
    try:
        yield
    finally:
        database.execute("DELETE FROM agents WHERE name = %s", (TELLER,))
        database.execute("DELETE FROM decisions WHERE agent_name = %s", (TELLER,))


def closed(agents: AgentsFloor, session: str) -> None:
    agents.app.database.execute(
        "UPDATE trading_sessions SET status = 'STOPPING' WHERE id = %s", (session,)
    )
    stopped_by_orchestrator(agents.app, session)


def test_a_session_is_told_from_its_start_to_its_end_and_to_nobody_else(
    agents: AgentsFloor,
) -> None:
    ann, bob = agents.client(), agents.client()
    with (
        anns(agents, ann) as hers,
        anns(agents, bob) as his,
        listening(agents.app, path=PATH) as nobodys,
    ):
        agents.offers("SELL", "42000", "0.1")
        session = ann.starts()
        bought = ann.places(price=42_000, session_id=session)
        heard = hers.until("position_update", session_id=session)
        (shown,) = answered(ann, f"positions?session_id={session}")["positions"]
        assert heard[-1]["data"] == part(shown, heard[-1]["data"], "position_id")
        heard += so_far(hers)
        is_told_as_documented(heard, session, answered(ann, f"orders/{bought['id']}")["order"])
        ann.does("trade/pause", {"session_id": session})
        hers.until("system_status", status="paused")
        ann.does("trade/resume", {"session_id": session})
        hers.until("system_status", status="resumed")
        agents.offers("BUY", "41990", "0.2")
        ann.places(side="SELL", price=41_990, quantity=0.2, session_id=session)
        ends = hers.until("position_update", side="SHORT")
        moved = [(one["data"], one["is_open"]) for one in ends if one["type"] == "position_update"]
        assert [(one["side"], is_open) for one, is_open in moved] == [
            ("LONG", False),
            ("SHORT", True),
        ]
        assert moved[0][0]["position_id"] == shown["id"]
        assert (moved[0][0]["realized_pnl"], moved[0][0]["unrealized_pnl"]) == (-1, 0)
        closed(agents, session)
        hers.until("system_status", status="trading_stopped")
        for ear in (his, nobodys):
            assert {one["type"] for one in so_far(ear)} <= PUBLIC


def is_told_as_documented(
    heard: list[dict[str, Any]], session: str, filled: dict[str, Any]
) -> None:
    """A session that has started, and the order that was filled in it."""
    for told in heard:
        fits(told, documented()[told["type"]])
    assert len({one["account"] for one in heard if "account" in one}) == 1
    data = {told["type"]: told["data"] for told in heard}
    assert data["order_update"] == part(filled, data["order_update"], "order_id")
    assert data["system_status"] == {
        "status": "trading_started",
        "message": "Trading session started",
        "metadata": {"session_id": session, "symbol": "BTC/USDT", "mode": "PAPER"},
    }
    trades = [one["data"] for one in heard if one["type"] == "trade"]
    assert [one["order_id"] for one in trades] == [filled["id"]]
    numbers = [trades[0][name] for name in ("price", "quantity", "commission")]
    assert numbers == [42_000, 0.1, 2.1]


def test_an_order_that_is_rejected_is_an_error_too(agents: AgentsFloor) -> None:
    ann = agents.client()
    maker, resting = agents.offers("SELL", "42000", "0.1")
    sent = {
        "marketId": "BTC-PERP", "side": "BUY", "type": "LIMIT", "quantity": "0.1",
        "price": "42000", "postOnly": True,
    }  # fmt: skip
    with anns(agents, ann) as ear:
        assert agents.app.http.post("/orders", json=sent, headers=ann.headers).status_code == 202
        ear.until("order_update", status="REJECTED")
        told = ear.next("error")
        fits(told, documented()["error"])
        assert (told["data"]["error"], told["data"]["severity"]) == (
            "Failed to execute order",
            "high",
        )
        assert told["data"]["details"]
    maker.delete(f"/orders/{resting}")


def test_the_main_account_is_told_of(agents: AgentsFloor) -> None:
    ann = agents.client()
    with anns(agents, ann) as ear:
        order = ann.places()
        ear.until("order_update", order_id=order["id"], status="NEW")
        assert ann.sends("DELETE", f"orders/{order['id']}").status_code in (200, 202)
        (told, *_) = ear.until("order_update", order_id=order["id"], status="CANCELED")[::-1]
        assert told["account"] in agents.app.http.get("/accounts", headers=ann.headers).text


def test_agents_are_told_to_all_and_verdicts_to_their_user(agents: AgentsFloor) -> None:
    ann, bob = agents.client(), agents.client()
    session, database = ann.starts(), agents.app.database
    with anns(agents, ann) as hers, anns(agents, bob) as his, telling(agents):
        for ear in (hers, his):
            told = ear.until("agent_status", name=TELLER)[-1]
            fits(told, documented()["agent_status"])
        assert told["data"] == answered(ann, f"agents/{TELLER}")["agent"]
        database.execute("UPDATE agents SET status = 'error' WHERE name = %s", (TELLER,))
        his.until("agent_status", name=TELLER, status="error", is_healthy=False)
        verdict = decided(database, **of_session(session) | {"agent_name": TELLER})
        public = decided(database, agent_name=TELLER)
        heard = hers.until("decision", id=public)
        told_of = [one["data"]["id"] for one in heard if one["type"] == "decision"]
        assert told_of == [verdict, public]
        assert heard[-1]["data"] == answered(ann, "decisions?limit=1")["decisions"][0]
        ids = [one["data"].get("id") for one in his.until("decision", id=public)]
        assert verdict not in ids


def test_a_decision_that_is_committed_late_is_told(agents: AgentsFloor) -> None:
    ann, database = agents.client(), agents.app.database
    with anns(agents, ann) as ear, telling(agents):
        with psycopg.connect(
            agents.app.database.info.dsn, password=agents.app.database.info.password
        ) as slow:
            late = decided(slow, agent_name=TELLER)
            early = decided(database, agent_name=TELLER)
            ear.until("decision", id=early)
        ear.until("decision", id=late)


@pytest.mark.parametrize(
    ("later_us", "status", "signals", "is_told"),
    [
        (0, AgentStatus.ACTIVE, 1, False),
        (METADATA_EVERY_US - 1, AgentStatus.ACTIVE, 2, False),
        (METADATA_EVERY_US, AgentStatus.ACTIVE, 2, True),
        (METADATA_EVERY_US, AgentStatus.ACTIVE, 1, False),
        (0, AgentStatus.INACTIVE, 1, True),
    ],
)
def test_an_agents_status_is_told_at_once_and_its_work_now_and_then(
    later_us: int, status: AgentStatus, signals: int, is_told: bool
) -> None:
    def said(at_us: int, status: AgentStatus, signals: int) -> AgentSaid:
        agent = Agent(TELLER, "analysis", status, 1, at_us, None, signals, 0, None)
        return AgentSaid(agent, status, at_us)

    before = said(10, AgentStatus.ACTIVE, 1)
    assert is_news(before, said(10 + later_us, status, signals)) == is_told
    assert is_news(None, before)
