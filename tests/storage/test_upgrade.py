"""A database of before is brought up to date with all its rows, and is pruned like others."""

import secrets
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from alembic import command
from sqlalchemy import create_engine

from sim.book.engine import MarketEngine
from sim.money.ledger import CLEARING_FIRST, EXTERNAL, FEES, STRATEGIES_FIRST
from sim.rows.messages import empty_commands
from storage.market.journal import next_chain
from storage.market.markets import EMPTY_CHAIN
from storage.market.recovery import recover
from storage.migrations.run import alembic_config, sqlalchemy_url, upgrade
from storage.postgres.database import connect
from storage.servers.embedded import EmbeddedPostgres
from storage.upkeep.kept import HOUR_US
from storage.upkeep.pruning import prune
from tests.auditor import LEDGER_LEGS
from tests.builders import KEPT, listed_before
from tests.markets import ETH_PERP

MARKET = ETH_PERP.market_id
BEFORE = "0003"
BATCHES, CLIENT_EVERY = 40, 4
CLIENT, MAKER, TAKER = 1_000, STRATEGIES_FIRST, STRATEGIES_FIRST + 1


@pytest.fixture
def old_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database of the schema before, empty."""
    name = f"old_{secrets.token_hex(4)}"
    with psycopg.connect(postgres.admin_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER sandpit_owner")
        url = postgres.urls(name).owner.replace("/sandpit?", f"/{name}?")
        engine = create_engine(sqlalchemy_url(url))
        with engine.begin() as old:
            command.upgrade(alembic_config(old), BEFORE)
        engine.dispose()
        yield url
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def fill(connection: psycopg.Connection[Any], at_us: int) -> None:
    """Batches, a snapshot, trades, fills and a ledger, as they used to be written."""
    listed_before(connection)
    engine, chain = MarketEngine(ETH_PERP), EMPTY_CHAIN
    for batch_no in range(1, BATCHES + 1):
        rows = empty_commands(2)
        rows["kind"], rows["order_type"], rows["time_in_force"] = 1, 1, 1
        rows["order_id"] = -2 * batch_no, -2 * batch_no - 1
        rows["account_id"], rows["side"] = (MAKER, TAKER), (1, 2)
        rows["price_ticks"], rows["quantity_lots"] = 5_991, 2
        events = engine.apply(rows).tobytes()
        chain = next_chain(chain, rows.tobytes(), events)
        journal_row = (MARKET, batch_no, 1, 0, engine.event_seq, at_us, "{}", rows.tobytes())
        connection.execute(
            "INSERT INTO journal VALUES (%s, %s, %s, %s, %s, %s, %s, %b, %b, %b)",
            (*journal_row, events, chain),
        )
        if batch_no % 20 == 0:
            connection.execute(
                "INSERT INTO snapshots (market_id, batch_no, command_seq, state_hash, strategies,"
                " state, created_at_us) VALUES (%s, %s, 0, %b, '{}', %b, %s)",
                (MARKET, batch_no, engine.state_hash(), engine.snapshot(), at_us),
            )
        trade(connection, batch_no, engine.event_seq, at_us)
    connection.execute(
        "UPDATE market_heads SET epoch = 1, batch_no = 40, event_seq = %s, chain = %b"
        " WHERE market_id = %s",
        (engine.event_seq, chain, MARKET),
    )
    connection.execute("UPDATE projections SET batch_no = 40 WHERE market_id = %s", (MARKET,))
    connection.execute(
        "INSERT INTO balances SELECT l.account_id, 'USDC', sum(amount_atoms), 0, 0"
        " FROM ledger_entries l JOIN accounts a ON a.id = l.account_id AND a.kind <> 'SYSTEM'"
        " GROUP BY 1"
    )


def trade(connection: psycopg.Connection[Any], batch_no: int, seq: int, at_us: int) -> None:
    """The rows of a trade between two strategies; every fourth with a client instead."""
    taker = CLIENT if batch_no % CLIENT_EVERY == 0 else TAKER
    for account_id, kind in ((MAKER, "STRATEGY"), (taker, "CLIENT")):
        connection.execute(
            "INSERT INTO accounts VALUES (%s, %s, '', 0) ON CONFLICT DO NOTHING",
            (account_id, kind),
        )
    connection.execute("INSERT INTO trades VALUES (%s, %s, 5991, 2, 2, %s)", (MARKET, seq, at_us))
    for is_maker, account_id in ((True, MAKER), (False, taker)):
        connection.execute(
            "INSERT INTO fills VALUES (%s, %s, %s, 5, %s, 1, 5991, 2, 3, 0, %s)",
            (MARKET, seq, is_maker, account_id, at_us),
        )
    legs = ((MAKER, -3), (taker, -7), (FEES, 10), (EXTERNAL, 1), (CLEARING_FIRST + 2, -1))
    for leg, (account_id, atoms) in enumerate(legs):
        connection.execute(
            "INSERT INTO ledger_entries (source, seq, leg, account_id, asset, entry_type,"
            " amount_atoms, created_at_us) VALUES (%s, %s, %s, %s, 'USDC', 'TRADING_FEE', %s, %s)",
            (MARKET, batch_no, leg, account_id, atoms, at_us),
        )


def columns_of(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """The columns of every table, but for what an upgrade puts elsewhere."""
    rows = connection.execute(
        "SELECT table_name, string_agg(column_name, ', ' ORDER BY ordinal_position)"
        " FROM information_schema.columns WHERE table_schema = 'public'"
        " AND table_name <> 'alembic_version' AND (table_name, column_name) NOT IN"
        " (('idempotency', 'status'), ('orders', 'idempotency_key'),"
        " ('positions', 'leverage'), ('accounts', 'kind')) GROUP BY 1"
    )
    return {str(table): str(columns) for table, columns in rows}


def everything(
    connection: psycopg.Connection[Any], columns: dict[str, str]
) -> dict[str, list[str]]:
    """These columns of all rows."""
    return {
        table: sorted(
            str(row[0])
            for row in connection.execute(
                f"SELECT to_jsonb(t)::text FROM (SELECT {names} FROM {table}) t"
            )
        )
        for table, names in columns.items()
    }


def sums(connection: psycopg.Connection[Any], legs: str) -> dict[Any, Any]:
    """What each account's entries come to."""
    statement = f"SELECT account_id, sum(amount_atoms) FROM ({legs}) AS legs GROUP BY 1"
    return {account: total for account, total in connection.execute(statement) if total}


def test_every_row_is_kept_and_strategies_old_ones_can_be_carried_forward(old_url: str) -> None:
    at_us = time.time_ns() // 1_000
    with connect(old_url, "test") as connection:
        fill(connection, at_us)
        columns = columns_of(connection)
        before = everything(connection, columns)
        balances = sums(connection, "SELECT account_id, amount_atoms FROM ledger_entries")
        upgrade(old_url)
        assert everything(connection, columns) == before
        kinds = connection.execute("SELECT kind FROM accounts WHERE id = %s", (CLIENT,))
        assert kinds.fetchall() == [("MAIN",)]
        assert recover(connection, ETH_PERP).head.batch_no == BATCHES
        assert count(connection, "snapshots WHERE chain IS NULL") == 0

        done = prune(connection, at_us + 49 * HOUR_US, KEPT)
        assert (done["fills"], done["ledger_entries"]) == (70, 30)
        assert count(connection, "fills") == count(connection, f"fills WHERE account_id = {CLIENT}")
        assert sums(connection, LEDGER_LEGS) == balances
        assert count(connection, "strategy_ledger") == 1
        with_client = {seq for seq in range(1, BATCHES + 1) if seq % CLIENT_EVERY == 0}
        rows = connection.execute("SELECT DISTINCT seq FROM ledger_entries")
        assert {row[0] for row in rows} == with_client
        assert recover(connection, ETH_PERP).head.batch_no == BATCHES


def count(connection: psycopg.Connection[Any], rows: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {rows}").fetchone()
    assert row is not None
    return int(str(row[0]))
