"""What feedback comes to; that of a session's decisions is its user's alone."""

from tests.api.agents_floor import AgentsFloor
from tests.api.documented_requests import exact
from tests.api.made_decisions import decided, of_session
from tests.api.test_agent_orders import refused

NOBODYS = "123e4567-e89b-12d3-a456-426614174000"


def test_feedback_is_counted_for_whom_it_is(agents: AgentsFloor) -> None:
    database = agents.app.database
    database.execute("DELETE FROM decisions")
    ann, bob = agents.client(), agents.client()
    empty = ann.asks("feedback/stats")
    assert (empty["total"], empty["positive_rate"], empty["by_agent"]) == (0, 0, {})
    assert ann.asks("feedback/review") == {"decisions": [], "count": 0}
    session = ann.starts()
    mine, good, bad, worse = (
        decided(database, **of_session(session)),
        *(decided(database) for _ in range(3)),
    )
    for who, decision, rating, tags in (
        (ann, mine, "negative", ["too_large"]), (ann, good, "positive", ["good_timing"]),
        (ann, bad, "negative", []), (bob, bad, "positive", ["good_timing", "other"]),
        (ann, worse, "negative", ["good_timing"]), (bob, worse, "negative", []),
    ):  # fmt: skip
        made = who.does(f"decisions/{decision}/feedback", {"rating": rating, "tags": tags}, 201)
        assert who.asks(f"feedback/{made['id']}") == made
        if decision == mine:
            refused(bob.sends("GET", f"feedback/{made['id']}"), 404, "feedback not found")
    told = ann.asks("feedback/stats")
    assert told == {
        "total": 6, "positive": 2, "negative": 4, "positive_rate": exact("0.3333"),
        "by_agent": {
            "risk-agent": {"positive": 0, "negative": 1},
            "trend-agent": {"positive": 2, "negative": 3},
        },
        "by_decision_type": {
            "risk_approval": {"positive": 0, "negative": 1},
            "signal": {"positive": 2, "negative": 3},
        },
        "top_tags": {"good_timing": 3, "other": 1, "too_large": 1},
    }  # fmt: skip
    assert bob.asks("feedback/stats")["total"] == 5
    for who, wanted in ((ann, [worse, mine, bad]), (bob, [worse, bad])):
        doubted = who.asks("feedback/review")["decisions"]
        assert [one["decision"]["id"] for one in doubted] == wanted
    assert doubted[1]["summary"] == {"positive": 1, "negative": 1}
    assert ann.asks("feedback/review", limit="1")["count"] == 1
    refused(ann.sends("GET", "feedback/review?limit=101"), 400, "invalid request parameters")
    refused(ann.sends("GET", f"feedback/{NOBODYS}"), 404, "feedback not found")
    refused(ann.sends("GET", "feedback/7"), 400, "invalid feedback_id format")
    assert ann.asks("feedback/tags")["count"] == 10
