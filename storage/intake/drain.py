"""Waiting until everything accepted so far is matched and projected, save in halted markets."""

import asyncio
import time

from sim.rows.messages import MarketStatus
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import fetch_one

POLL_S = 0.02

ACCEPTED = "SELECT coalesce(max(id), 0) FROM commands"
BEHIND = f"""
SELECT (SELECT count(*) FROM commands c JOIN markets m USING (market_id)
        WHERE c.command_seq IS NULL AND c.id <= %s AND m.status <> {MarketStatus.HALTED:d})
     + (SELECT coalesce(sum(x.n), 0) FROM projections p JOIN markets m USING (market_id), LATERAL (
            SELECT count(*) AS n FROM commands c
            WHERE c.market_id = p.market_id AND c.command_seq > p.command_seq AND c.id <= %s) x
        WHERE m.status <> {MarketStatus.HALTED:d})"""


async def drain(pool: AsyncPool, seconds_max: float) -> int | None:
    """How many accepted commands this call has waited for; None if it has waited in vain.

    What halted markets have not done is waited for by nobody.
    """
    deadline = time.monotonic() + seconds_max
    row = await fetch_one(pool, ACCEPTED)
    last = int(row[0]) if row else 0
    waited_for = behind = await commands_behind(pool, last)
    while behind:
        if time.monotonic() > deadline:
            return None
        await asyncio.sleep(POLL_S)
        behind = await commands_behind(pool, last)
    return waited_for


async def commands_behind(pool: AsyncPool, last_id: int) -> int:
    """Accepted commands up to `last_id` whose events are not yet in the tables."""
    row = await fetch_one(pool, BEHIND, (last_id, last_id))
    return int(row[0]) if row else 0
