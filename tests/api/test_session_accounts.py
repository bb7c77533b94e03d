"""What is ordered in a session's account beside the session's own routes."""

from dataclasses import replace
from typing import Any

import pytest

from tests.api.agents_floor import AgentsFloor, Client
from tests.api.deployment import Person
from tests.api.trading_floor import order_of, placed, seen, stop

NO_MORE = "The session does not trade any more"
RESTS = {"marketId": "BTC-PERP", "price": "41500"}
WAITS = stop(marketId="BTC-PERP", triggerPrice="43000", quantity="0.1", linkId="both")


def dealing(agents: AgentsFloor) -> tuple[Person, Client, str]:
    """Somebody in their session's account, the same in the agents' words, and the session."""
    owner = agents.app.person("100000")
    ann = Client(agents.app.http, owner.headers)
    session = ann.starts()
    return owner.choosing(ann.asks(f"sessions/{session}")["session"]["account"]), ann, session


def set_to(agents: AgentsFloor, session: str, status: str) -> None:
    statement = "UPDATE trading_sessions SET status = %s WHERE id = %s"
    agents.app.database.execute(statement, (status, session))


@pytest.mark.parametrize("status", ["STOPPING", "STOPPED"])
def test_whoever_orders_in_a_session_that_ends_is_refused_in_every_family(
    status: str, agents: AgentsFloor
) -> None:
    agents.clear()
    within, ann, session = dealing(agents)
    resting = placed(within, **RESTS)
    seen(within, resting, status="OPEN")
    waiting = placed(within, **WAITS)
    set_to(agents, session, status)
    sent = {"side": "BUY", "type": "LIMIT", "quantity": "0.1", **RESTS}
    market = {"marketId": "BTC-PERP", "side": "BUY", "type": "MARKET", "quantity": "0.1"}
    for body in (sent, market, {"side": "SELL", **WAITS}):
        answer = within.post("/orders", body)
        assert (answer.status_code, answer.json()["error"]["message"]) == (400, NO_MORE)
        assert answer.json()["error"]["details"] == {"status": status}
    batch = within.post("/orders/batch", {"orders": [sent, market]}).json()["results"]
    assert [one["error"]["message"] for one in batch] == [NO_MORE] * 2
    for order, wish in ((resting, {"price": "41499"}), (waiting, {"triggerPrice": "43100"})):
        answer = within.patch(f"/orders/{order}", wish)
        assert (answer.status_code, answer.json()["error"]["message"]) == (400, NO_MORE)
    agent_order = {"symbol": "BTC/USDT", "side": "BUY", "type": "MARKET", "quantity": 0.1}
    refused = ann.sends("POST", "orders", agent_order | {"session_id": session})
    assert (refused.status_code, refused.json()) == (
        400,
        {"error": "session is not running", "details": NO_MORE, "status": status},
    )
    assert within.delete("/orders").status_code == 202
    seen(within, resting, status="CANCELLED")


def test_what_was_accepted_before_the_end_is_repeated_after_it(agents: AgentsFloor) -> None:
    within, _, session = dealing(agents)
    first = placed(within, clientOrderId="mine", **RESTS)
    set_to(agents, session, "STOPPED")
    assert placed(within, clientOrderId="mine", **RESTS) == first
    assert order_of(within, first)["clientOrderId"] == "mine"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/orders", {"marketId": "ETH_USDC", "type": "LIMIT", "price": "3500"}),
        ("/orders", {"marketId": "ETH-PERP", "type": "LIMIT", "price": "3500"}),
        ("/api/orders", {"market": "ETH_USDC", "orderType": "LIMIT", "price": "3500"}),
        ("/api/v1/orders", {"symbol": "ETH/USDT", "type": "LIMIT", "price": 3500, "quantity": 0.1}),
    ],
)
def test_a_session_trades_the_market_of_its_symbol_alone(
    path: str, body: dict[str, Any], agents: AgentsFloor
) -> None:
    within, _, session = dealing(agents)
    sent = {"side": "BUY", "quantity": "0.1", **body}
    answer = within.post(path, sent)
    if path.startswith("/api/v1"):
        assert "no header X-Account" in answer.text
        answer = replace(within, account=None).post(path, sent | {"session_id": session})
    assert answer.status_code == 400, answer.text
    assert "on BTC/USDT: it takes orders in BTC-PERP alone" in answer.text
    assert [one["asset"] for one in within.get("/balances").json()] == ["USDC"]
