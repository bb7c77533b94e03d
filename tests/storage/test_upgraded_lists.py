"""A database from before lists by sequence is upgraded with every row it has."""

from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from sim.money.candles import INTERVALS_US, MINUTE_US
from storage.migrations.run import alembic_config, sqlalchemy_url, upgrade
from storage.servers.embedded import EmbeddedPostgres
from storage.servers.embedded_roles import add_extensions

OURS = "0008"
T0_US = 1_767_225_600_000_000
ORDERS = """
INSERT INTO orders (id, account_id, market_id, idempotency_key, body_hash, side, order_type,
    time_in_force, price_ticks, quantity_lots, filled_lots, leverage, reduce_only, post_only,
    reserved_atoms, status, reason, created_at_us, updated_at_us)
VALUES (1, 1000, 'ETH-PERP', 'k', 'hash', 1, 1, 1, 5991, 5, 5, 1, false, false, 0, 4, 0, 500, 500),
       (2, 1000, 'ETH-PERP', NULL, '', 1, 1, 1, 5991, 5, 0, 1, false, false, 0, 2, 0, 400, 400)"""
FILLS = """
INSERT INTO fills VALUES
    ('BTC-PERP', 1, true, -1, 2000000000, 1, 10, 1, 0, 0, 300),
    ('ETH-PERP', 7, false, 1, 1000, 1, 5991, 3, 1, 0, 200),
    ('ETH-PERP', 8, false, 1, 1000, 1, 5993, 2, 1, 0, 600)"""
LEDGER = """
INSERT INTO ledger_entries (source, seq, leg, account_id, asset, entry_type, amount_atoms,
    created_at_us)
VALUES ('transfer', 1, 0, 1000, 'USDC', 'DEPOSIT', 1, 900),
       ('ETH-PERP', 1, 1, 1000, 'USDC', 'TRADING_FEE', -1, 700),
       ('ETH-PERP', 2, 1, 1000, 'USDC', 'TRADING_FEE', -1, 950)"""
KEYS = """
INSERT INTO idempotency VALUES (1000, 'd', 'deposit', 'hash', 1, '{"asset": "USDC"}', 5),
    (1000, 's', 'cancel-after', 'hash', 1, '{}', 5)"""
CANDLES = f"""
INSERT INTO candles SELECT 'ETH-PERP', {T0_US} + n * {MINUTE_US}, 100 + n, 200 + n, 50 - n, 110 + n,
    9223372036854775807, 9223372036854775807, 2 FROM generate_series(0, 6) AS n"""


@pytest.fixture
def upgraded(database_url: str, postgres: EmbeddedPostgres) -> Any:
    """The database as it was, with rows, brought up to date."""
    engine = create_engine(sqlalchemy_url(database_url))
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    with psycopg.connect(postgres.admin_url, dbname=engine.url.database) as administration:
        add_extensions(administration)
    with engine.begin() as connection:
        config = alembic_config(connection)
        before = ScriptDirectory.from_config(config).get_revision(OURS).down_revision
        command.upgrade(config, str(before))
    engine.dispose()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO accounts (id, kind, created_at_us) VALUES (1000, 'X', 0)")
        connection.execute("INSERT INTO balances VALUES (1000, 'USDC', 1, 0, 0)")
        for statement in (ORDERS, FILLS, LEDGER, KEYS, CANDLES):
            connection.execute(statement)
        upgrade(database_url)
        yield connection


def test_every_row_is_kept_and_found_by_its_number(upgraded: psycopg.Connection[Any]) -> None:
    fills = upgraded.execute("SELECT event_seq, id FROM fills ORDER BY id").fetchall()
    assert fills == [(7, 1), (1, 2), (8, 3)]
    assert upgraded.execute("SELECT nextval('fill_ids')").fetchone() == (4,)
    for table, times in (("orders", [500, 500]), ("ledger_entries", [900, 900, 950])):
        rows = upgraded.execute(f"SELECT created_at_us FROM {table} ORDER BY id").fetchall()
        assert [row[0] for row in rows] == times
    assert upgraded.execute("SELECT stamped_at_us FROM balances").fetchone() == (950,)
    filled = upgraded.execute("SELECT filled_tick_lots FROM orders ORDER BY id").fetchall()
    assert [int(row[0]) for row in filled] == [3 * 5_991 + 2 * 5_993, 0]


def test_keys_of_orders_and_of_money_are_in_one_table(upgraded: psycopg.Connection[Any]) -> None:
    keys = upgraded.execute(
        "SELECT key, route, response, order_ids, body_hash FROM idempotency ORDER BY key"
    ).fetchall()
    assert [(row[0], row[1], row[2], row[3]) for row in keys] == [
        ("d", "deposits", '{"asset": "USDC"}', []),
        ("k", "orders", "[0]", [1]),
        ("s", "account/cancel-after", "{}", []),
    ]
    assert keys[1][4] == b"hash"


def test_minutes_are_added_up_to_every_interval(upgraded: psycopg.Connection[Any]) -> None:
    candles = upgraded.execute(
        "SELECT width_us, open_time_us, open_ticks, high_ticks, low_ticks, close_ticks,"
        " volume_lots, trade_count FROM candles ORDER BY width_us, open_time_us"
    ).fetchall()
    most = 2**63 - 1
    minutes = [
        (MINUTE_US, T0_US + n * MINUTE_US, 100 + n, 200 + n, 50 - n, 110 + n, most, 2)
        for n in range(7)
    ]
    five = 5 * MINUTE_US
    fives = [
        (five, T0_US, 100, 204, 46, 114, 5 * most, 10),
        (five, T0_US + five, 105, 206, 44, 116, 2 * most, 4),
    ]
    longer = [
        (width, T0_US, 100, 206, 44, 116, 7 * most, 14)
        for width in sorted(INTERVALS_US.values())[2:]
    ]
    assert candles == minutes + fives + longer
