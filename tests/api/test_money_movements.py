"""Deposits, withdrawals, reset and the dead-man switch; the ledger sums to zero throughout."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from sim.rows.messages import COMMAND, CommandKind
from storage.intake.cancel_after import fire_expired
from tests.api.deployment import Deployment, Person, error_of, small_order
from tests.builders import position


def money(asset: str = "USDC", amount: Any = "1") -> dict[str, Any]:
    return {"asset": asset, "amount": amount}


def total(person: Person) -> str:
    return str(person.get("/balances").json()[0]["total"])


def assert_ledger_agrees(exchange: Deployment, person: Person) -> None:
    """Every transaction sums to zero, and the balance is the sum of its entries."""
    row = exchange.database.execute(
        "SELECT count(*) FROM (SELECT 1 FROM ledger_entries GROUP BY source, seq, asset"
        " HAVING sum(amount_atoms) <> 0) unbalanced"
    ).fetchone()
    assert row == (0,)
    entries = person.get("/ledger?limit=500").json()
    assert sum(Decimal(entry["amount"]) for entry in entries) == Decimal(total(person))


def test_a_deposit_stands_in_the_ledger(exchange: Deployment, alice: Person) -> None:
    assert alice.post("/deposits", money(amount="0.000001")).json()["total"] == "10000.000001"
    entry = alice.get("/ledger").json()[0]
    assert (entry["type"], entry["amount"]) == ("DEPOSIT", "0.000001")
    assert entry["balanceAfter"] == "10000.000001"
    assert_ledger_agrees(exchange, alice)


@pytest.mark.parametrize("amount", ["0", "0.0", "-1", "1000000000.000001", "0.0000001", "1e3"])
def test_an_amount_out_of_bounds_is_refused(
    amount: str, exchange: Deployment, alice: Person
) -> None:
    for path in ("/deposits", "/withdrawals"):
        assert alice.post(path, money(amount=amount)).status_code == 400
    assert total(alice) == "10000"


@pytest.mark.parametrize("asset", ["BTC", "usdc", "", "USDC\u0000", "X" * 13])
def test_an_unknown_asset_is_refused(asset: str, alice: Person) -> None:
    assert error_of(alice.post("/deposits", money(asset=asset)))[0] == 400


def test_a_hundred_deposits_at_once_are_all_there(exchange: Deployment, alice: Person) -> None:
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: alice.post("/deposits", money()), range(100)))
    assert {answer.status_code for answer in answers} == {201}
    assert total(alice) == "10100"
    assert_ledger_agrees(exchange, alice)


def test_a_balance_has_a_cap(exchange: Deployment, alice: Person) -> None:
    exchange.database.execute(
        "UPDATE balances SET total_atoms = 999999999999000000 WHERE account_id = %s",
        (alice.user_id,),
    )
    assert alice.post("/deposits", money(amount="1")).status_code == 201
    assert alice.post("/deposits", money(amount="1")).status_code == 400


def test_reserved_money_cannot_be_withdrawn(exchange: Deployment, alice: Person) -> None:
    alice.post("/orders", small_order(quantity="1", price="60000"))
    locked = Decimal(alice.get("/balances").json()[0]["locked"])
    assert locked == Decimal("6030")
    refused = alice.post("/withdrawals", money(amount="3970.000001"))
    assert error_of(refused) == (400, "INSUFFICIENT_MARGIN")
    assert refused.json()["error"]["details"]["available"] == "3970"
    assert alice.post("/withdrawals", money(amount="3970")).status_code == 201
    assert_ledger_agrees(exchange, alice)


def test_twenty_withdrawals_at_once_never_overdraw(exchange: Deployment) -> None:
    person = exchange.person(deposit="10")
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: person.post("/withdrawals", money()), range(20)))
    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [400] * 10
    assert total(person) == "0"


def test_profit_that_is_not_realised_cannot_be_withdrawn(
    exchange: Deployment, alice: Person
) -> None:
    position(exchange.database, alice.user_id, 100, 1_000_000)
    assert error_of(alice.post("/withdrawals", money(amount="10000.1")))[0] == 400
    assert alice.post("/withdrawals", money(amount="10000")).status_code == 201


def test_a_flat_account_starts_again_at_zero(exchange: Deployment, alice: Person) -> None:
    reset = alice.post("/account/reset")
    assert (reset.status_code, reset.json()["total"]) == (200, "0")
    assert alice.get("/ledger").json()[0]["type"] == "RESET"
    assert_ledger_agrees(exchange, alice)


def test_an_account_with_orders_or_positions_is_not_reset(
    exchange: Deployment, alice: Person, bob: Person
) -> None:
    alice.post("/orders", small_order())
    assert error_of(alice.post("/account/reset")) == (409, "ACCOUNT_NOT_FLAT")
    position(exchange.database, bob.user_id, 1, 599_100)
    assert error_of(bob.post("/account/reset")) == (409, "ACCOUNT_NOT_FLAT")
    assert total(alice) == total(bob) == "10000"


def test_the_switch_fires_once_and_only_for_those_it_ran_out_for(
    exchange: Deployment, alice: Person, bob: Person
) -> None:
    exchange.database.execute("DELETE FROM cancel_after")  # what others have left running
    for person in (alice, bob):
        person.post("/orders", small_order())
        person.post("/orders", small_order(marketId="ETH-PERP", price="10", quantity="1"))
    cancel_at = alice.post("/account/cancel-after", {"timeoutMs": 60_000}).json()["cancelAt"]
    bob.post("/account/cancel-after", {"timeoutMs": 120_000})
    assert fire_expired(exchange.database, cancel_at * 1_000 - 1_000) == 0
    assert fire_expired(exchange.database, cancel_at * 1_000 + 1_000) == 1
    assert fire_expired(exchange.database, cancel_at * 1_000 + 1_000) == 0
    rows = exchange.database.execute(
        "SELECT market_id, account_id, payload FROM commands WHERE order_id = 0"
        " AND account_id = ANY(%s) ORDER BY market_id",
        ([alice.user_id, bob.user_id],),
    ).fetchall()
    assert [row[:2] for row in rows] == [
        ("BTC-PERP", alice.user_id),
        ("ETH-PERP", alice.user_id),
    ]
    import numpy as np

    command = np.frombuffer(rows[0][2], dtype=COMMAND)[0]
    assert (command["kind"], command["account_id"]) == (CommandKind.CANCEL_ALL, alice.user_id)


def test_the_switch_can_be_taken_away(exchange: Deployment, alice: Person) -> None:
    alice.post("/account/cancel-after", {"timeoutMs": 1})
    assert alice.post("/account/cancel-after", {"timeoutMs": 0}).json() == {}
    left = "SELECT 1 FROM cancel_after WHERE account_id = %s"
    assert exchange.database.execute(left, (alice.user_id,)).fetchone() is None


@pytest.mark.parametrize("timeout", [-1, 86_400_001, 1.5, "1000", None, True])
def test_the_switch_takes_whole_milliseconds_up_to_a_day(timeout: Any, alice: Person) -> None:
    assert alice.post("/account/cancel-after", {"timeoutMs": timeout}).status_code == 400
