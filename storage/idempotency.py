"""The same request once: what a POST with an Idempotency-Key did is remembered with its effect."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sim.refusals import Refusal, Refused
from storage.database import AsyncPool, now_us
from storage.unit_of_work import Connection, unit_of_work

CLAIM = """
INSERT INTO idempotency (account_id, key, route, body_hash, status, response, created_at_us)
VALUES (%s, %s, %s, %s, 0, '', %s) ON CONFLICT DO NOTHING RETURNING 1"""
RECALL = "SELECT route, body_hash, response FROM idempotency WHERE account_id = %s AND key = %s"
REMEMBER = "UPDATE idempotency SET status = 1, response = %s WHERE account_id = %s AND key = %s"

Outcome = dict[str, Any]
"""What a piece of work resulted in, as JSON holds it."""


@dataclass(frozen=True)
class Asked:
    """A request that may come again. Without a key every time is a new request."""

    account_id: int
    route: str
    body_hash: bytes
    key: str | None


async def once(
    pool: AsyncPool, asked: Asked, work: Callable[[Connection], Awaitable[Outcome]]
) -> Outcome:
    """Do the work in one transaction together with the memory of its outcome.

    A repetition gets the first outcome and does nothing. Raises Refused
    IDEMPOTENCY_KEY_REUSED where the key belongs to another request, and whatever
    the work raises; then nothing is remembered.
    """
    async with unit_of_work(pool) as connection:
        if asked.key is not None and not await claim(connection, asked):
            return await recall(connection, asked)
        outcome = await work(connection)
        if asked.key is not None:
            values = (json.dumps(outcome), asked.account_id, asked.key)
            await connection.execute(REMEMBER, values)
    return outcome


async def claim(connection: Connection, asked: Asked) -> bool:
    """Take the key; False if it is taken. Waits for a request under way with the same key."""
    values = (asked.account_id, asked.key, asked.route, asked.body_hash, now_us())
    return await (await connection.execute(CLAIM, values)).fetchone() is not None


async def recall(connection: Connection, asked: Asked) -> Outcome:
    """What the first request with this key resulted in."""
    row = await (await connection.execute(RECALL, (asked.account_id, asked.key))).fetchone()
    assert row is not None, "keys are never deleted while in use"
    if (row[0], bytes(row[1])) != (asked.route, asked.body_hash):
        raise Refused(
            Refusal.IDEMPOTENCY_KEY_REUSED, "This Idempotency-Key belongs to another request"
        )
    outcome: Outcome = json.loads(row[2])
    return outcome
