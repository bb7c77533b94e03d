"""An Idempotency-Key names one request of an account, on whatever route: asked again it is
answered as before, and nothing else may use it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.deployment import Deployment, Person, error_of, small_order

MONEY = {"asset": "USDC", "amount": "1"}
ROUTES: dict[str, tuple[Any, Any]] = {
    "/orders": (small_order(), small_order(price="60001")),
    "/orders/batch": ({"orders": [small_order()]}, {"orders": [small_order()] * 2}),
    "/orders/cancel-batch": (
        {"orders": [{"clientOrderId": "a"}]},
        {"orders": [{"clientOrderId": "b"}]},
    ),
    "/deposits": (MONEY, MONEY | {"amount": "2"}),
    "/withdrawals": (MONEY, MONEY | {"amount": "2"}),
    "/account/cancel-after": ({"timeoutMs": 86_000_000}, {"timeoutMs": 86_000_001}),
    "/account/reset": ({"balances": {"USDC": "500"}}, {"balances": {"USDC": "501"}}),
    "/simulations": ({"scenario": "calm", "seed": 1}, {"scenario": "calm", "seed": 2}),
}
SHOWN_ONCE: dict[str, tuple[Any, Any]] = {
    "/auth/api-keys": ({"name": "bot", "scopes": ["read"]}, {"name": "bot", "scopes": ["trade"]}),
}
"""Routes whose first answer nobody can repeat."""

EVERY_ROUTE = ROUTES | SHOWN_ONCE
TWO_ROUTES = {"/account/reset": "POST /account/reset or POST /accounts/{accountId}/reset"}
"""What two routes do under one key, as a refusal calls it."""


def effects(exchange: Deployment, person: Person) -> list[Any]:
    """Everything of this account that a POST could have changed."""
    counted = [
        exchange.database.execute(
            f"SELECT count(*) FROM {table} WHERE account_id = %s", (person.user_id,)
        ).fetchone()
        for table in ("orders", "commands", "ledger_entries", "transfers", "simulations")
    ]
    counted += exchange.database.execute(
        "SELECT count(*) FROM api_keys WHERE user_id = %s", (person.user_id,)
    ).fetchall()
    deadline = exchange.database.execute(
        "SELECT deadline_us FROM cancel_after WHERE account_id = %s", (person.user_id,)
    ).fetchone()
    return [*counted, deadline, person.get("/balances").json()]


@pytest.mark.parametrize("path", ROUTES)
def test_the_same_request_again_is_answered_as_before_and_changes_nothing(
    path: str, exchange: Deployment, alice: Person
) -> None:
    first = alice.post(path, ROUTES[path][0], key="k")
    assert first.is_success, first.text
    before = effects(exchange, alice)
    again = alice.post(path, ROUTES[path][0], key="k")
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert effects(exchange, alice) == before


def test_a_key_whose_text_was_shown_is_not_made_again(exchange: Deployment, alice: Person) -> None:
    wish, another = SHOWN_ONCE["/auth/api-keys"]
    made = alice.post("/auth/api-keys", wish, key="k").json()
    before = effects(exchange, alice)
    for sent in (wish, wish | {"scopes": ["read"] * 2}):
        again = alice.post("/auth/api-keys", sent, key="k")
        assert error_of(again) == (409, "IDEMPOTENCY_KEY_REUSED")
        assert again.json()["error"]["details"] == {"apiKeyId": made["id"]}
        assert made["id"] in again.json()["error"]["message"]
        assert made["key"] not in again.text
    assert effects(exchange, alice) == before
    assert alice.post("/auth/api-keys", another, key="l").status_code == 201


def test_one_of_many_at_once_is_shown_its_api_key(alice: Person) -> None:
    wish, _ = SHOWN_ONCE["/auth/api-keys"]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: alice.post("/auth/api-keys", wish, "k"), range(8)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]
    assert len(alice.get("/auth/api-keys").json()) == 1


@pytest.mark.parametrize("path", EVERY_ROUTE)
def test_a_used_key_is_refused_to_another_body_and_to_every_other_route(
    path: str, exchange: Deployment, alice: Person
) -> None:
    body, another = EVERY_ROUTE[path]
    alice.post(path, body, key="k")
    before = effects(exchange, alice)
    first = TWO_ROUTES.get(path, f"POST {path}")
    others = {other: EVERY_ROUTE[other][0] for other in EVERY_ROUTE if other != path}
    for other, sent in {**others, path: another}.items():
        refused = alice.post(other, sent, key="k")
        assert error_of(refused) == (409, "IDEMPOTENCY_KEY_REUSED"), other
        how = "for another request" if other == path else f"by {first}"
        message = refused.json()["error"]["message"]
        assert message == f"This Idempotency-Key was used before {how}"
    assert effects(exchange, alice) == before


def test_a_key_answers_what_the_order_was_first(exchange: Deployment, alice: Person) -> None:
    first = alice.post("/orders", small_order(), key="k").json()
    exchange.database.execute(
        "UPDATE orders SET status = 4 WHERE account_id = %s", (alice.user_id,)
    )
    assert alice.post("/orders", small_order(), key="k").json() == first


def test_the_key_of_a_batch_is_not_the_keys_of_its_orders(alice: Person) -> None:
    batch = {"orders": [small_order(), small_order(price="60001")]}
    assert alice.post("/orders/batch", batch, key="k").status_code == 202
    assert alice.post("/orders", small_order(price="59999"), key="k#0").status_code == 202
    other = alice.post("/orders/batch", {"orders": batch["orders"][:1]}, key="k#1")
    assert "orderId" in other.json()["results"][0]
    assert len(alice.get("/orders").json()) == 4


def test_a_batch_remembers_its_refusals_too(exchange: Deployment, alice: Person) -> None:
    batch = {
        "orders": [
            small_order(clientOrderId="twice"),
            small_order(quantity="900"),
            {"side": "BUY"},
            small_order(clientOrderId="twice"),
            small_order(clientOrderId="twice", price="60001"),
        ]
    }
    first = alice.post("/orders/batch", batch, key="k").json()["results"]
    assert first[0] == first[3]
    codes = [entry["error"]["code"] for entry in first if "error" in entry]
    assert codes == ["INSUFFICIENT_MARGIN", "INVALID_ORDER", "DUPLICATE_CLIENT_ORDER_ID"]
    alice.post("/deposits", {"asset": "USDC", "amount": "100000000"})
    assert alice.post("/orders/batch", batch, key="k").json()["results"] == first
    refused = {"orders": [{"side": "BUY"}]}
    nothing = alice.post("/orders/batch", refused, key="nothing").json()
    assert alice.post("/orders/batch", refused, key="nothing").json() == nothing
    other = alice.post("/orders/batch", {"orders": [{"side": "SELL"}]}, key="nothing")
    assert error_of(other) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert len(alice.get("/orders").json()) == 1


@pytest.mark.parametrize("path", ["/orders", "/orders/batch", "/deposits"])
def test_twenty_at_once_with_one_key_have_one_effect(
    path: str, exchange: Deployment, alice: Person
) -> None:
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: alice.post(path, ROUTES[path][0], key="k"), range(20)))
    assert {answer.is_success for answer in answers} == {True}
    assert len({answer.text for answer in answers}) == 1
    made = effects(exchange, alice)
    assert made[0] == (0 if path == "/deposits" else 1,)
    assert made[3] == (1 if path == "/deposits" else 0,)


def test_one_key_at_once_on_two_routes_is_one_request(exchange: Deployment) -> None:
    people = [exchange.person() for _ in range(10)]

    def race(number: int) -> int:
        path = ("/orders", "/deposits", "/account/cancel-after")[number % 3]
        return people[number // 3].post(path, ROUTES[path][0], key="k").status_code

    with ThreadPoolExecutor(6) as threads:
        statuses = list(threads.map(race, range(30)))
    for person in range(10):
        mine = sorted(statuses[3 * person : 3 * person + 3])
        assert mine[1:] == [409, 409]
        assert mine[0] in (200, 201, 202)


def test_a_refused_single_order_leaves_its_key_free(alice: Person) -> None:
    dear = small_order(quantity="900")
    assert error_of(alice.post("/orders", dear, key="k")) == (400, "INSUFFICIENT_MARGIN")
    assert alice.post("/orders", small_order(), key="k").status_code == 202
