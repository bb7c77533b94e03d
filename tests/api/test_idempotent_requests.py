"""The same request once, however often it comes."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.deployment import DOCUMENTED_ORDER, Deployment, Person, error_of, small_order


def test_the_same_client_order_id_and_body_is_the_same_order(alice: Person) -> None:
    first = alice.post("/orders", DOCUMENTED_ORDER)
    again = alice.post("/orders", DOCUMENTED_ORDER)
    spelled = alice.post("/orders", DOCUMENTED_ORDER | {"quantity": "1.250", "side": "buy"})
    assert first.json() == again.json() == spelled.json()
    assert len(alice.get("/orders").json()) == 1


@pytest.mark.parametrize("change", [{"quantity": "1.251"}, {"leverage": 9}, {"side": "SELL"}])
def test_the_same_client_order_id_with_another_body_is_409(
    change: dict[str, Any], alice: Person
) -> None:
    first = alice.post("/orders", DOCUMENTED_ORDER).json()
    other = alice.post("/orders", DOCUMENTED_ORDER | change)
    assert error_of(other) == (409, "DUPLICATE_CLIENT_ORDER_ID")
    assert other.json()["error"]["details"]["orderId"] == first["orderId"]


def test_an_order_is_repeated_even_while_its_market_takes_no_new_ones(
    exchange: Deployment, alice: Person
) -> None:
    first = alice.post("/orders", DOCUMENTED_ORDER)
    halt = "UPDATE markets SET status = %s WHERE market_id = 'BTC-PERP'"
    exchange.database.execute(halt, (3,))
    try:
        assert alice.post("/orders", DOCUMENTED_ORDER).json() == first.json()
        refused = alice.post("/orders", small_order())
        assert error_of(refused) == (400, "INVALID_ORDER")
        assert refused.json()["error"]["details"]["reason"] == "MARKET_NOT_OPEN"
    finally:
        exchange.database.execute(halt, (1,))


def test_twenty_at_once_with_one_client_order_id_are_one_order(alice: Person) -> None:
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: alice.post("/orders", DOCUMENTED_ORDER), range(20)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["orderId"] for answer in answers}) == 1


def test_an_order_is_repeated_by_its_idempotency_key(alice: Person) -> None:
    first = alice.post("/orders", small_order(), key="key-1")
    again = alice.post("/orders", small_order(), key="key-1")
    assert first.json()["orderId"] == again.json()["orderId"]
    other = alice.post("/orders", small_order(price="60001"), key="key-1")
    assert error_of(other) == (409, "IDEMPOTENCY_KEY_REUSED")


def test_twenty_deposits_at_once_with_one_key_are_one_deposit(alice: Person) -> None:
    def deposit(_: int) -> Any:
        return alice.post("/deposits", {"asset": "USDC", "amount": "100"}, key="once")

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(deposit, range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert {answer.json()["total"] for answer in answers} == {"10100"}
    assert alice.get("/balances").json()[0]["total"] == "10100"


def test_a_key_of_another_request_is_409(alice: Person) -> None:
    alice.post("/deposits", {"asset": "USDC", "amount": "100"}, key="k")
    other = alice.post("/deposits", {"asset": "USDC", "amount": "101"}, key="k")
    assert error_of(other) == (409, "IDEMPOTENCY_KEY_REUSED")
    elsewhere = alice.post("/withdrawals", {"asset": "USDC", "amount": "100"}, key="k")
    assert error_of(elsewhere) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert alice.get("/balances").json()[0]["total"] == "10100"


def test_a_refused_request_leaves_its_key_free(alice: Person) -> None:
    too_much = {"asset": "USDC", "amount": "10001"}
    assert error_of(alice.post("/withdrawals", too_much, key="k"))[0] == 400
    alice.post("/deposits", {"asset": "USDC", "amount": "1"})
    assert alice.post("/withdrawals", too_much, key="k").status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "x" * 129])
def test_a_key_that_is_none_is_refused(key: str, alice: Person) -> None:
    headers = alice.headers | {"Idempotency-Key": key}
    refused = alice.http.post("/account/reset", headers=headers)
    assert refused.status_code == 400


def test_a_batch_is_repeated_order_by_order(exchange: Deployment, alice: Person) -> None:
    batch = {"orders": [small_order(), small_order(price="60000.1"), small_order(price="1.01")]}
    first = alice.post("/orders/batch", batch, key="b").json()["results"]
    again = alice.post("/orders/batch", batch, key="b").json()["results"]
    assert first == again
    assert [("orderId" in entry, "error" in entry) for entry in first] == [
        (True, False),
        (True, False),
        (False, True),
    ]
    assert first[2]["error"]["code"] == "INVALID_ORDER"
    assert len(alice.get("/orders").json()) == 2


def test_registering_twice_with_the_same_password_is_one_user(exchange: Deployment) -> None:
    body = {"email": "twice@example.com", "password": "long-password"}
    first = exchange.http.post("/auth/register", json=body)
    again = exchange.http.post("/auth/register", json=body)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
