"""Decisions: listed, searched, compared, counted; those of a session are its user's alone."""

from decimal import Decimal
from typing import Any

import pytest

from tests.api.agents_floor import AgentsFloor, Client
from tests.api.made_decisions import CREATED_US, decided, of_session
from tests.api.test_agent_orders import refused

NOBODYS = "123e4567-e89b-12d3-a456-426614174000"
DAY_US = 86_400_000_000


@pytest.fixture
def ann(agents: AgentsFloor) -> Client:
    """Somebody, where nothing was decided yet."""
    agents.app.database.execute("DELETE FROM decisions")
    return agents.client()


def ids(answer: Any, name: str = "decisions") -> list[str]:
    return [one["id"] for one in answer[name]]


def test_a_decision_is_told_with_exact_numbers(agents: AgentsFloor, ann: Client) -> None:
    made = decided(agents.app.database, [0.25, -0.5], outcome="SUCCESS", pnl_atoms=250_500_000)
    whole = ann.asks(f"decisions/{made}")
    (listed,) = ann.asks("decisions")["decisions"]
    assert whole.items() >= listed.items()
    assert listed["context"] == {
        "price": Decimal("42000.10"), "rsi": Decimal("35.2"), "volume_24h": 1_500_000_000,
    }  # fmt: skip
    assert (listed["actual_pnl"], listed["confidence"]) == (Decimal("250.5"), Decimal("0.85"))
    assert listed["created_at"] == "2025-01-15T10:00:00Z"
    assert whole["prompt_embedding"][:3] == [Decimal("0.25"), Decimal("-0.5"), 0]
    assert "prompt" not in listed


def test_filters_hold_together(agents: AgentsFloor, ann: Client) -> None:
    database = agents.app.database
    old = decided(database, created_at_us=CREATED_US - DAY_US)
    eth = decided(database, symbol="ETH/USDT", outcome="PENDING")
    new = decided(database, model="other", outcome="SUCCESS")
    assert ids(ann.asks("decisions")) == [new, eth, old]
    assert ids(ann.asks("decisions", symbol="BTC/USDT")) == [new, old]
    assert ids(ann.asks("decisions", symbol="BTC/USDT", outcome="SUCCESS")) == [new]
    assert ids(ann.asks("decisions", model="rules", from_date="2025-01-15T00:00:00Z")) == [eth]
    assert ids(ann.asks("decisions", to_date="2025-01-14T11:00:00+01:00")) == [old]
    answer = ann.asks("decisions", limit="1", offset="1")
    assert ids(answer) == [eth]
    assert answer["filter"] == {"limit": 1, "offset": 1}
    for limit, heard in (("-1", 50), ("0", 50), ("x", 50), ("501", 500), ("1e2", 50), ("2", 2)):
        assert ann.asks("decisions", limit=limit)["filter"]["limit"] == heard
    refused(ann.sends("GET", "decisions?from_date=yesterday"), 400, "invalid from_date format")
    refused(ann.sends("GET", "decisions?offset=10001"), 400, "invalid request parameters")
    refused(ann.sends("GET", "decisions?colour=red"), 400, "invalid request parameters")


def test_decisions_of_a_session_are_its_users_alone(agents: AgentsFloor, ann: Client) -> None:
    database, bob = agents.app.database, agents.client()
    session = ann.starts()
    mine = decided(database, [1.0], **of_session(session), prompt="zebra")
    everybodys = decided(database, [1.0, 0.1])
    assert ids(ann.asks("decisions")) == [everybodys, mine]
    assert ids(ann.asks("decisions", session_id=session)) == [mine]
    assert ids(bob.asks("decisions")) == [everybodys]
    assert ids(bob.asks("decisions", session_id=session)) == []
    assert ids(bob.asks(f"decisions/{everybodys}/similar"), "similar") == []
    assert ids(ann.asks(f"decisions/{everybodys}/similar"), "similar") == [mine]
    assert bob.asks("decisions/stats")["total_decisions"] == 1
    assert bob.does("decisions/search", {"query": "zebra"})["count"] == 0
    for path in ("", "/similar"):
        for other in (mine, NOBODYS):
            answer = refused(
                bob.sends("GET", f"decisions/{other}{path}"), 404, "decision not found"
            )
            assert answer == {"error": "decision not found", "decision_id": other}
        refused(bob.sends("GET", f"decisions/1{path}"), 400, "invalid decision_id format")


def test_similar_ones_are_the_nearest_and_not_itself(agents: AgentsFloor, ann: Client) -> None:
    database = agents.app.database
    here = decided(database, [1.0, 0.0])
    near = decided(database, [1.0, 0.5], symbol="ETH/USDT")
    far = decided(database, [0.0, 1.0])
    nothing = decided(database)
    answer = ann.asks(f"decisions/{here}/similar")
    assert (answer["decision_id"], answer["count"], ids(answer, "similar")) == (
        here,
        2,
        [near, far],
    )
    assert [one["similarity"] for one in answer["similar"]] == [Decimal("0.8944"), 0]
    assert ids(ann.asks(f"decisions/{here}/similar", limit="1"), "similar") == [near]
    assert ann.asks(f"decisions/{here}/similar", limit="51")["count"] == 2
    assert ann.asks(f"decisions/{nothing}/similar")["similar"] == []
    for limit in ("0", "-1", "x", "1e1"):
        answer = ann.sends("GET", f"decisions/{here}/similar?limit={limit}")
        refused(answer, 400, "invalid limit parameter")
    found = ann.does("decisions/search", {"embedding": [1.0, 0.4] + [0] * 30, "limit": 2})
    assert [one["decision"]["id"] for one in found["results"]] == [near, here]
    assert found["search_type"] == "semantic"


def test_words_find_the_best_first(agents: AgentsFloor, ann: Client) -> None:
    database = agents.app.database
    little = decided(database, reasoning="RSI says that it is oversold, and MACD says nothing.")
    much = decided(database, reasoning="Oversold, oversold and oversold.", symbol="ETH/USDT")
    decided(database, reasoning="Overbought.")
    found = ann.does("decisions/search", {"query": "oversold"})
    assert [one["decision"]["id"] for one in found["results"]] == [much, little]
    assert (found["search_type"], found["query"], found["count"]) == ("text", "oversold", 2)
    only = ann.does("decisions/search", {"query": "oversold", "symbol": "BTC/USDT"})
    assert [one["decision"]["id"] for one in only["results"]] == [little]
    wrong: list[dict[str, Any]] = [
        *({}, {"query": "a", "embedding": [0.0] * 32}, {"embedding": [1.0]}),
        *({"query": "a" * 501}, {"query": "a", "limit": 101}, {"embedding": ["1"] * 32}),
    ]
    for body in wrong:
        refused(ann.sends("POST", "decisions/search", body), 400, "invalid request body")


def test_pending_ones_are_not_in_the_rate(agents: AgentsFloor, ann: Client) -> None:
    database = agents.app.database
    assert ann.asks("decisions/stats") == {
        "total_decisions": 0, "by_outcome": {"SUCCESS": 0, "FAILURE": 0, "PENDING": 0},
        "by_decision_type": {}, "avg_confidence": 0, "success_rate": 0, "avg_pnl": 0,
        "by_model": {}, "total_cost": 0, "avg_latency_ms": 0,
    }  # fmt: skip
    for outcome, pnl in (("SUCCESS", 3_000_000), ("SUCCESS", 1_000_000), ("FAILURE", -1_000_000)):
        decided(database, outcome=outcome, pnl_atoms=pnl)
    decided(database, outcome="PENDING", kind="consensus", model="other")
    assert ann.asks("decisions/stats").items() >= {
        "total_decisions": 4, "by_outcome": {"SUCCESS": 2, "FAILURE": 1, "PENDING": 1},
        "by_decision_type": {"signal": 3, "consensus": 1}, "by_model": {"rules": 3, "other": 1},
        "success_rate": Decimal("0.6667"), "avg_pnl": 1, "avg_confidence": Decimal("0.85"),
    }.items()  # fmt: skip
    assert ann.asks("decisions/stats", decision_type="consensus")["success_rate"] == 0


def test_everybody_says_once_what_a_decision_was_worth(agents: AgentsFloor, ann: Client) -> None:
    bob, made = agents.client(), decided(agents.app.database)
    said = {"rating": "positive", "comment": "In time.", "tags": ["timing"]}
    first = ann.does(f"decisions/{made}/feedback", said, 201)
    assert first.items() >= {**said, "is_mine": True, "decision_id": made}.items()
    again = ann.sends("POST", f"decisions/{made}/feedback", said)
    assert refused(again, 409, "feedback already exists")["decision_id"] == made
    bob.does(f"decisions/{made}/feedback", {"rating": "negative"}, 201)
    answer = bob.asks(f"decisions/{made}/feedback")
    assert answer["summary"] == {"positive": 1, "negative": 1}
    assert [one["is_mine"] for one in answer["feedback"]] == [True, False]
    path = f"feedback/{first['id']}"
    for method, body in (("PUT", {"rating": "negative"}), ("DELETE", None)):
        refused(bob.sends(method, path, body), 404, "feedback not found")
    assert ann.sends("PUT", path, {"rating": "negative"}).json()["comment"] is None
    assert ids(ann.asks("feedback"), "feedback") == [first["id"]]
    assert ann.sends("DELETE", path).status_code == 200
    assert ann.asks("feedback")["count"] == 0
    for wrong in ({}, {"rating": "so so"}, {**said, "tags": ["a"] * 21}, {**said, "user_id": 1}):
        answer = ann.sends("POST", f"decisions/{made}/feedback", wrong)
        refused(answer, 400, "invalid request body")
