"""Accounts are not users: one who logs in has several, each with its own money and orders."""

from decimal import Decimal
from typing import Any

import pytest

from storage.people.owned_accounts import ACCOUNTS_MAX
from tests.api.deployment import Deployment, Person, error_of, small_order
from tests.builders import position

NAMELESS = [{}, {"name": ""}, {"name": "x" * 65}, {"name": "a\u0000"}, {"name": 5}, {"name": None}]


def moved(source: Person, target: Person, amount: str = "1", key: str | None = None) -> Any:
    body = {
        "from": source.account_name,
        "to": target.account_name,
        "asset": "USDC",
        "amount": amount,
    }
    return source.post("/accounts/transfers", body, key)


def total(person: Person) -> str:
    return str(person.get("/balances").json()[0]["total"])


def test_a_new_user_has_a_main_account_with_their_number(exchange: Deployment) -> None:
    guest = exchange.http.post("/auth/guest").json()
    headers = {"Authorization": f"Bearer {guest['token']}"}
    (main,) = exchange.http.get("/accounts", headers=headers).json()
    assert main["id"] == main["accountId"] == guest["userId"].replace("user", "account")
    assert (main["kind"], main["userId"]) == ("MAIN", guest["userId"])
    assert "name" not in main


def test_paper_accounts_are_listed_after_the_main_one(alice: Person) -> None:
    first, second = alice.opened("momentum"), alice.opened("value", USDC="250.5")
    listed = alice.get("/accounts").json()
    assert [one["id"] for one in listed] == [
        alice.account_name,
        first.account_name,
        second.account_name,
    ]
    assert [(one["kind"], one.get("name")) for one in listed[1:]] == [
        ("PAPER", "momentum"),
        ("PAPER", "value"),
    ]
    assert (total(first), total(second), total(alice)) == ("0", "250.5", "10000")
    assert second.get("/ledger").json()[0]["type"] == "DEPOSIT"


@pytest.mark.parametrize("body", NAMELESS, ids=repr)
def test_an_account_has_a_name_as_an_api_key_has(body: Any, alice: Person) -> None:
    assert error_of(alice.post("/accounts", body)) == (400, "INVALID_REQUEST")
    assert len(alice.get("/accounts").json()) == 1


def test_opening_with_another_asset_opens_nothing(alice: Person) -> None:
    refused = alice.post("/accounts", {"name": "x", "balances": {"BTC": "1"}})
    assert error_of(refused) == (400, "UNKNOWN_ASSET")
    assert len(alice.get("/accounts").json()) == 1


def test_opening_again_with_the_same_key_is_the_same_account(alice: Person) -> None:
    first, again = (alice.post("/accounts", {"name": "once"}, key="k") for _ in range(2))
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert error_of(alice.post("/accounts", {"name": "other"}, key="k"))[0] == 409
    assert len(alice.get("/accounts").json()) == 2


def test_the_number_of_a_users_accounts_is_bounded_archived_ones_among_them(alice: Person) -> None:
    opened = [alice.opened(f"account {number}") for number in range(ACCOUNTS_MAX - 1)]
    assert alice.patch(f"/accounts/{opened[0].account}", {"archived": True}).status_code == 200
    refused = alice.post("/accounts", {"name": "one more"})
    assert error_of(refused) == (409, "TOO_MANY_ACCOUNTS")


def test_orders_money_and_lists_belong_to_the_account_that_is_chosen(alice: Person) -> None:
    paper = alice.opened(USDC="1000")
    placed = paper.post("/orders", small_order(clientOrderId="same"))
    assert placed.status_code == 202
    (order,) = paper.get("/orders").json()
    assert (order["userId"], order["accountId"]) == (alice.name, paper.account_name)
    assert alice.get("/orders").json() == []
    assert error_of(alice.get(f"/orders/{order['id']}")) == (404, "ORDER_NOT_FOUND")
    assert error_of(alice.delete(f"/orders/{order['id']}")) == (404, "ORDER_NOT_FOUND")
    assert Decimal(paper.get("/account").json()["locked"]) > 0
    assert alice.get("/account").json()["locked"] == "0"
    assert alice.delete("/orders").json()["requested"] == 0
    assert paper.delete("/orders").json()["requested"] == 1


def test_names_and_keys_of_requests_are_each_accounts_own(alice: Person) -> None:
    paper = alice.opened(USDC="1000")
    first = alice.post("/orders", small_order(clientOrderId="same"))
    second = paper.post("/orders", small_order(clientOrderId="same", price="59000"))
    assert (first.status_code, second.status_code) == (202, 202)
    deposits = [
        one.post("/deposits", {"asset": "USDC", "amount": "5"}, "k") for one in (alice, paper)
    ]
    assert [answer.json()["total"] for answer in deposits] == ["10005", "1005"]


def test_each_account_has_leverages_of_its_own(alice: Person) -> None:
    paper = alice.opened(USDC="1000")
    paper.put("/leverage", {"marketId": "ETH-PERP", "leverage": 3})
    assert paper.get("/account").json()["leverages"] == [{"marketId": "ETH-PERP", "leverage": 3}]
    assert alice.get("/account").json()["leverages"] == []


def test_money_moves_between_ones_own_accounts_in_one_transaction(
    exchange: Deployment, alice: Person
) -> None:
    paper = alice.opened()
    done = moved(alice, paper, "2500.000001")
    assert done.status_code == 201
    assert (done.json()["from"]["total"], done.json()["to"]["total"]) == (
        "7499.999999",
        "2500.000001",
    )
    assert done.json()["to"]["accountId"] == paper.account_name
    paid, got = alice.get("/ledger").json()[0], paper.get("/ledger").json()[0]
    assert paid["transactionId"] == got["transactionId"] == done.json()["transactionId"]
    assert (paid["type"], paid["amount"], got["amount"]) == (
        "TRANSFER",
        "-2500.000001",
        "2500.000001",
    )
    assert (paid["balanceAfter"], got["balanceAfter"]) == ("7499.999999", "2500.000001")
    assert (total(alice), total(paper)) == ("7499.999999", "2500.000001")


def test_a_transfer_with_a_key_moves_money_once(alice: Person) -> None:
    paper = alice.opened()
    first, again = moved(alice, paper, "7", "k"), moved(alice, paper, "7", "k")
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert total(paper) == "7"
    assert error_of(moved(alice, paper, "8", "k")) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert error_of(moved(paper, alice, "7", "k")) == (409, "IDEMPOTENCY_KEY_REUSED")


def test_what_orders_or_positions_need_stays(exchange: Deployment, alice: Person) -> None:
    paper = alice.opened()
    alice.post("/orders", small_order(quantity="1", price="60000"))
    refused = moved(alice, paper, "3970.000001")
    assert error_of(refused) == (400, "INSUFFICIENT_MARGIN")
    assert refused.json()["error"]["details"]["available"] == "3970"
    assert moved(alice, paper, "3970").status_code == 201
    position(
        exchange.database, int(str(paper.account).removeprefix("account_")), 1_000, 599_100_000
    )
    assert error_of(moved(paper, alice, "3970")) == (400, "INSUFFICIENT_MARGIN")


@pytest.mark.parametrize("amount", ["0", "-1", "0.0000001", "10000.000001"])
def test_an_amount_that_cannot_move_moves_nothing(amount: str, alice: Person) -> None:
    paper = alice.opened()
    assert moved(alice, paper, amount).status_code == 400
    assert error_of(moved(alice, alice)) == (400, "INVALID_REQUEST")
    assert (total(alice), total(paper)) == ("10000", "0")


def ended(exchange: Deployment, paper: Person) -> None:
    """The account's orders, as the recorder ends them."""
    number = int(str(paper.account).removeprefix("account_"))
    exchange.database.execute("UPDATE orders SET status = 5 WHERE account_id = %s", (number,))
    exchange.database.execute(
        "UPDATE balances SET locked_atoms = 0, open_orders = 0 WHERE account_id = %s", (number,)
    )


def test_an_account_with_orders_or_positions_cannot_be_archived(
    exchange: Deployment, alice: Person
) -> None:
    ordered, holding = alice.opened(USDC="100"), alice.opened(USDC="100")
    ordered.post("/orders", small_order())
    position(exchange.database, int(str(holding.account).removeprefix("account_")), 1, 59_910)
    for paper in (ordered, holding):
        refused = alice.patch(f"/accounts/{paper.account}", {"archived": True})
        assert error_of(refused) == (409, "ACCOUNT_NOT_FLAT")
    ended(exchange, ordered)
    assert alice.patch(f"/accounts/{ordered.account}", {"archived": True}).status_code == 200


def test_an_archived_account_takes_no_orders_and_moves_no_money(
    exchange: Deployment, alice: Person
) -> None:
    paper = alice.opened(USDC="100")
    path = f"/accounts/{paper.account}"
    first = paper.post("/orders", small_order(), key="before")
    ended(exchange, paper)
    archived = alice.patch(path, {"archived": True})
    assert archived.status_code == 200
    assert archived.json()["archivedAt"] >= archived.json()["createdAt"]
    money = {"asset": "USDC", "amount": "1"}
    refused = [
        paper.post("/orders", small_order()),
        paper.post("/deposits", money),
        paper.post("/withdrawals", money),
        paper.post("/account/reset"),
        alice.post(f"{path}/reset"),
        paper.put("/leverage", {"marketId": "ETH-PERP", "leverage": 3}),
        paper.post("/account/cancel-after", {"timeoutMs": 60_000}),
        paper.post("/account/cancel-after", {"timeoutMs": 0}),
        moved(alice, paper),
        moved(paper, alice),
    ]
    assert {error_of(answer) for answer in refused} == {(409, "ACCOUNT_ARCHIVED")}
    (entry,) = paper.post("/orders/batch", {"orders": [small_order()]}).json()["results"]
    assert entry["error"]["code"] == "ACCOUNT_ARCHIVED"
    again = paper.post("/orders", small_order(), key="before")
    assert (again.status_code, again.json()) == (202, first.json())
    assert total(paper) == "100"
    assert len(paper.get("/orders").json()) == 1


def test_an_archived_account_is_listed_where_it_is_asked_for_and_can_be_taken_up_again(
    alice: Person,
) -> None:
    paper = alice.opened("old", USDC="100")
    path = f"/accounts/{paper.account}"
    first = alice.patch(path, {"archived": True}).json()
    assert alice.patch(path, {"archived": True}).json() == first
    assert [one["id"] for one in alice.get("/accounts").json()] == [alice.account_name]
    listed = alice.get("/accounts?archived=true").json()
    assert [one["id"] for one in listed] == [alice.account_name, paper.account_name]
    renamed = alice.patch(path, {"name": "new"}).json()
    assert (renamed["name"], renamed["archivedAt"]) == ("new", first["archivedAt"])
    taken_up = alice.patch(path, {"archived": False}).json()
    assert (taken_up["name"], "archivedAt" in taken_up) == ("new", False)
    assert paper.post("/orders", small_order()).status_code == 202


def test_the_main_account_has_a_name_and_is_never_archived(alice: Person) -> None:
    path = f"/accounts/{alice.account_name}"
    assert alice.patch(path, {"name": "mine"}).json()["name"] == "mine"
    refused = alice.patch(path, {"name": "gone", "archived": True})
    assert error_of(refused) == (400, "INVALID_REQUEST")
    assert alice.get("/accounts").json()[0]["name"] == "mine"
    assert error_of(alice.patch(path, {})) == (400, "INVALID_REQUEST")


def test_a_key_of_a_user_opens_all_of_their_accounts(exchange: Deployment, alice: Person) -> None:
    paper = alice.opened(USDC="100")
    made = alice.post("/auth/api-keys", {"name": "bot", "scopes": ["read", "trade"]}).json()
    headers = {"X-API-Key": made["key"], "X-Account": paper.account_name}
    placed = exchange.http.post("/orders", json=small_order(), headers=headers)
    assert placed.status_code == 202
    (order,) = exchange.http.get("/orders", headers=headers).json()
    assert order["accountId"] == paper.account_name


def test_a_reset_by_the_accounts_name_is_that_of_the_account_that_is_chosen(alice: Person) -> None:
    paper = alice.opened(USDC="100")
    answer = alice.post(f"/accounts/{paper.account}/reset", {"balances": {"USDC": "42"}})
    assert (answer.status_code, answer.json()["total"]) == (200, "42")
    assert answer.json()["accountId"] == paper.account_name
    assert (total(paper), total(alice)) == ("42", "10000")
    paper.post("/orders", small_order(quantity="0.001"))
    again = alice.post(f"/accounts/{paper.account}/reset")
    assert error_of(again) == (409, "ACCOUNT_NOT_FLAT")
