"""What outsiders have tried with the agents' routes, and must not come to pass again."""

import json
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from tests.api.agents_floor import AgentsFloor, Client
from tests.api.listening import listening
from tests.api.made_decisions import decided
from tests.api.test_agent_decisions import ids
from tests.api.test_agent_orders import refused
from tests.api.test_agents_stream import PATH, so_far

NUL_QUERIES = (
    *("decisions?symbol=", "decisions?decision_type=", "decisions?outcome=", "decisions?model="),
    *("decisions?agent_name=", "decisions/stats?symbol=", "decisions/stats?decision_type="),
)
WRONG_QUERY = "invalid request parameters"
HALF_A_PAIR = "\ud800"


@pytest.fixture
def ann(agents: AgentsFloor) -> Client:
    agents.app.database.execute("DELETE FROM decisions")
    return agents.client()


def test_nul_is_never_found_and_never_kept(agents: AgentsFloor, ann: Client) -> None:
    for path in ("agents/%00", "agents/a%00b/status", "positions/%00", "decisions/%00"):
        assert ann.sends("GET", path).status_code == 404
    for query in NUL_QUERIES:
        assert ann.sends("GET", f"{query}%00").status_code == 400
    made = decided(agents.app.database)
    for text in ("\0", "a\0b", HALF_A_PAIR, "\x1b[2J", "\u202e"):
        for said in ({"tags": [text]}, {"comment": text}):
            sent = f'{{"rating":"negative",{quoted(said)}}}'.encode()
            assert sends_bytes(ann, f"decisions/{made}/feedback", sent) == 400
        assert (
            sends_bytes(ann, "decisions/search", f"{{{quoted({'query': text})}}}".encode()) == 400
        )
    assert ann.asks("feedback/stats")["total"] == 0
    said = {"rating": "negative", "comment": "two\nlines,\tand é"}
    assert ann.does(f"decisions/{made}/feedback", said, 201)["comment"] == said["comment"]


def quoted(said: dict[str, Any]) -> str:
    """Without the braces; half of a pair is written as an escape."""
    return json.dumps(said)[1:-1]


def sends_bytes(who: Client, path: str, body: bytes) -> int:
    headers = {**who.headers, "Content-Type": "application/json"}
    return who.http.post(f"/api/v1/{path}", content=body, headers=headers).status_code


@pytest.mark.parametrize("scale", ["1e-45", "1e-300", "1e20", "1e39", "9e307"])
def test_how_long_a_vector_is_says_nothing(scale: str, agents: AgentsFloor, ann: Client) -> None:
    near, far = (decided(agents.app.database, one) for one in ([1.0, 1.0], [1.0, -1.0]))
    sent = f'{{"embedding":[{scale},{scale}{",0" * 30}]}}'
    headers = {**ann.headers, "Content-Type": "application/json"}
    answer = ann.http.post("/api/v1/decisions/search", content=sent, headers=headers)
    assert answer.status_code == 200, answer.text
    scores = {one["decision"]["id"]: one["score"] for one in answer.json()["results"]}
    assert scores == {near: 1, far: 0}


def test_what_is_shown_with_a_time_is_found_by_it(agents: AgentsFloor, ann: Client) -> None:
    made = decided(agents.app.database, created_at_us=1_736_935_200_999_999)
    (shown,) = ann.asks("decisions")["decisions"]
    at = shown["created_at"]
    assert ids(ann.asks("decisions", from_date=at, to_date=at)) == [made]
    assert ids(ann.asks("decisions", to_date="2025-01-15T10:00:00.5Z")) == []
    assert ann.asks("decisions/stats", to_date=at)["total_decisions"] == 1


def test_all_decisions_are_come_to_by_cursor(agents: AgentsFloor, ann: Client) -> None:
    clocks = (5, 1, 7, 3, 2, 6, 4)  # of several actors, each of which is late or early
    made = [decided(agents.app.database, created_at_us=10**15 + one) for one in clocks][::-1]
    seen, cursor = [], ""
    while True:
        answer = ann.sends("GET", f"decisions?limit=2{cursor}")
        seen += ids(answer.json())
        if "x-next-cursor" not in answer.headers:
            break
        cursor = f"&cursor={answer.headers['x-next-cursor']}"
    assert seen == made
    refused(ann.sends("GET", "decisions?cursor=agent_decisions.3.0"), 400, WRONG_QUERY)


def test_words_that_are_none_are_refused(agents: AgentsFloor, ann: Client) -> None:
    made = decided(agents.app.database, outcome="SUCCESS", pnl_atoms=1)
    assert ids(ann.asks("decisions", outcome="success", decision_type="SIGNAL")) == [made]
    for query in ("outcome=foo", "decision_type=foo", "offset=99999999999999999999"):
        refused(ann.sends("GET", f"decisions?{query}"), 400, WRONG_QUERY)
    assert ids(ann.asks("decisions", offset="-1")) == [made]
    said = refused(ann.sends("GET", "audit?action=zz"), 400, WRONG_QUERY)["details"]
    assert "one of session_started" in said
    assert "<" not in said


def test_an_order_in_a_refusal_is_called_as_everywhere(ann: Client) -> None:
    order = ann.places(client_order_id="mine", price=41_000)
    body = {"symbol": "BTC/USDT", "side": "BUY", "type": "LIMIT", "quantity": 0.1, "price": 41_001}
    answer = ann.sends("POST", "orders", body | {"client_order_id": "mine"})
    assert answer.status_code == 409
    assert UUID(answer.json()["order_id"]) == UUID(order["id"])
    ann.sends("DELETE", f"orders/{order['id']}")


def test_a_question_needs_no_right_to_trade(agents: AgentsFloor, ann: Client) -> None:
    sent = {"name": "eyes", "scopes": ["read"]}
    key = ann.http.post("/auth/api-keys", json=sent, headers=ann.headers).json()["key"]
    eyes = Client(ann.http, {"X-API-Key": key})
    decided(agents.app.database, prompt="zebra")
    assert eyes.does("decisions/search", {"query": "zebra"})["count"] == 1
    assert eyes.does("strategies/clone", {"name": "mine"})["name"] == "mine"
    order = {"symbol": "BTC/USDT", "side": "BUY", "type": "LIMIT", "quantity": 0.1, "price": 41_000}
    refused(eyes.sends("POST", "orders", order), 403, "forbidden")
    refused(
        eyes.sends("POST", "trade/start", {"symbol": "BTC/USDT", "initial_capital": 1}),
        403,
        "forbidden",
    )


def test_the_document_describes_a_name_as_its_own_family_means_it(agents: AgentsFloor) -> None:
    document = agents.app.http.get("/openapi.json").json()
    operation = document["paths"]["/api/v1/decisions"]["get"]
    told = {one["name"]: one.get("description", "") for one in operation["parameters"]}
    assert told["from_date"].startswith("Of this time or later")
    assert told["symbol"] == "A market by its name here, such as BTC/USDT."
    side = document["components"]["schemas"]["AgentPosition"]["properties"]["side"]
    assert side["description"] == "LONG or SHORT."


def test_numbers_of_an_account_never_go_back_and_nothing_is_told_twice(agents: AgentsFloor) -> None:
    ann, heard = agents.client(), []
    with listening(agents.app, headers=ann.headers, path=PATH) as ear:
        for _ in range(3):
            agents.offers("SELL", "42000", "0.3")
            session = ann.starts()
            for _ in range(3):
                ann.places(price=42_000, session_id=session)
            resting = ann.places(price=41_000, session_id=session)
            heard += ear.until("order_update", order_id=resting["id"])
        heard += so_far(ear)
    numbers: dict[str, list[int]] = {}
    told: dict[str, list[Any]] = {}
    for one in (one for one in heard if "account" in one):
        numbers.setdefault(one["account"], []).append(one["sequence"])
        if one["type"] == "order_update":
            told.setdefault(one["data"]["order_id"], []).append(one["data"])
    assert len(told) == 12
    assert all(a <= b for of_one in numbers.values() for a, b in pairwise(of_one))
    assert all(a != b for of_one in told.values() for a, b in pairwise(of_one))
