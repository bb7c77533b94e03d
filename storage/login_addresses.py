"""From which addresses a user has logged in rightly."""

from storage.database import AsyncPool, now_us
from storage.unit_of_work import fetch_one, unit_of_work

ADDRESSES_MAX = 20
"""Addresses that are remembered of a user; one more makes the oldest unknown again."""

KNOWN = """
SELECT 1 FROM login_addresses a JOIN users u ON u.id = a.user_id
WHERE u.email = %s AND a.address = %s"""
REMEMBER = """
INSERT INTO login_addresses (user_id, address, last_at_us) VALUES (%s, %s, %s)
ON CONFLICT (user_id, address) DO UPDATE SET last_at_us = excluded.last_at_us"""
FORGET_OLDEST = """
DELETE FROM login_addresses WHERE user_id = %(user)s AND address IN (
    SELECT address FROM login_addresses WHERE user_id = %(user)s
    ORDER BY last_at_us DESC OFFSET %(most)s)"""


async def is_known_address(pool: AsyncPool, email: str, address: bytes) -> bool:
    """Whether the user with this e-mail has logged in from there; False where there is none."""
    return await fetch_one(pool, KNOWN, (email, address)) is not None


async def remember_address(pool: AsyncPool, user_id: int, address: bytes) -> None:
    """The user has logged in from there now."""
    async with unit_of_work(pool) as connection:
        await connection.execute(REMEMBER, (user_id, address, now_us()))
        await connection.execute(FORGET_OLDEST, {"user": user_id, "most": ADDRESSES_MAX})
