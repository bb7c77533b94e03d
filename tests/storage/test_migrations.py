"""Migrations and table declarations say the same."""

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlmodel import SQLModel

from sim.market import BTC_PERP
from storage.market.markets import load_specs
from storage.migrations.run import alembic_config, sqlalchemy_url, upgrade
from storage.tables import (
    agents,
    audit,
    chain,
    droids,
    explorer,
    frames,
    identity,
    markets,
    money,
    recordings,
    simulations,
    trading,
    upkeep,
)
from tests.builders import listed_before, listed_markets, trader, with_money
from tests.markets import ETH_PERP

BEFORE_CREDENTIALS = "0003"
DECLARED = (
    agents,
    audit,
    chain,
    droids,
    explorer,
    frames,
    identity,
    markets,
    money,
    recordings,
    simulations,
    trading,
    upkeep,
)


def test_the_migrated_schema_is_the_declared_one(database_url: str) -> None:
    engine = create_engine(sqlalchemy_url(database_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, SQLModel.metadata) == []
    engine.dispose()


def test_guests_of_an_older_database_are_known_as_guests(database_url: str) -> None:
    engine = create_engine(sqlalchemy_url(database_url))
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), BEFORE_CREDENTIALS)
        for number, password_hash in ((2_001, "!"), (2_002, "$argon2id$")):
            connection.execute(
                text(
                    f"INSERT INTO accounts VALUES ({number}, 'CLIENT', NULL, 5);"
                    f"INSERT INTO users VALUES ({number}, 'u{number}@example.com',"
                    f" '{password_hash}', 'TRADER', 'ACTIVE', 5)"
                )
            )
    upgrade(database_url)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT id, email, guest_since_us FROM users ORDER BY id"))
        assert rows.fetchall() == [
            (2_001, "u2001@example.com", 5),
            (2_002, "u2002@example.com", None),
        ]
    engine.dispose()


def test_migrating_again_changes_nothing(database_url: str) -> None:
    upgrade(database_url)
    upgrade(database_url)


def taken_back_before(database_url: str, revision: str) -> None:
    """The schema as it was before a revision."""
    engine = create_engine(sqlalchemy_url(database_url))
    with engine.begin() as connection:
        config = alembic_config(connection)
        before = ScriptDirectory.from_config(config).get_revision(revision).down_revision
        assert isinstance(before, str)
        command.downgrade(config, before)
    engine.dispose()


OLD_ROWS = """
INSERT INTO positions (account_id, market_id, quantity_lots, cost_atoms, realized_pnl_atoms,
    leverage, updated_at_us)
VALUES (1000, 'ETH-PERP', -5, -299550, 9223372036854775807, 10, 0);
INSERT INTO candles VALUES ('ETH-PERP', 0, 1, 2, 1, 2, 3, 9223372036854775807, 4);
INSERT INTO fills VALUES ('ETH-PERP', 1, true, 1, 1000, 2, 5991, 5, -3, -4, 0);
INSERT INTO transfers (account_id, kind, asset, amount_atoms, created_at_us)
    VALUES (1000, 'WITHDRAW', 'USDC', -7, 0);
UPDATE markets SET status = 3 WHERE market_id = 'ETH-PERP'"""
NEW_ROWS = """
SELECT h.cost_atoms, h.realized_pnl_atoms, c.notional_atoms, f.fee_atoms, f.realized_pnl_atoms,
    t.amount_atoms, b.total_atoms, m.status, m.halt_reason, m.takes_cancels
FROM positions h, candles c, fills f, transfers t, balances b, markets m
WHERE m.market_id = 'ETH-PERP' AND c.width_us = 60000000"""


def test_a_database_with_sums_of_64_bits_and_a_halted_market_keeps_them(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        listed_markets(connection)
        trader(connection, "10000")
    taken_back_before(database_url, "0007")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(OLD_ROWS)
    upgrade(database_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        rows = connection.execute(NEW_ROWS).fetchall()
        most, reason = 2**63 - 1, "halted before reasons were kept; see the logs"
        assert rows == [(-299_550, most, most, -3, -4, -7, 10_000_000_000, 3, reason, False)]
        connection.execute("UPDATE positions SET realized_pnl_atoms = realized_pnl_atoms * 100")


TRADED = """
INSERT INTO positions (account_id, market_id, quantity_lots, cost_atoms, realized_pnl_atoms,
    leverage, updated_at_us)
VALUES (1000, 'ETH-PERP', -5, -299550, 0, 3, 0), (1000000, 'ETH-PERP', 5, 299550, 0, 10, 0);
INSERT INTO orders (id, account_id, market_id, body_hash, side, order_type, time_in_force,
    price_ticks, quantity_lots, filled_lots, leverage, reduce_only, post_only, reserved_atoms,
    status, reason, created_at_us, updated_at_us)
SELECT id, 1000, market, '', 1, 1, 1, 5991, 5, 0, leverage, false, false, 0, 2, 0, 0, 0
FROM (VALUES (1, 'ETH-PERP', 3), (2, 'ETH-PERP', 20), (3, 'BTC-PERP', 5), (4, 'BTC-PERP', 7))
    AS placed(id, market, leverage)"""


def test_positions_and_orders_of_before_leave_their_account_one_leverage_a_market(
    database_url: str,
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        listed_markets(connection)
        assert trader(connection, "10000") == 1_000
    taken_back_before(database_url, "0012")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(TRADED)
    upgrade(database_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        kept = connection.execute("SELECT * FROM leverages ORDER BY market_id").fetchall()
        assert kept == [(1_000, "BTC-PERP", 7), (1_000, "ETH-PERP", 3)]
        bands = connection.execute("SELECT DISTINCT price_band_ppm FROM markets").fetchall()
        assert bands == [(100_000,)]
    taken_back_before(database_url, "0012")
    with psycopg.connect(database_url, autocommit=True) as connection:
        positions = connection.execute("SELECT account_id, leverage FROM positions ORDER BY 1")
        assert positions.fetchall() == [(1_000, 3), (1_000_000, 10)]


OF_BEFORE = """
INSERT INTO accounts VALUES (2001, 'CLIENT', NULL, 5), (2002, 'CLIENT', NULL, 6);
INSERT INTO users VALUES (2001, 'u@example.com', 'x', 'TRADER', 'ACTIVE', 5);
INSERT INTO balances VALUES (2001, 'USDC', 7, 0, 0), (2002, 'USDC', 8, 0, 0)"""
OWNED = "SELECT id, kind, name, created_at_us, owner_id FROM accounts WHERE id > 2000 ORDER BY id"


def test_every_account_of_a_client_becomes_the_main_one_of_its_user(database_url: str) -> None:
    taken_back_before(database_url, "0013")
    with psycopg.connect(database_url, autocommit=True) as connection:
        listed_before(connection)
        connection.execute(OF_BEFORE)
        before = connection.execute("SELECT id, name, created_at_us FROM accounts").fetchall()
    upgrade(database_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        after = connection.execute("SELECT id, name, created_at_us FROM accounts").fetchall()
        assert sorted(after) == sorted(before)
        owned = connection.execute(OWNED).fetchall()
        assert owned == [(2001, "MAIN", None, 5, 2001), (2002, "MAIN", None, 6, None)]
        house = "SELECT DISTINCT kind FROM accounts WHERE owner_id IS NULL AND id < 1000"
        assert connection.execute(house).fetchall() == [("SYSTEM",)]
        assert connection.execute("SELECT total_atoms FROM balances").fetchall() == [(7,), (8,)]
    taken_back_before(database_url, "0013")
    with psycopg.connect(database_url, autocommit=True) as connection:
        kinds = connection.execute("SELECT kind FROM accounts WHERE id > 2000").fetchall()
        assert kinds == [("CLIENT",), ("CLIENT",)]


def test_a_main_account_is_its_own_users_whatever_is_said(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        other = trader(connection)
        with connection.transaction():
            row = connection.execute(
                "INSERT INTO accounts (kind, owner_id, created_at_us) VALUES ('MAIN', %s, 0)"
                " RETURNING id, owner_id",
                (other,),
            ).fetchone()
            assert row is not None
            assert row[0] == row[1] != other
            connection.execute("DELETE FROM accounts WHERE id = %s", (row[0],))
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            connection.execute("INSERT INTO accounts (kind, created_at_us) VALUES ('MAIN', 0)")


OF_ONES_OWN = """
SELECT trigger_ticks, triggered_at_us, expires_us, on_mark, link_id, link_order_id, may_open,
    amend_reason FROM orders ORDER BY id"""


def test_orders_of_before_wait_for_nothing_and_are_linked_with_nothing(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        listed_markets(connection)
    taken_back_before(database_url, "0014")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(TRADED[TRADED.index("INSERT INTO orders") :])
    upgrade(database_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        plain = (0, 0, 0, False, None, None, True, 0)
        assert connection.execute(OF_ONES_OWN).fetchall() == [plain] * 4
        connection.execute("UPDATE orders SET trigger_ticks = 7, link_id = 'x', link_order_id = 1")
    taken_back_before(database_url, "0014")
    upgrade(database_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        assert connection.execute(OF_ONES_OWN).fetchall() == [plain] * 4


OF_AMENDMENTS = "SELECT order_id, needed_lots, may_open FROM amendments"


def test_amendments_of_before_leave_it_as_it_is_whether_an_order_may_open(
    database_url: str,
) -> None:
    taken_back_before(database_url, "0017")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO amendments VALUES (1, 1000, 2, 0, 0, 5, 7, 9)")
    upgrade(database_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        assert connection.execute(OF_AMENDMENTS).fetchall() == [(1, 9, None)]


def test_every_market_of_before_is_a_perpetual_one(database_url: str) -> None:
    taken_back_before(database_url, "0015")
    with psycopg.connect(database_url, autocommit=True) as connection:
        listed_before(connection)
    upgrade(database_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        assert load_specs(connection) == {"BTC-PERP": BTC_PERP, "ETH-PERP": ETH_PERP}


def test_nobody_has_less_of_an_asset_than_nothing_or_than_is_locked(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        seller = trader(connection)
        with_money(connection, seller, "1", "ETH")
        for broken in ("total_atoms = -1", "locked_atoms = total_atoms + 1"):
            with pytest.raises(psycopg.errors.CheckViolation):
                connection.execute(f"UPDATE balances SET {broken} WHERE asset = 'ETH'")
