"""Who is let in: those who join and wait for an ADMIN, the first of them all, who is one, and what
ADMINs change.

The rules stand in two functions of the database (migration 0019), for the API's user there writes
no role.
"""

from collections.abc import Mapping
from typing import NamedTuple

from sim.refusals import Refusal, Refused
from sim.roles import Role
from storage.intake.transfers import deposited, listed_assets, locked_balance
from storage.people.accounts import SELECT_USER, User, UserStatus, as_user, insert_user
from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import Connection, unit_of_work

SEAT = "SELECT seat_newcomer(%s)"
CHANGE = "SELECT change_role(%s, %s, %s, %s)"
TO_OPEN = """
UPDATE users SET opened_at_us = %s WHERE id = %s AND opened_at_us = 0 RETURNING 1"""
ROLES = ", ".join(role for role in Role if role != Role.PENDING)

REFUSALS = {
    "NOT_ADMIN": (Refusal.FORBIDDEN, "An ADMIN may do this, and nobody else"),
    "NO_USER": (Refusal.USER_NOT_FOUND, "No such user"),
    "NO_ROLE": (Refusal.INVALID_REQUEST, f"Who is to be ACTIVE needs a role: {ROLES}"),
    "LAST_ADMIN": (
        Refusal.LAST_ADMIN,
        "This is the last active ADMIN: make another one first",
    ),
}
"""Of what change_role answers where it has changed nothing."""

Opening = Mapping[str, int]
"""Atoms by asset."""


class Change(NamedTuple):
    """What an ADMIN changes of a user; None stays."""

    role: Role | None = None
    status: UserStatus | None = None


async def join(
    pool: AsyncPool, email: str, password_hash: str, opening: Opening
) -> tuple[int, bool]:
    """A new user who waits for an ADMIN; the first one ever is an ACTIVE ADMIN: (id, True). Where
    the e-mail is taken, as storage.people.accounts.create_user."""
    async with unit_of_work(pool) as connection:
        user_id, is_new = await insert_user(connection, email, password_hash)
        if is_new:
            row = await (await connection.execute(SEAT, (user_id,))).fetchone()
            if row is not None and row[0]:
                await open_purse(connection, user_id, opening)
    return user_id, is_new


async def change_user(
    pool: AsyncPool, admin_id: int, user_id: int, change: Change, opening: Opening
) -> User:
    """The user, as they are from now on. Who has joined and becomes ACTIVE for the first
    time gets the opening balance. Raises Refused."""
    async with unit_of_work(pool) as connection:
        asked = (admin_id, user_id, change.role, change.status)
        row = await (await connection.execute(CHANGE, asked)).fetchone()
        assert row is not None
        if row[0] in REFUSALS:
            raise Refused(*REFUSALS[row[0]])
        rows = await connection.execute(f"{SELECT_USER} WHERE id = %s", (user_id,))
        changed = as_user(await rows.fetchone())
        assert changed is not None
        if changed.status == UserStatus.ACTIVE:
            await open_purse(connection, user_id, opening)
        return changed


async def open_purse(connection: Connection, user_id: int, opening: Opening) -> None:
    """The opening balance of what is traded here, once in the life of a user who has joined."""
    row = await (await connection.execute(TO_OPEN, (now_us(), user_id))).fetchone()
    if row is not None:
        await endow_newcomer(connection, user_id, opening)


async def endow_newcomer(connection: Connection, user_id: int, opening: Opening) -> None:
    """As much of the opening balance as is traded here."""
    for asset in await listed_assets(connection):
        if asset in opening:
            balance = await locked_balance(connection, user_id, asset)
            await deposited(connection, balance, opening[asset])


def no_such_user() -> Refused:
    """The refusal of an id that is nobody's."""
    return Refused(*REFUSALS["NO_USER"])
