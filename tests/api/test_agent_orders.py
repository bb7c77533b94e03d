"""Orders and positions by symbol: the exchange's own rows, in JSON numbers and UUIDs."""

from decimal import Decimal
from typing import Any

import pytest

from tests.api.agents_floor import SYMBOL, AgentsFloor, Client
from tests.waiting import eventually

ERROR_KEYS = {
    "error",
    "decision_id",
    "details",
    "field",
    "order_id",
    "symbol",
    "session_id",
    "status",
    "errors",
}


def refused(answer: Any, status: int, error: str) -> Any:
    """What else a refusal says."""
    body = answer.json()
    assert (answer.status_code, body["error"]) == (status, error), answer.text
    assert set(body) <= ERROR_KEYS
    return body


def test_an_order_a_fill_and_a_position(agents: AgentsFloor) -> None:
    agents.clear()
    ann = agents.client()
    order = ann.places(price=41_999.5)
    assert (order["status"], order["price"]) == ("NEW", Decimal("41999.5"))
    agents.offers("SELL", "41999.5", "0.06")
    agents.offers("SELL", "41999.5", "0.04")
    filled = ann.sees(order["id"], "FILLED")
    assert filled["executed_quote_quantity"] == Decimal("4199.95")
    assert filled["filled_at"] is not None
    position = ann.asks("positions/BTC/USDT")["position"]
    assert position == ann.asks("positions/BTC%2FUSDT")["position"]
    assert filled["position_id"] == position["id"]
    assert position.items() >= {
        "symbol": SYMBOL, "side": "LONG", "quantity": Decimal("0.1"), "session_id": None,
        "entry_price": Decimal("41999.5"), "exit_price": None, "exit_reason": None,
        "unrealized_pnl": Decimal("0.05"), "realized_pnl": 0,
    }.items()  # fmt: skip
    stop = ann.places(side="sell", type="stop_loss", stop_price=40_000, reduce_only=True)
    assert (stop["type"], stop["stop_price"], stop["price"]) == ("STOP_LOSS", 40_000, None)
    ann.places(side="SELL", type="TAKE_PROFIT", stop_price=45_000, reduce_only=True)
    (position,) = ann.asks("positions")["positions"]
    assert (position["stop_loss"], position["take_profit"]) == (40_000, 45_000)
    agents.offers("BUY", "42000", "0.3")
    ann.places(side="SELL", type="MARKET", quantity=0.25)
    closed = closed_of(ann)
    assert closed.items() >= {
        "id": position["id"], "exit_price": 42_000, "realized_pnl": Decimal("0.05"),
        "exit_reason": "manual", "quantity": Decimal("0.1"),
        "stop_loss": 40_000, "take_profit": 45_000,
    }.items()  # fmt: skip
    flipped = ann.asks("positions/BTC/USDT")["position"]
    assert (flipped["side"], flipped["quantity"]) == ("SHORT", Decimal("0.15"))
    agents.floor.settled()


def closed_of(who: Client) -> Any:
    return eventually(lambda: who.asks("positions", status="closed")["positions"])[0]


def test_who_cancels_is_told_the_true_end(agents: AgentsFloor) -> None:
    ann = agents.client()
    order = ann.places(price=30_000)
    gone = ann.sends("DELETE", f"orders/{order['id']}")
    assert (gone.status_code, gone.json()["message"]) == (200, "Order cancelled successfully")
    assert gone.json()["order"]["status"] == "CANCELED"
    assert gone.json()["order"]["canceled_at"] is not None
    again = refused(ann.sends("DELETE", f"orders/{order['id']}"), 400, "order cannot be cancelled")
    assert again["status"] == "CANCELED"


def test_the_documented_refusals(agents: AgentsFloor) -> None:
    ann, bob = agents.client(), agents.client()
    mine = ann.places(price=30_000)["id"]
    nobodys = "123e4567-e89b-12d3-a456-426614174000"
    for ask in ("GET", "DELETE"):
        refused(ann.sends(ask, "orders/123"), 400, "invalid order_id format")
        for other in (mine, mine.upper(), nobodys):
            answer = refused(bob.sends(ask, f"orders/{other}"), 404, "order not found")
            assert answer == {"error": "order not found", "order_id": other.lower()}
    order = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "quantity": 0.1}
    answer = refused(ann.sends("POST", "orders", order), 400, "invalid request body")
    assert answer["details"] == "Price is required for limit orders"
    assert ann.asks(f"orders/{mine}")["order"]["status"] == "NEW"
    refused(ann.sends("GET", "positions/ETH/USDT"), 404, "position not found")
    refused(ann.sends("GET", "positions?session_id=1"), 400, "invalid session_id format")
    refused(ann.sends("GET", f"positions?session_id={nobodys}"), 404, "session not found")
    refused(ann.sends("GET", "nothing"), 404, "not found")
    refused(ann.sends("PUT", "orders"), 405, "method not allowed")
    ann.sends("DELETE", f"orders/{mine}")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"symbol": "DOGE/USDT"}, "symbol"),
        ({"side": "HOLD"}, "side"),
        ({"type": "TRAILING"}, "type"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": -1}, "quantity"),
        ({"quantity": 0.0001}, "quantity"),
        ({"quantity": True}, "quantity"),
        ({"price": 41_500.55}, "price"),
        ({"stop_price": 40_000}, "stop_price"),
        ({"type": "STOP_LOSS", "price": None}, "stop_price"),
        ({"status": "FILLED"}, "status"),
        ({"account_id": 1}, "account_id"),
    ],
)
def test_what_is_wrong_is_said(changes: dict[str, Any], field: str, agents: AgentsFloor) -> None:
    order = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "quantity": 0.1, "price": 41_500}
    answer = agents.paper.sends("POST", "orders", order | changes)
    assert refused(answer, 400, "invalid request body")["field"] == field


def test_filters_hold_together_and_pages_follow(agents: AgentsFloor) -> None:
    ann = agents.client()
    session = ann.starts()
    ids = [ann.places(price=30_000 + number)["id"] for number in range(3)]
    within = ann.places(price=30_100, session_id=session)["id"]
    ann.sends("DELETE", f"orders/{ids[0]}")
    assert [one["id"] for one in ann.asks("orders")["orders"]] == [within, *ids[::-1]]
    (only,) = ann.asks("orders", session_id=session)["orders"]
    assert (only["id"], only["session_id"]) == (within, session)
    found = ann.asks("orders", symbol=SYMBOL, status="canceled")["orders"]
    assert [one["id"] for one in found] == ids[:1]
    assert ann.asks("orders", symbol="ETH/USDT")["count"] == 0
    assert ann.asks("orders", session_id=session, status="FILLED")["count"] == 0
    first = ann.sends("GET", "orders?limit=3")
    rest = ann.asks("orders", cursor=first.headers["X-Next-Cursor"])["orders"]
    assert [one["id"] for one in rest] == ids[:1]
    for order in (within, *ids[1:]):
        ann.sends("DELETE", f"orders/{order}")


def test_the_same_key_and_the_same_name_are_the_same_order(agents: AgentsFloor) -> None:
    ann = agents.client()
    sent = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "quantity": 0.1, "price": 30_000}
    answers = [
        ann.sends("POST", "orders", sent | {"client_order_id": "a"}, **{"Idempotency-Key": "k"})
        for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    other = ann.sends("POST", "orders", sent | {"client_order_id": "a", "quantity": 0.2})
    refused(other, 409, "duplicate client order id")
    ann.sends("DELETE", f"orders/{answers[0].json()['order']['id']}")
