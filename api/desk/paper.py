"""The built-in paper account, for whoever uses agents on their own machine without logging in."""

from collections.abc import Mapping

from storage.intake.joining import endow_newcomer
from storage.people.accounts import UNUSABLE_HASH, find_user_by_email, insert_user
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import unit_of_work

PAPER = "paper"
"""Its user's e-mail: no address, so nobody can register it, and no password opens it."""


async def paper_user(pool: AsyncPool, opening: Mapping[str, int]) -> int:
    """Its user's id; made where it is asked for first, with this money. Of two who make it at once
    the second waits at the e-mail, and finds it."""
    known = await find_user_by_email(pool, PAPER)
    if known is not None:
        return known.user_id
    async with unit_of_work(pool) as connection:
        user_id, is_new = await insert_user(connection, PAPER, UNUSABLE_HASH)
        if is_new:
            await endow_newcomer(connection, user_id, opening)
            return user_id
    return await paper_user(pool, opening)
