"""From which addresses a user has logged in rightly."""

from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import fetch_all, fetch_one

ADDRESSES_MAX = 20
"""Addresses that are remembered of a user; one more makes the oldest unknown again."""

KNOWN = """
SELECT 1 FROM login_addresses a JOIN users u ON u.id = a.user_id
WHERE u.email = %s AND a.address = %s"""
REMEMBER = """
WITH remembered AS (
    INSERT INTO login_addresses (user_id, address, last_at_us)
    VALUES (%(user)s, %(address)s, %(now)s)
    ON CONFLICT (user_id, address) DO UPDATE SET last_at_us = excluded.last_at_us)
DELETE FROM login_addresses WHERE user_id = %(user)s AND address IN (
    SELECT address FROM login_addresses WHERE user_id = %(user)s AND address <> %(address)s
    ORDER BY last_at_us DESC OFFSET %(others)s)
RETURNING 1"""


async def is_known_address(pool: AsyncPool, email: str, address: bytes) -> bool:
    """Whether the user with this e-mail has logged in from there; False where there is none."""
    return await fetch_one(pool, KNOWN, (email, address)) is not None


async def remember_address(pool: AsyncPool, user_id: int, address: bytes) -> None:
    """The user has logged in from there now."""
    values = {"user": user_id, "address": address, "now": now_us(), "others": ADDRESSES_MAX - 1}
    await fetch_all(pool, REMEMBER, values)
