"""S1, S36: what belongs to somebody else is not there."""

import pytest

from tests.api.deployment import Deployment, Person, error_of, small_order


@pytest.fixture
def foreign(alice: Person) -> str:
    return str(alice.post("/orders", small_order(clientOrderId="mine")).json()["orderId"])


@pytest.mark.parametrize("method", ["get", "delete"])
def test_s1_a_foreign_order_and_a_missing_one_are_the_same_bytes(
    method: str, foreign: str, alice: Person, bob: Person
) -> None:
    ask = getattr(bob, method)
    theirs, missing = ask(f"/orders/{foreign}"), ask("/orders/order_999999999")
    assert error_of(theirs) == (404, "ORDER_NOT_FOUND")
    assert theirs.content == missing.content
    assert alice.get(f"/orders/{foreign}").json()["status"] == "PENDING"


@pytest.mark.parametrize(
    "text",
    ["order_0", "order_01", "ORDER_1", "order_-1", "order_99999999999999999999", "1", "order_1 "],
)
def test_s1_an_id_that_does_not_read_back_is_nobodys(text: str, bob: Person) -> None:
    assert error_of(bob.get(f"/orders/{text}")) == (404, "ORDER_NOT_FOUND")


def test_s1_lists_never_show_anothers_rows(foreign: str, bob: Person) -> None:
    assert bob.get("/orders").json() == []
    assert bob.get("/orders", params={"clientOrderId": "mine"}).json() == []
    assert bob.get("/fills", params={"orderId": foreign}).json() == []
    assert bob.get("/ledger").json() == bob.get("/ledger").json()
    assert all(row["userId"] == bob.name for row in bob.get("/ledger").json())


def test_s1_cancelling_everything_cancels_only_ones_own(
    foreign: str, alice: Person, bob: Person
) -> None:
    assert bob.delete("/orders").json()["requested"] == 0
    assert alice.get(f"/orders/{foreign}").json()["status"] == "PENDING"


def test_s36_a_client_order_id_is_ones_own(foreign: str, bob: Person) -> None:
    theirs = bob.post("/orders", small_order(clientOrderId="mine", price="59000"))
    assert theirs.status_code == 202
    assert theirs.json()["orderId"] != foreign


def test_s36_an_idempotency_key_is_ones_own(exchange: Deployment, alice: Person) -> None:
    bob = exchange.person()
    first = alice.post("/deposits", {"asset": "USDC", "amount": "5"}, key="k")
    second = bob.post("/deposits", {"asset": "USDC", "amount": "7"}, key="k")
    assert (first.json()["total"], second.json()["total"]) == ("10005", "10007")
