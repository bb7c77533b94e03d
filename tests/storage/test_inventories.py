"""Strategies' traders buy what they have of spot markets' assets from their capital, once."""

from typing import Any

import psycopg

from sim.money.ledger import STRATEGIES_FIRST
from storage.servers.bootstrap import create_strategy_accounts
from storage.servers.inventories import Inventory, buy_inventories
from tests.auditor import audit
from tests.markets import ETH_SPOT

CAPITAL = 1_000_000_000
INVENTORY = Inventory(ETH_SPOT, 2_500, 5_991)
WORTH = 2_500 * 5_991 * 10


def opened(url: str, heads: int, *inventories: Inventory) -> range:
    accounts = create_strategy_accounts(url, 1, "makers", heads, CAPITAL)
    buy_inventories(url, accounts, inventories)
    return accounts


def money(database: psycopg.Connection[Any], account_id: int) -> dict[str, int]:
    rows = database.execute(
        "SELECT asset, total_atoms FROM balances WHERE account_id = %s", (account_id,)
    )
    return {asset: int(atoms) for asset, atoms in rows}


def held(database: psycopg.Connection[Any], account_id: int) -> list[Any]:
    return database.execute(
        "SELECT market_id, quantity_lots, cost_atoms, realized_pnl_atoms FROM positions"
        " WHERE account_id = %s",
        (account_id,),
    ).fetchall()


def test_an_inventory_is_a_part_of_the_capital_at_the_first_index(
    database: psycopg.Connection[Any], database_url: str
) -> None:
    accounts = opened(database_url, 3, INVENTORY)
    for account_id in accounts:
        assert money(database, account_id) == {"USDC": CAPITAL - WORTH, "ETH": 250_000_000}
        assert held(database, account_id) == [("ETH_USDC", 2_500, WORTH, 0)]
    audit(database)


def test_it_is_bought_once_however_often_the_exchange_starts(
    database: psycopg.Connection[Any], database_url: str
) -> None:
    opened(database_url, 2, INVENTORY)
    opened(database_url, 3, Inventory(ETH_SPOT, 9_999, 7_000))
    assert money(database, STRATEGIES_FIRST)["ETH"] == 250_000_000
    assert money(database, STRATEGIES_FIRST + 2)["ETH"] == 999_900_000
    audit(database)


def test_traders_of_before_the_market_get_it_from_what_they_have_left(
    database: psycopg.Connection[Any], database_url: str
) -> None:
    (account_id,) = opened(database_url, 1)
    assert money(database, account_id) == {"USDC": CAPITAL}
    opened(database_url, 1, INVENTORY)
    assert money(database, account_id) == {"USDC": CAPITAL - WORTH, "ETH": 250_000_000}
    after = database.execute(
        "SELECT asset, balance_after_atoms FROM ledger_entries WHERE account_id = %s ORDER BY id",
        (account_id,),
    )
    assert after.fetchall() == [
        ("USDC", CAPITAL),
        ("USDC", CAPITAL - WORTH),
        ("ETH", 250_000_000),
    ]
    audit(database)
