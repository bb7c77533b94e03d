"""Guests who never did anything are removed some day; everybody else stays."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from actors.live.identity_sweep import SWEEP_EVERY_US, IdentitySweep
from sim.money.ledger import CLIENTS_FIRST
from storage.people.idle_identities import (
    ENDED_KEPT_US,
    ROWS_MAX,
    remove_expired_logins,
    remove_idle_guests,
)
from tests.builders import listed_markets, paper_account, trader, waiting_simulation

CAME_US = 1_000_000
LATER_US = 2_000_000
DELETED_WITH_THE_USER = {"api_keys", "app_tokens", "login_sessions", "login_addresses"}
REMOVED_BY_NAME = {"users", "accounts", "balances"}
KEEPS_ITS_OWNER = {"droids", "trading_sessions", "decision_feedback"}


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url, autocommit=True) as opened:
        listed_markets(opened)
        yield opened


def guest(connection: psycopg.Connection[Any], came_us: int = CAME_US) -> int:
    account_id = trader(connection)
    connection.execute("DELETE FROM ledger_entries WHERE account_id = %s", (account_id,))
    connection.execute(
        "UPDATE balances SET total_atoms = 0, version = 0 WHERE account_id = %s", (account_id,)
    )
    connection.execute("UPDATE users SET guest_since_us = %s WHERE id = %s", (came_us, account_id))
    return account_id


def empty_account(connection: psycopg.Connection[Any], owner_id: int) -> int:
    account_id = paper_account(connection, owner_id, "0")
    connection.execute("DELETE FROM ledger_entries WHERE account_id = %s", (account_id,))
    return account_id


def remember(connection: psycopg.Connection[Any], account_id: int, route: str) -> None:
    connection.execute(
        "INSERT INTO idempotency (account_id, key, route, body_hash, response, order_ids,"
        " created_at_us) VALUES (%s, 'k', %s, '', '', '{}', 0)",
        (account_id, route),
    )


def exists(connection: psycopg.Connection[Any], account_id: int) -> bool:
    found = [
        connection.execute(f"SELECT 1 FROM {table} WHERE {column} = %s", (account_id,)).fetchone()
        for table, column in (("users", "id"), ("accounts", "id"), ("balances", "account_id"))
    ]
    assert len(set(found)) == 1
    return found[0] is not None


def test_who_has_a_droid_is_a_guest_no_longer(connection: psycopg.Connection[Any]) -> None:
    owner, idle = guest(connection), guest(connection)
    connection.execute(
        "INSERT INTO droids (owner_id, account_id, pool_id, config, active, resets, revision,"
        " created_at_us) VALUES (%s, %s, 42, '{}', 0, 0, 0, 0)",
        (owner, owner),
    )
    assert remove_idle_guests(connection, LATER_US, 1) == 2
    assert exists(connection, owner)
    assert not exists(connection, idle)


def test_a_guest_who_did_nothing_is_removed_with_all_that_logs_in(
    connection: psycopg.Connection[Any],
) -> None:
    idle, young, user = guest(connection), guest(connection, LATER_US), trader(connection)
    connection.execute(
        "INSERT INTO api_keys (user_id, name, prefix, key_hash, scopes, created_at_us)"
        " VALUES (%s, 'k', 'p', 'h', 'read', 0)",
        (idle,),
    )
    assert remove_idle_guests(connection, LATER_US, 1) == 1
    assert not exists(connection, idle)
    assert connection.execute("SELECT 1 FROM api_keys").fetchone() is None
    assert exists(connection, young)
    assert exists(connection, user)


USES = {
    "money": "UPDATE balances SET total_atoms = 1 WHERE account_id = %s",
    "a change of the account": "UPDATE balances SET version = 1 WHERE account_id = %s",
    "a ledger entry": "INSERT INTO ledger_entries (source, seq, leg, account_id, asset,"
    " entry_type, amount_atoms, created_at_us) VALUES ('transfer', -1, 0, %s, 'USDC', 'X', 0, 0)",
    "a request that may come again": (
        "INSERT INTO idempotency (account_id, key, route, body_hash, response, order_ids,"
        " created_at_us) VALUES (%s, 'k', '', '', '', '{}', 0)"
    ),
}


@pytest.mark.parametrize("use", USES)
def test_a_guest_who_used_the_account_stays_for_good(
    use: str, connection: psycopg.Connection[Any]
) -> None:
    used = guest(connection)
    connection.execute(USES[use], (used,))
    assert remove_idle_guests(connection, LATER_US, 0) == 1
    assert exists(connection, used)
    assert remove_idle_guests(connection, LATER_US, 0) == 0


def test_a_guest_who_only_asked_for_simulations_stays_as_long_as_they_do(
    connection: psycopg.Connection[Any],
) -> None:
    used, idle = guest(connection), guest(connection)
    waiting_simulation(connection, used)
    assert remove_idle_guests(connection, LATER_US, 0) == 2
    assert exists(connection, used)
    assert not exists(connection, idle)
    connection.execute("DELETE FROM simulations")
    assert remove_idle_guests(connection, LATER_US, 1) == 0
    assert remove_idle_guests(connection, LATER_US, 0) == 1
    assert not exists(connection, used)


def test_a_key_that_a_simulation_was_asked_for_with_keeps_no_guest(
    connection: psycopg.Connection[Any],
) -> None:
    used = guest(connection)
    remember(connection, used, "simulations/7/runs")
    assert remove_idle_guests(connection, LATER_US, 0) == 1
    assert not exists(connection, used)
    assert connection.execute("SELECT 1 FROM idempotency").fetchone() is None


def test_a_guest_whose_account_is_changing_is_left_alone(
    connection: psycopg.Connection[Any], database_url: str
) -> None:
    busy = guest(connection)
    with psycopg.connect(database_url) as other:
        other.execute("UPDATE balances SET version = 1 WHERE account_id = %s", (busy,))
        assert remove_idle_guests(connection, LATER_US, 0) == 0
    assert exists(connection, busy)


def accounts_left(connection: psycopg.Connection[Any]) -> set[int]:
    rows = connection.execute(
        "SELECT a.id FROM accounts a FULL JOIN balances b ON b.account_id = a.id WHERE a.id >= %s",
        (CLIENTS_FIRST,),
    )
    return {row[0] for row in rows}


def test_a_guest_goes_with_all_of_their_accounts(connection: psycopg.Connection[Any]) -> None:
    idle, user = guest(connection), trader(connection)
    empty_account(connection, idle)
    kept = paper_account(connection, user)
    remember(connection, idle, "accounts")
    assert remove_idle_guests(connection, LATER_US, 0) == 1
    assert accounts_left(connection) == {user, kept}
    assert connection.execute("SELECT 1 FROM idempotency").fetchone() is None


@pytest.mark.parametrize("use", USES)
def test_a_guest_who_used_any_account_stays_with_all_of_them(
    use: str, connection: psycopg.Connection[Any]
) -> None:
    used = guest(connection)
    other, empty = empty_account(connection, used), empty_account(connection, used)
    connection.execute(USES[use], (other,))
    assert remove_idle_guests(connection, LATER_US, 0) == 1
    assert accounts_left(connection) == {used, other, empty}
    assert remove_idle_guests(connection, LATER_US, 0) == 0


def test_a_guest_one_of_whose_accounts_is_changing_is_left_alone(
    connection: psycopg.Connection[Any], database_url: str
) -> None:
    busy = guest(connection)
    other = empty_account(connection, busy)
    with psycopg.connect(database_url) as changing:
        changing.execute("UPDATE balances SET version = 1 WHERE account_id = %s", (other,))
        assert remove_idle_guests(connection, LATER_US, 0) == 0
    assert accounts_left(connection) == {busy, other}


def test_an_id_is_never_given_twice(connection: psycopg.Connection[Any]) -> None:
    idle = guest(connection)
    remove_idle_guests(connection, LATER_US, 0)
    assert trader(connection) > idle


def test_whatever_refers_to_an_account_goes_with_it(connection: psycopg.Connection[Any]) -> None:
    """A new table that refers to users or accounts has to be thought of in the removal."""
    rows = connection.execute(
        "SELECT conrelid::regclass::text, confdeltype FROM pg_constraint"
        " WHERE contype = 'f' AND confrelid IN ('users'::regclass, 'accounts'::regclass)"
    ).fetchall()
    assert {table for table, on_delete in rows if on_delete == "c"} == DELETED_WITH_THE_USER
    assert {
        table for table, on_delete in rows if on_delete != "c"
    } == REMOVED_BY_NAME | KEEPS_ITS_OWNER


def test_logins_that_are_over_are_forgotten(connection: psycopg.Connection[Any]) -> None:
    user = trader(connection)
    for name, until_us in (("old", LATER_US), ("new", LATER_US + 1)):
        connection.execute(
            "INSERT INTO login_sessions VALUES (%s, %s, 0, '', 0, 0, %s)", (name, user, until_us)
        )
        connection.execute(
            "INSERT INTO ended_sessions VALUES (%s, %s)", (name, until_us - ENDED_KEPT_US)
        )
    assert remove_expired_logins(connection, LATER_US) == 2
    for table in ("login_sessions", "ended_sessions"):
        assert connection.execute(f"SELECT id FROM {table}").fetchall() == [("new",)]


def test_the_sweep_takes_a_bounded_number_and_rests_an_hour_when_it_is_done(
    connection: psycopg.Connection[Any],
) -> None:
    for _ in range(ROWS_MAX + 1):
        guest(connection)
    sweep, now_us = IdentitySweep(guest_ttl_s=60), CAME_US + 60_000_000
    assert [sweep.step(connection, now_us) for _ in range(3)] == [ROWS_MAX, 1, 0]
    late = guest(connection)
    assert sweep.step(connection, now_us + SWEEP_EVERY_US - 1) == 0
    assert sweep.step(connection, now_us + SWEEP_EVERY_US) == 1
    assert not exists(connection, late)
