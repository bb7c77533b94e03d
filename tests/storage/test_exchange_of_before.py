"""A database that an older exchange has filled: what is in it stays, and its markets come back."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from storage.market.markets import load_specs
from storage.market.recovery import recover
from storage.migrations.run import upgrade
from storage.postgres.database import connect
from storage.postgres.database_roles import DatabaseUrls
from storage.reading.verification import verify_market
from storage.servers.embedded import EmbeddedPostgres
from tests.auditor import check_money
from tests.exchange_of_before import HEADS, PEOPLE, columns_of, exchange_of_before, rows_of

ELSEWHERE = {"positions": ["leverage"], "accounts": ["kind"]}
"""Columns that are gone, or say more than before; all others keep every bit."""

HELD = "SELECT account_id, quantity_lots FROM positions WHERE market_id = %s AND quantity_lots <> 0"
OPEN = """
SELECT id, account_id, quantity_lots - filled_lots, price_ticks FROM orders
WHERE market_id = %s AND status IN (2, 3)"""


@pytest.fixture
def urls(postgres: EmbeddedPostgres) -> Iterator[DatabaseUrls]:
    with exchange_of_before(postgres) as found:
        yield found


@pytest.fixture
def before(urls: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    """Its owner, before anything is migrated."""
    with connect(urls.owner, "test") as connection:
        yield connection


def test_every_row_of_every_table_keeps_what_it_said(
    before: psycopg.Connection[Any], urls: DatabaseUrls
) -> None:
    columns = columns_of(before)
    for table, names in ELSEWHERE.items():
        columns[table] = [name for name in columns[table] if name not in names]
    kept = rows_of(before, columns)
    for table in ("accounts", "orders", "fills", "ledger_entries", "strategy_ledger", "transfers"):
        assert kept[table], f"{table} is empty"
    leverages = before.execute(
        "SELECT account_id, market_id, leverage FROM positions"
        " WHERE quantity_lots <> 0 AND account_id IN (SELECT id FROM users)"
    ).fetchall()
    clients = before.execute("SELECT id FROM accounts WHERE kind = 'CLIENT'").fetchall()
    upgrade(urls.owner)
    assert rows_of(before, columns) == kept
    check_money(before)
    found = before.execute("SELECT id FROM accounts WHERE kind = 'MAIN' AND owner_id = id")
    assert sorted(found) == sorted(clients)
    assert len(clients) == PEOPLE
    assert leverages
    assert set(leverages) <= set(before.execute("SELECT * FROM leverages").fetchall())


@pytest.mark.parametrize("market_id", HEADS)
def test_a_market_that_was_killed_comes_back_to_what_had_happened(
    before: psycopg.Connection[Any], urls: DatabaseUrls, market_id: str
) -> None:
    held = before.execute(HELD, (market_id,)).fetchall()
    open_orders = before.execute(OPEN, (market_id,)).fetchall()
    assert held
    assert open_orders

    upgrade(urls.owner)
    found = recover(before, load_specs(before)[market_id])
    assert found.head.batch_no == HEADS[market_id]
    assert found.engine.event_seq == found.head.event_seq
    assert sorted(held) == found.engine.positions().tolist()
    names = ["order_id", "account_id", "remaining_lots", "price_ticks"]
    resting = [order for order in found.engine.resting_orders()[names].tolist() if order[0] > 0]
    assert sorted(resting) == sorted(open_orders)


@pytest.mark.parametrize("market_id", HEADS)
def test_its_journal_is_what_was_written_and_leads_to_the_states_that_were_kept(
    before: psycopg.Connection[Any], urls: DatabaseUrls, market_id: str
) -> None:
    upgrade(urls.owner)
    verified = verify_market(before, load_specs(before)[market_id])
    assert verified.fault is None
    assert (verified.first, verified.last, verified.replayed_from) == (1, HEADS[market_id], 0)
    assert verified.snapshots == 2
