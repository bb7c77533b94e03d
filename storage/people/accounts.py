"""Users, and whose an account is. Ids below CLIENTS_FIRST are the house's (money/ledger.py)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import psycopg

from sim.market import COLLATERAL as COLLATERAL
from sim.refusals import Refusal, Refused
from sim.roles import Role
from storage.errors import wrapped
from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import Connection, Row, fetch_all, fetch_one, unit_of_work

UNUSABLE_HASH = "!"
"""No password has this hash: guests come back by their token only."""

INSERT_ACCOUNT = "INSERT INTO accounts (kind, created_at_us) VALUES ('MAIN', %s) RETURNING id"
INSERT_USER = """
INSERT INTO users (id, email, password_hash, status, created_at_us, guest_since_us)
VALUES (%s, %s, %s, 'ACTIVE', %s, %s) ON CONFLICT (email) DO NOTHING RETURNING id"""
INSERT_BALANCE = """
INSERT INTO balances (account_id, asset, total_atoms, locked_atoms, open_orders)
VALUES (%s, %s, 0, 0, 0)"""
SELECT_USER = "SELECT id, email, password_hash, role, status, created_at_us FROM users"
SELECT_STANDING = """
SELECT u.role, u.status, a.id IS NOT NULL
FROM users u LEFT JOIN accounts a ON a.owner_id = u.id AND a.id = %s WHERE u.id = %s"""
UPDATE_HASH = "UPDATE users SET password_hash = %s WHERE id = %s AND password_hash = %s RETURNING 1"


class AccountKind(StrEnum):
    """What an account is for. SYSTEM is the house's, STRATEGY of simulated traders; the others
    belong to users: each has one MAIN account, whose id is the user's, and may have more.

    SESSION and DROID are names for accounts that are to come."""

    SYSTEM = "SYSTEM"
    STRATEGY = "STRATEGY"
    MAIN = "MAIN"
    PAPER = "PAPER"
    SESSION = "SESSION"
    DROID = "DROID"


class UserStatus(StrEnum):
    """Who is PENDING has logged in and waits for an ADMIN; a disabled user's tokens and passwords
    open nothing."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"


UPDATE_ROLE_BY_EMAIL = f"""
UPDATE users SET role = %(role)s::text, status = CASE
    WHEN status = '{UserStatus.PENDING}' AND %(role)s::text <> '{Role.PENDING}'
    THEN '{UserStatus.ACTIVE}' ELSE status END
WHERE email = %(email)s RETURNING 1"""


@dataclass(frozen=True)
class User:
    """Someone who logs in; `user_id` is also the id of the MAIN account."""

    user_id: int
    email: str
    password_hash: str
    role: Role
    status: UserStatus
    created_at_us: int


async def create_user(
    pool: AsyncPool, email: str, password_hash: str, is_guest: bool = False
) -> tuple[int, bool]:
    """A new TRADER with a MAIN account and an empty balance: (id, True). An idle guest is removed
    some day.

    The role is the column's default: the API's database user may write none.
    Where the e-mail is taken nothing is written, and the answer is an id that
    belongs to nobody and never will, and False.
    """
    async with unit_of_work(pool) as connection:
        return await insert_user(connection, email, password_hash, is_guest)


async def insert_user(
    connection: Connection, email: str, password_hash: str, is_guest: bool = False
) -> tuple[int, bool]:
    """The same in the caller's transaction."""
    at_us = now_us()
    row = await (await connection.execute(INSERT_ACCOUNT, (at_us,))).fetchone()
    assert row is not None
    user_id = int(row[0])
    values = (user_id, email, password_hash, at_us, at_us if is_guest else None)
    if await (await connection.execute(INSERT_USER, values)).fetchone() is None:
        await connection.execute("DELETE FROM accounts WHERE id = %s", (user_id,))
        return user_id, False
    await connection.execute(INSERT_BALANCE, (user_id, COLLATERAL))
    return user_id, True


@dataclass(frozen=True)
class Standing:
    """What a user may do at this moment, and whether the account that is asked for is theirs."""

    role: Role
    status: UserStatus
    owns_account: bool


async def find_standing(pool: AsyncPool, user_id: int, account_id: int) -> Standing | None:
    """A user's role and status, or None where there is no such user."""
    row = await fetch_one(pool, SELECT_STANDING, (account_id, user_id))
    return Standing(Role(row[0]), UserStatus(row[1]), row[2]) if row is not None else None


def no_such_account() -> Refused:
    """The refusal of another's account, of a missing one, and of text that names none."""
    return Refused(Refusal.ACCOUNT_NOT_FOUND, "No such account")


def not_active(status: UserStatus | None = None) -> Refused:
    """The refusal of whoever is not approved yet, is no user any more, or is disabled."""
    if status == UserStatus.PENDING:
        return Refused(Refusal.FORBIDDEN, "An ADMIN has to approve this account first")
    return Refused(Refusal.UNAUTHENTICATED, "This account is not active")


def archived() -> Refused:
    """The refusal of orders and money in an account that is put away."""
    return Refused(
        Refusal.ACCOUNT_ARCHIVED,
        "This account is archived: it takes no orders and moves no money",
    )


async def find_user_by_email(pool: AsyncPool, email: str) -> User | None:
    """The user with this (lower-case) e-mail."""
    return as_user(await fetch_one(pool, f"{SELECT_USER} WHERE email = %s", (email,)))


async def find_user(pool: AsyncPool, user_id: int) -> User | None:
    """The user with this id."""
    return as_user(await fetch_one(pool, f"{SELECT_USER} WHERE id = %s", (user_id,)))


async def users(
    pool: AsyncPool, status: UserStatus | None, before_id: int, limit: int
) -> list[User]:
    """A page of all users, or of those with a status, newest first: whose id is below
    `before_id`."""
    only = "" if status is None else " AND status = %(status)s"
    statement = f"{SELECT_USER} WHERE id < %(before)s{only} ORDER BY id DESC LIMIT %(limit)s"
    values = {"status": status, "before": before_id, "limit": limit}
    found = [as_user(row) for row in await fetch_all(pool, statement, values)]
    return [user for user in found if user is not None]


def as_user(row: Row | None) -> User | None:
    """A row of SELECT_USER."""
    if row is None:
        return None
    user_id, email, password_hash, role, status, created_at_us = row
    return User(user_id, email, password_hash, Role(role), UserStatus(status), created_at_us)


async def replace_password_hash(pool: AsyncPool, user: User, password_hash: str) -> bool:
    """Store a new hash of the same password, unless the password has changed meanwhile."""
    values = (password_hash, user.user_id, user.password_hash)
    return await fetch_one(pool, UPDATE_HASH, values) is not None


def give_role(connection: psycopg.Connection[Any], email: str, role: Role) -> bool:
    """Give the user with this (lower-case) e-mail another role, outside of the API: who waits for
    an ADMIN waits no longer. False where there is none."""
    with wrapped():
        values = {"role": role, "email": email}
        return connection.execute(UPDATE_ROLE_BY_EMAIL, values).fetchone() is not None
