"""Logins that can be refreshed. A login has one valid refresh token at a time."""

from dataclasses import dataclass

from sim.refusals import Refusal, Refused
from storage.people.accounts import UserStatus
from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import Connection, fetch_all, unit_of_work

SESSIONS_MAX = 100
"""Logins that a user may have at a time; one more ends the oldest."""

GRACE_US = 10_000_000
"""A refresh token that was just used gets its successor once more: clients ask in parallel."""

ENDED_READ_MAX = 5_000
"""Rows that one statement reads; the next begins after the last of them."""

BEGIN = """
WITH begun AS (
    INSERT INTO login_sessions
        (id, user_id, generation, token_hash, started_at_us, refreshed_at_us, expires_at_us)
    VALUES (%(id)s, %(user)s, 0, %(hash)s, %(now)s, %(now)s, %(until)s)),
removed AS (
    DELETE FROM login_sessions WHERE id IN (
        SELECT id FROM login_sessions WHERE user_id = %(user)s
        ORDER BY started_at_us DESC OFFSET %(others)s)
    RETURNING id)
INSERT INTO ended_sessions SELECT id, %(now)s FROM removed ON CONFLICT DO NOTHING RETURNING id"""
"""What is removed to make room is noted as ended: or its token would live on."""

LOCK = """
SELECT s.user_id, s.generation, s.token_hash, s.refreshed_at_us, s.expires_at_us, u.status
FROM login_sessions s JOIN users u ON u.id = s.user_id WHERE s.id = %s FOR UPDATE OF s"""
ROTATE = """
UPDATE login_sessions SET generation = %s, token_hash = %s, refreshed_at_us = %s,
    expires_at_us = %s WHERE id = %s"""
DELETE = "DELETE FROM login_sessions WHERE id = %s RETURNING id"
NOTE_END = "INSERT INTO ended_sessions VALUES (%s, %s) ON CONFLICT DO NOTHING"
ENDED_AFTER = """
SELECT ended_at_us, id FROM ended_sessions WHERE (ended_at_us, id) > (%s, %s)
ORDER BY ended_at_us, id LIMIT %s"""

NOT_VALID = "This refresh token is not valid; log in again"
EXPIRED = "This refresh token has expired; log in again"
REUSED = "This refresh token was used before: the login it belongs to has ended; log in again"


@dataclass(frozen=True)
class NewSession:
    """A login that begins, with the hash of its first refresh token."""

    session_id: str
    user_id: int
    token_hash: bytes


@dataclass(frozen=True)
class Turn:
    """A refresh token that is shown, of its login's `generation`, and the next one's hash."""

    session_id: str
    generation: int
    token_hash: bytes
    next_hash: bytes


async def begin_session(pool: AsyncPool, new: NewSession, ttl_s: int) -> None:
    """Keep a new login; where the user has too many, the oldest ends."""
    at_us = now_us()
    values = {
        "id": new.session_id,
        "user": new.user_id,
        "hash": new.token_hash,
        "now": at_us,
        "until": at_us + ttl_s * 1_000_000,
        "others": SESSIONS_MAX - 1,
    }
    await fetch_all(pool, BEGIN, values)


async def turn(pool: AsyncPool, shown: Turn, ttl_s: int) -> int:
    """Replace the login's refresh token by the next; whose login it is.

    A token that was replaced a moment ago is answered alike. One that was
    replaced before ends the login: two have had it, and one of them is not the
    owner. So does a user who is disabled. Raises Refused UNAUTHENTICATED.
    """
    at_us = now_us()
    async with unit_of_work(pool) as connection:
        row = await (await connection.execute(LOCK, (shown.session_id,))).fetchone()
        if row is None:
            raise Refused(Refusal.UNAUTHENTICATED, NOT_VALID)
        user_id, generation, token_hash, refreshed_at_us, expires_at_us, status = row
        if expires_at_us <= at_us:
            raise Refused(Refusal.UNAUTHENTICATED, EXPIRED)
        is_out = status == UserStatus.DISABLED
        is_next = shown.generation == generation and shown.token_hash == bytes(token_hash)
        is_twin = at_us - refreshed_at_us <= GRACE_US and shown.next_hash == bytes(token_hash)
        if is_next and not is_out:
            values = (generation + 1, shown.next_hash, at_us, at_us + ttl_s * 1_000_000)
            await connection.execute(ROTATE, (*values, shown.session_id))
        if (is_next or is_twin) and not is_out:
            return int(user_id)
        if is_out or shown.generation < generation:
            await end(connection, shown.session_id, at_us)
    raise Refused(Refusal.UNAUTHENTICATED, NOT_VALID if is_out else REUSED)


async def end_session(pool: AsyncPool, session_id: str) -> None:
    """End a login, with all its tokens; one that has ended already stays so."""
    async with unit_of_work(pool) as connection:
        await end(connection, session_id, now_us())


async def end(connection: Connection, session_id: str, at_us: int) -> None:
    """The same in the caller's transaction."""
    cursor = await connection.execute(DELETE, (session_id,))
    if await cursor.fetchone() is not None:
        await connection.execute(NOTE_END, (session_id, at_us))


async def ended_since(pool: AsyncPool, since_us: int) -> list[str]:
    """All logins that were ended since then, the first ended first."""
    found: list[str] = []
    last: tuple[int, str] = (since_us, "")
    while True:
        rows = await fetch_all(pool, ENDED_AFTER, (*last, ENDED_READ_MAX))
        found += [str(row[1]) for row in rows]
        if len(rows) < ENDED_READ_MAX:
            return found
        last = rows[-1][0], rows[-1][1]
