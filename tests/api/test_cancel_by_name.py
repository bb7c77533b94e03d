"""Cancelling by the client's id and by list: each order is answered by itself."""

from typing import Any

from tests.api.deployment import Deployment, Person, error_of, small_order


def placed(person: Person, name: str) -> str:
    return str(person.post("/orders", small_order(clientOrderId=name)).json()["orderId"])


def cancels(exchange: Deployment, person: Person) -> list[str]:
    """The orders that a market was asked to cancel."""
    rows = exchange.database.execute(
        "SELECT c.order_id FROM commands c JOIN orders o ON o.id = c.order_id"
        " WHERE o.account_id = %s ORDER BY c.id",
        (person.user_id,),
    ).fetchall()
    ids = [f"order_{row[0]}" for row in rows]
    return [order_id for number, order_id in enumerate(ids) if order_id in ids[:number]]


def close(exchange: Deployment, order_id: str) -> None:
    exchange.database.execute(
        "UPDATE orders SET status = 4 WHERE id = %s", (int(order_id.removeprefix("order_")),)
    )


def test_an_order_is_cancelled_by_its_client_order_id(
    exchange: Deployment, alice: Person, bob: Person
) -> None:
    name = "mine/with a slash?"
    order_id, other = placed(alice, name), placed(alice, "other")
    asked = alice.delete("/orders", params={"clientOrderId": name})
    assert (asked.status_code, asked.json()) == (
        202,
        {"requested": 1, "status": "PENDING_CANCEL", "orderId": order_id},
    )
    assert cancels(exchange, alice) == [order_id]
    foreign = bob.delete("/orders", params={"clientOrderId": name})
    assert error_of(foreign) == (404, "ORDER_NOT_FOUND")
    close(exchange, other)
    ended = alice.delete("/orders", params={"clientOrderId": "other"})
    assert error_of(ended) == (409, "ORDER_NOT_OPEN")
    both = alice.delete("/orders", params={"clientOrderId": name, "marketId": "BTC-PERP"})
    assert error_of(both) == (400, "INVALID_REQUEST")
    assert cancels(exchange, alice) == [order_id]


def test_a_list_is_cancelled_order_by_order(
    exchange: Deployment, alice: Person, bob: Person
) -> None:
    first, second, ended = (placed(alice, name) for name in ("a", "b", "c"))
    foreign = placed(bob, "theirs")
    close(exchange, ended)
    wishes: list[Any] = [
        {"clientOrderId": "b"},
        {"orderId": foreign},
        {"orderId": first},
        {"clientOrderId": "theirs"},
        {"orderId": ended},
        {"orderId": "no id"},
        {"orderId": first, "clientOrderId": "a"},
        {},
        7,
    ]
    answer = alice.post("/orders/cancel-batch", {"orders": wishes})
    assert answer.status_code == 202
    told = [entry.get("status") or entry["error"]["code"] for entry in answer.json()["results"]]
    assert told == [
        "PENDING_CANCEL",
        "ORDER_NOT_FOUND",
        "PENDING_CANCEL",
        "ORDER_NOT_FOUND",
        "ORDER_NOT_OPEN",
        "ORDER_NOT_FOUND",
        "INVALID_REQUEST",
        "INVALID_REQUEST",
        "INVALID_REQUEST",
    ]
    assert answer.json()["results"][0] == {
        "orderId": second,
        "clientOrderId": "b",
        "status": "PENDING_CANCEL",
    }
    assert cancels(exchange, alice) == [second, first]
    assert cancels(exchange, bob) == []


def test_a_list_has_one_to_a_hundred_orders(alice: Person) -> None:
    for count in (0, 101):
        wishes = {"orders": [{"orderId": "order_1"}] * count}
        assert error_of(alice.post("/orders/cancel-batch", wishes)) == (400, "INVALID_REQUEST")
    hundred = alice.post("/orders/cancel-batch", {"orders": [{"orderId": "order_1"}] * 100})
    assert len(hundred.json()["results"]) == 100


def test_a_list_with_a_key_is_cancelled_once(exchange: Deployment, alice: Person) -> None:
    order_id = placed(alice, "a")
    wishes = {"orders": [{"orderId": order_id}]}
    first = alice.post("/orders/cancel-batch", wishes, key="k")
    close(exchange, order_id)
    again = alice.post("/orders/cancel-batch", wishes, key="k")
    assert first.json() == again.json()
    assert cancels(exchange, alice) == [order_id]
    other = alice.post("/orders/cancel-batch", {"orders": [{"clientOrderId": "a"}]}, key="k")
    assert error_of(other) == (409, "IDEMPOTENCY_KEY_REUSED")
