"""One transaction: all of it, nothing of it, or openly unknown."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from sim.roles import Role
from storage.errors import DatabaseUnavailable, OutcomeUnknown
from storage.intake.idempotency import Asked, once
from storage.intake.transfers import deposit
from storage.people.accounts import create_user, find_standing, find_user_by_email
from storage.postgres.database import AsyncPool, open_pool
from storage.postgres.unit_of_work import Connection, fetch_one, unit_of_work

DIE_AT_COMMIT = """
CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER die AFTER INSERT ON transfers
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()"""


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[AsyncPool]:
    pool = await open_pool(database_url, 2)
    yield pool
    await pool.close()


@pytest.fixture
async def account_id(pool: AsyncPool) -> int:
    return (await create_user(pool, "a@example.com", "x"))[0]


async def deposit_and(pool: AsyncPool, account_id: int, statement: str) -> None:
    async with unit_of_work(pool) as connection:
        await deposit(connection, account_id, "USDC", 5)
        await connection.execute(statement)


async def total_of(pool: AsyncPool, account_id: int) -> int:
    row = await fetch_one(
        pool, "SELECT total_atoms FROM balances WHERE account_id = %s", (account_id,)
    )
    assert row is not None
    return int(row[0])


async def test_what_raises_leaves_nothing(pool: AsyncPool, account_id: int) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        await deposit_and(pool, account_id, "SELECT 1 / 0")
    assert await total_of(pool, account_id) == 0


async def test_a_connection_lost_before_commit_is_unavailable(
    pool: AsyncPool, account_id: int
) -> None:
    with pytest.raises(DatabaseUnavailable):
        await deposit_and(pool, account_id, "SELECT pg_terminate_backend(pg_backend_pid())")
    assert await total_of(pool, account_id) == 0


async def test_a_connection_lost_while_committing_is_unknown(
    pool: AsyncPool, account_id: int, database_url: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(DIE_AT_COMMIT)
    with pytest.raises(OutcomeUnknown):
        await deposit_and(pool, account_id, "SELECT 1")


async def test_the_outcome_of_a_request_is_remembered_with_its_effect(
    pool: AsyncPool, account_id: int
) -> None:
    times = 0

    async def work(connection: Connection) -> dict[str, int]:
        nonlocal times
        times += 1
        return {"total": (await deposit(connection, account_id, "USDC", 5)).total_atoms}

    asked = Asked(account_id, "deposit", b"hash", "key")
    assert [await once(pool, asked, work) for _ in range(3)] == [{"total": 5}] * 3
    assert times == 1
    assert await total_of(pool, account_id) == 5


async def test_a_taken_address_burns_an_id_that_nobody_has(
    pool: AsyncPool, account_id: int
) -> None:
    decoy, created = await create_user(pool, "a@example.com", "y")
    assert not created
    assert decoy > account_id
    assert await find_standing(pool, decoy, decoy) is None
    user = await find_user_by_email(pool, "a@example.com")
    assert user is not None
    assert (user.user_id, user.password_hash, user.role) == (account_id, "x", Role.TRADER)


def test_roles_are_ordered() -> None:
    assert [role for role in Role if role.at_least(Role.TRADER)] == [
        Role.TRADER,
        Role.OPERATOR,
        Role.ADMIN,
    ]
