"""POST /account/reset: a fresh account, and every atom of it in the books."""

from decimal import Decimal
from typing import Any

import pytest

from sim.money.ledger import EXTERNAL, INSURANCE
from tests.api.deployment import Deployment, Person, error_of
from tests.builders import position

UNBALANCED = """
SELECT source, seq FROM ledger_entries GROUP BY source, seq, asset HAVING sum(amount_atoms) <> 0"""


def legs(exchange: Deployment, person: Person) -> list[tuple[str, int, str]]:
    """Type, the other side's account and amount of what a reset has written, oldest first."""
    rows = exchange.database.execute(
        "SELECT l.entry_type, o.account_id, l.amount_atoms FROM ledger_entries l"
        " JOIN ledger_entries o ON (o.source, o.seq) = (l.source, l.seq) AND o.leg <> l.leg"
        " JOIN transfers t ON t.id = l.seq AND t.account_id = l.account_id"
        " WHERE l.source = 'transfer' AND l.account_id = %s ORDER BY l.id",
        (person.user_id,),
    ).fetchall()
    return [(row[0], row[1], str(Decimal(row[2]) / 1_000_000)) for row in rows]


def balances_agree(exchange: Deployment, person: Person) -> bool:
    row = exchange.database.execute(
        "SELECT total_atoms = (SELECT sum(amount_atoms) FROM ledger_entries l"
        " WHERE l.account_id = b.account_id) FROM balances b WHERE account_id = %s",
        (person.user_id,),
    ).fetchone()
    return row == (True,) and exchange.database.execute(UNBALANCED).fetchall() == []


def test_an_account_begins_anew_with_the_balances_it_asks_for(
    exchange: Deployment, alice: Person
) -> None:
    alice.post("/account/cancel-after", {"timeoutMs": 60_000})
    reset = alice.post("/account/reset", {"balances": {"USDC": "2500.5"}})
    assert (reset.status_code, reset.json()["total"]) == (200, "2500.5")
    assert legs(exchange, alice) == [
        ("RESET", EXTERNAL, "-10000"),
        ("DEPOSIT", EXTERNAL, "2500.5"),
    ]
    assert balances_agree(exchange, alice)
    switch = "SELECT 1 FROM cancel_after WHERE account_id = %s"
    assert exchange.database.execute(switch, (alice.user_id,)).fetchone() is None
    assert alice.post("/account/reset").json()["total"] == "0"
    assert alice.post("/account/reset", {"balances": {}}).json()["total"] == "0"
    assert alice.post("/account/reset", {"balances": None}).json()["total"] == "0"


def test_a_debt_is_paid_by_the_insurance_fund(exchange: Deployment) -> None:
    debtor = exchange.person(deposit="0")
    for statement in (
        "UPDATE balances SET total_atoms = -53929960 WHERE account_id = %s",
        "UPDATE ledger_entries SET amount_atoms = -53929960 WHERE account_id = %s",
    ):
        exchange.database.execute(statement, (debtor.user_id,))
    exchange.database.execute(
        "UPDATE ledger_entries SET amount_atoms = 53929960 WHERE account_id = 1 AND seq = %s"
        " AND source = 'transfer'",
        (debtor.user_id,),
    )
    assert debtor.post("/account/reset", {"balances": {"USDC": "1"}}).json()["total"] == "1"
    assert legs(exchange, debtor) == [
        ("INSURANCE_FUND_TRANSFER", INSURANCE, "53.92996"),
        ("DEPOSIT", EXTERNAL, "1"),
    ]
    assert balances_agree(exchange, debtor)


def test_profits_of_before_are_told_no_more(exchange: Deployment, alice: Person) -> None:
    position(exchange.database, alice.user_id, 100, 599_100_000, -7_000_000)
    assert alice.get("/positions").json()[0]["realizedPnl"] == "-7"
    assert error_of(alice.post("/account/reset")) == (409, "ACCOUNT_NOT_FLAT")
    position(exchange.database, alice.user_id, 0, 0, -9_000_000)
    assert alice.post("/account/reset").status_code == 200
    position(exchange.database, alice.user_id, 100, 599_100_000, -9_000_000)
    assert alice.get("/positions").json()[0]["realizedPnl"] == "0"
    position(exchange.database, alice.user_id, 100, 599_100_000, -9_500_000)
    assert alice.get("/positions").json()[0]["realizedPnl"] == "-0.5"


@pytest.mark.parametrize(
    ("balances", "code"),
    [
        ({"USDC": "-1"}, "INVALID_REQUEST"),
        ({"USDC": "1000000001"}, "INVALID_AMOUNT"),
        ({"USDC": "0.0000001"}, "INVALID_AMOUNT"),
        ({"BTC": "1"}, "UNKNOWN_ASSET"),
        ({"BTC": "0"}, "UNKNOWN_ASSET"),
        ({f"A{number}": "1" for number in range(11)}, "INVALID_REQUEST"),
        ("10000", "INVALID_REQUEST"),
        ({"USDC": None}, "INVALID_REQUEST"),
    ],
)
def test_balances_that_cannot_be_change_nothing(
    balances: Any, code: str, exchange: Deployment, alice: Person
) -> None:
    assert error_of(alice.post("/account/reset", {"balances": balances})) == (400, code)
    assert alice.get("/balances").json()[0]["total"] == "10000"
    assert legs(exchange, alice) == []
