"""API keys: kept as hashes, found by their prefix."""

from dataclasses import dataclass
from enum import StrEnum

from sim.refusals import Refusal, Refused
from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import Connection, Row, fetch_all, fetch_one

API_KEYS_MAX = 20
"""Keys that a user may have at a time."""

USED_EVERY_US = 3_600_000_000
"""The last use is written down at most this often."""

COLUMNS = "id, user_id, name, prefix, key_hash, scopes, created_at_us, expires_at_us,"
SELECT_KEY = f"SELECT {COLUMNS} last_used_at_us FROM api_keys"
LOCK_USER = "SELECT 1 FROM users WHERE id = %s FOR UPDATE"
COUNT = "SELECT count(*) FROM api_keys WHERE user_id = %s"
INSERT = f"""
INSERT INTO api_keys (user_id, name, prefix, key_hash, scopes, created_at_us, expires_at_us)
VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING {COLUMNS} last_used_at_us"""
DELETE = "DELETE FROM api_keys WHERE id = %s AND user_id = %s RETURNING prefix"
USED = "UPDATE api_keys SET last_used_at_us = %s WHERE id = %s RETURNING 1"


class Scope(StrEnum):
    """What a key opens. Neither contains the other."""

    READ = "read"
    TRADE = "trade"


@dataclass(frozen=True)
class ApiKey:
    """A key as it is kept; nothing of it opens anything."""

    key_id: int
    user_id: int
    name: str
    prefix: str
    key_hash: bytes
    scopes: frozenset[Scope]
    created_at_us: int
    expires_at_us: int | None
    last_used_at_us: int | None


@dataclass(frozen=True)
class NewApiKey:
    """What is kept of a key that was just made."""

    user_id: int
    name: str
    prefix: str
    key_hash: bytes
    scopes: frozenset[Scope]
    expires_at_us: int | None


async def create_api_key(connection: Connection, new: NewApiKey) -> ApiKey:
    """Keep it. The caller's transaction commits. Raises Refused TOO_MANY_API_KEYS."""
    scopes = " ".join(sorted(new.scopes))
    values = (new.user_id, new.name, new.prefix, new.key_hash, scopes, now_us(), new.expires_at_us)
    await connection.execute(LOCK_USER, (new.user_id,))
    count = await (await connection.execute(COUNT, (new.user_id,))).fetchone()
    if count is not None and count[0] >= API_KEYS_MAX:
        raise Refused(
            Refusal.TOO_MANY_API_KEYS,
            f"A user may have at most {API_KEYS_MAX} API keys; revoke one first",
        )
    row = await (await connection.execute(INSERT, values)).fetchone()
    assert row is not None
    return as_key(row)


async def api_keys(pool: AsyncPool, user_id: int) -> list[ApiKey]:
    """The user's keys, newest first; there are at most API_KEYS_MAX."""
    statement = f"{SELECT_KEY} WHERE user_id = %s ORDER BY id DESC"
    return [as_key(row) for row in await fetch_all(pool, statement, (user_id,))]


async def find_api_key(pool: AsyncPool, prefix: str) -> ApiKey | None:
    """The key that begins so."""
    row = await fetch_one(pool, f"{SELECT_KEY} WHERE prefix = %s", (prefix,))
    return as_key(row) if row is not None else None


async def revoke_api_key(pool: AsyncPool, user_id: int, key_id: int) -> str | None:
    """Forget the user's key; its prefix, or None where the user has no such key."""
    row = await fetch_one(pool, DELETE, (key_id, user_id))
    return str(row[0]) if row is not None else None


async def note_use(pool: AsyncPool, key: ApiKey) -> None:
    """Write down that the key was used now, unless that is known closely enough."""
    at_us = now_us()
    if key.last_used_at_us is None or at_us - key.last_used_at_us >= USED_EVERY_US:
        await fetch_one(pool, USED, (at_us, key.key_id))


def as_key(row: Row) -> ApiKey:
    """A row of SELECT_KEY."""
    key_id, user_id, name, prefix, key_hash, scopes, created_at_us, expires_at_us, used = row
    found = frozenset(Scope(scope) for scope in scopes.split())
    return ApiKey(
        key_id, user_id, name, prefix, bytes(key_hash), found, created_at_us, expires_at_us, used
    )
