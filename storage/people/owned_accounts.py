"""The accounts of a user: the MAIN one, whose id is the user's, and PAPER ones beside it.

Those of trading sessions are not among them: see storage/agents/sessions.py.
"""

from dataclasses import dataclass

from sim.refusals import Refusal, Refused
from storage.people.accounts import COLLATERAL, INSERT_BALANCE, AccountKind
from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import Connection, Row, fetch_all

ACCOUNTS_MAX = 20
"""Accounts that a user may have, archived ones among them."""

COLUMNS = "id, owner_id, kind, name, created_at_us, archived_at_us"
OWNED = f"owner_id = %s AND kind <> '{AccountKind.SESSION}'"
SELECT = f"""
SELECT {COLUMNS} FROM accounts WHERE {OWNED} AND (%s OR archived_at_us IS NULL)
ORDER BY id"""
"""The MAIN account was there first, so it has the least id."""

COUNT = f"SELECT count(*) FROM accounts WHERE {OWNED}"
INSERT = f"""
INSERT INTO accounts (kind, name, owner_id, created_at_us) VALUES (%s, %s, %s, %s)
RETURNING {COLUMNS}"""
CHANGE = f"""
UPDATE accounts SET name = coalesce(%(name)s, name), archived_at_us = CASE
    WHEN %(archived)s::bool IS NULL THEN archived_at_us
    WHEN %(archived)s THEN coalesce(archived_at_us, %(now)s) END
WHERE id = %(id)s RETURNING {COLUMNS}"""


@dataclass(frozen=True)
class OwnedAccount:
    """An account as its owner sees it."""

    account_id: int
    owner_id: int
    kind: AccountKind
    name: str | None
    created_at_us: int
    archived_at_us: int | None


async def owned_accounts(pool: AsyncPool, user_id: int, with_archived: bool) -> list[OwnedAccount]:
    """A user's accounts, the MAIN one first; there are at most ACCOUNTS_MAX."""
    return [as_owned(row) for row in await fetch_all(pool, SELECT, (user_id, with_archived))]


async def add_account(connection: Connection, user_id: int, name: str) -> OwnedAccount:
    """A new PAPER account without money. The caller holds the lock of the user's MAIN account, so
    that nobody counts meanwhile, nor removes the user. Raises Refused TOO_MANY_ACCOUNTS."""
    count = await (await connection.execute(COUNT, (user_id,))).fetchone()
    if count is not None and count[0] >= ACCOUNTS_MAX:
        raise Refused(
            Refusal.TOO_MANY_ACCOUNTS,
            f"A user may have at most {ACCOUNTS_MAX} accounts, archived ones among them;"
            " take one of those up again",
        )
    values = (AccountKind.PAPER, name, user_id, now_us())
    row = await (await connection.execute(INSERT, values)).fetchone()
    assert row is not None
    await connection.execute(INSERT_BALANCE, (row[0], COLLATERAL))
    return as_owned(row)


async def change_account(
    connection: Connection, account_id: int, name: str | None, archived: bool | None
) -> OwnedAccount:
    """Another name, put away or taken up again; None changes nothing. The caller holds its lock."""
    values = {"id": account_id, "name": name, "archived": archived, "now": now_us()}
    row = await (await connection.execute(CHANGE, values)).fetchone()
    assert row is not None, "an account is never removed while it is locked"
    return as_owned(row)


def as_owned(row: Row) -> OwnedAccount:
    """A row of COLUMNS."""
    account_id, owner_id, kind, name, created_at_us, archived_at_us = row
    return OwnedAccount(
        account_id, owner_id, AccountKind(kind), name, created_at_us, archived_at_us
    )
