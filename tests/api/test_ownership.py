"""S1, S36: what belongs to somebody else is not there."""

from typing import Any

import pytest
from fastapi.routing import APIRoute

from api.app import SECTIONS
from api.door.callers import account_trader, account_viewer, chosen_account
from tests.api.deployment import Deployment, Person, error_of, small_order

MONEY = {"asset": "USDC", "amount": "1"}
BODIES: dict[str, Any] = {
    "POST /orders": small_order(clientOrderId="theirs"),
    "PATCH /orders/{order_id}": {"price": "59000"},
    "POST /orders/batch": {"orders": [small_order()]},
    "POST /orders/cancel-batch": {"orders": [{"clientOrderId": "mine"}]},
    "POST /account/cancel-after": {"timeoutMs": 0},
    "POST /deposits": MONEY,
    "POST /withdrawals": MONEY,
    "PUT /leverage": {"marketId": "ETH-PERP", "leverage": 20},
    "POST /api/orders": {
        "market": "ETH_USDC",
        "side": "BUY",
        "orderType": "LIMIT",
        "quantity": 0.01,
        "price": 59.91,
    },
    "POST /api/deposits": MONEY,
}
OF_ONE_ACCOUNT = sorted(
    f"{method} {route.path}"
    for section in SECTIONS
    for route in section.routes
    if isinstance(route, APIRoute)
    if {chosen_account, account_viewer, account_trader}
    & {dependency.call for dependency in route.dependant.dependencies}
    for method in route.methods or ()
)
"""Whatever takes the header that chooses an account."""

NO_ACCOUNT = {"error": "No such account", "code": "404"}
"""In the trading app's envelope."""

TABLES = ("orders", "balances", "ledger_entries", "commands", "leverages", "cancel_after")


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


def rows_of(exchange: Deployment, person: Person) -> list[Any]:
    """Everything that a stranger could have changed."""
    return [
        exchange.database.execute(
            f"SELECT to_jsonb(t) FROM {table} t WHERE account_id = %s ORDER BY 1",
            (person.user_id,),
        ).fetchall()
        for table in TABLES
    ]


def asked_of(person: Person, operation: str, order: str) -> Any:
    method, path = operation.split(" ")
    path = path.replace("{order_id}", order)
    headers, body = person.headers, BODIES.get(operation)
    return person.http.request(method, path, headers=headers, json=body)


def test_every_route_about_money_and_orders_takes_an_account() -> None:
    assert len(OF_ONE_ACCOUNT) == 24
    assert set(BODIES) <= set(OF_ONE_ACCOUNT)


@pytest.mark.parametrize("operation", OF_ONE_ACCOUNT)
def test_anothers_account_a_missing_one_and_no_id_are_the_same_bytes(
    operation: str, foreign: str, exchange: Deployment, alice: Person, bob: Person
) -> None:
    before, own = rows_of(exchange, alice), rows_of(exchange, bob)
    strange = (alice.account_name, alice.opened().account_name, "account_999999999", "account_1")
    no_ids = ("account_0", "account_01", f"{bob.user_id}", bob.name, "x" * 500, "")
    answers = [asked_of(bob.choosing(text), operation, foreign) for text in (*strange, *no_ids)]
    for answer in answers:
        if " /api/" in operation:
            assert (answer.status_code, answer.json()) == (404, NO_ACCOUNT)
        else:
            assert error_of(answer) == (404, "ACCOUNT_NOT_FOUND")
    assert len({answer.content for answer in answers}) == 1
    assert (rows_of(exchange, alice), rows_of(exchange, bob)) == (before, own)


@pytest.mark.parametrize("operation", OF_ONE_ACCOUNT)
def test_ones_own_main_account_by_its_name_is_the_one_that_is_meant_without_it(
    operation: str, exchange: Deployment
) -> None:
    silent, saying = exchange.person(), exchange.person()
    saying = saying.choosing(saying.account_name)
    first, second = (asked_of(person, operation, "order_1") for person in (silent, saying))
    assert first.status_code == second.status_code
    assert first.status_code in (200, 201, 202) or "{order_id}" in operation


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/accounts/{}", {"name": "mine now"}),
        ("PATCH", "/accounts/{}", {"archived": True}),
        ("POST", "/accounts/{}/reset", None),
        ("POST", "/accounts/transfers", {"from": "{}", "to": "own"}),
        ("POST", "/accounts/transfers", {"from": "own", "to": "{}"}),
        ("POST", "/accounts/transfers", {"from": "{}", "to": "{}"}),
    ],
)
def test_an_account_that_is_named_otherwise_is_ones_own_too(
    method: str, path: str, body: Any, exchange: Deployment, alice: Person, bob: Person
) -> None:
    theirs = alice.opened(USDC="5")
    answers = []
    for name in (theirs.account_name, alice.account_name, "account_999999999", "account_0"):
        sent = dict(body or {})
        if path == "/accounts/transfers":
            known = {"{}": name, "own": bob.account_name}
            sent = {key: known[value] for key, value in sent.items()} | MONEY
        answer = bob.http.request(
            method, path.format(name), headers=bob.headers, json=sent if body else None
        )
        answers.append(answer)
    assert {error_of(answer) for answer in answers} == {(404, "ACCOUNT_NOT_FOUND")}
    assert len({answer.content for answer in answers}) == 1
    assert theirs.get("/balances").json()[0]["total"] == "5"
    assert [one["id"] for one in alice.get("/accounts").json()] == [
        alice.account_name,
        theirs.account_name,
    ]


def test_a_header_that_is_empty_or_stands_twice_names_no_account(alice: Person) -> None:
    own = f"account_{alice.user_id}"
    for named in ([("X-Account", "")], [("X-Account", own), ("X-Account", own)]):
        headers = [*alice.headers.items(), *named]
        assert error_of(alice.http.get("/balances", headers=headers)) == (404, "ACCOUNT_NOT_FOUND")
        assert error_of(alice.http.post("/orders", headers=headers, json=small_order())) == (
            404,
            "ACCOUNT_NOT_FOUND",
        )
