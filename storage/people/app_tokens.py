"""Tokens that open the explorer: one a user, kept as hashes, found by how they begin."""

from dataclasses import dataclass

from sim.roles import Role
from storage.people.accounts import UserStatus
from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import Connection, fetch_all, fetch_one

KEEP = """
INSERT INTO app_tokens (user_id, prefix, token_hash, created_at_us) VALUES (%s, %s, %s, %s)
ON CONFLICT (user_id) DO UPDATE SET prefix = excluded.prefix, token_hash = excluded.token_hash,
    created_at_us = excluded.created_at_us"""
SELECT_HOLDERS = """
SELECT t.token_hash, u.id, u.role, u.status
FROM app_tokens t JOIN users u ON u.id = t.user_id WHERE t.prefix = %s"""
SELECT_CREATED = "SELECT created_at_us FROM app_tokens WHERE user_id = %s"
DELETE = "DELETE FROM app_tokens WHERE user_id = %s RETURNING 1"


@dataclass(frozen=True)
class TokenHolder:
    """Whose a token is, and what they may do at this moment."""

    token_hash: bytes
    user_id: int
    role: Role
    status: UserStatus


async def keep_app_token(
    connection: Connection, user_id: int, prefix: str, token_hash: bytes
) -> None:
    """Keep the user's token; the one before it opens nothing any more. The caller's transaction
    commits."""
    await connection.execute(KEEP, (user_id, prefix, token_hash, now_us()))


async def token_holders(pool: AsyncPool, prefix: str) -> list[TokenHolder]:
    """Everybody whose token begins so; hardly ever more than one."""
    return [
        TokenHolder(bytes(token_hash), user_id, Role(role), UserStatus(status))
        for token_hash, user_id, role, status in await fetch_all(pool, SELECT_HOLDERS, (prefix,))
    ]


async def app_token_created_us(pool: AsyncPool, user_id: int) -> int | None:
    """When the user's token was made; None where they have none."""
    row = await fetch_one(pool, SELECT_CREATED, (user_id,))
    return int(row[0]) if row is not None else None


async def revoke_app_token(pool: AsyncPool, user_id: int) -> None:
    """The user has no token any more."""
    await fetch_one(pool, DELETE, (user_id,))
