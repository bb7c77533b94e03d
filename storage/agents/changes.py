"""What is new of decisions and positions since the last look, for those who are told of it as it
happens."""

from collections.abc import Collection
from typing import NamedTuple

from storage.agents.decisions import COLUMNS, Decision
from storage.agents.positions import (
    SELECT_POSITIONS,
    PositionView,
    as_position,
    brought_up,
)
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import fetch_all

LATE_MAX = 200
"""So many decisions before the newest may be committed after it: numbers are given out earlier."""

NEWEST_DECISIONS = f"SELECT seq FROM decisions ORDER BY seq DESC LIMIT {LATE_MAX}"
DECISIONS_AFTER = f"""
SELECT s.user_id, {COLUMNS} FROM decisions d LEFT JOIN trading_sessions s ON s.id = d.session_id
WHERE d.seq > %s AND NOT d.seq = ANY(%b) ORDER BY d.seq LIMIT %s"""
FOLDED = "SELECT market_id, fill_id FROM round_trip_cursors WHERE account_id = %s"
MOVED = SELECT_POSITIONS.format(only=" AND (r.closed_at_us IS NULL OR r.last_fill_id > %(after)s)")


class Decided(NamedTuple):
    """A decision, and whose session it is of; None where it is of none."""

    decision: Decision
    user_id: int | None


async def newest_decisions(pool: AsyncPool) -> set[int]:
    """The last numbers. Raises DatabaseUnavailable."""
    return {row[0] for row in await fetch_all(pool, NEWEST_DECISIONS)}


async def decisions_after(
    pool: AsyncPool, seq: int, known: Collection[int], limit: int
) -> list[Decided]:
    """Those behind this number that are not known yet, in the order of writing."""
    rows = await fetch_all(pool, DECISIONS_AFTER, (seq, list(known), limit))
    return [Decided(Decision(*row[1:]), row[0]) for row in rows]


async def folded_fills(pool: AsyncPool, account_id: int) -> dict[str, int]:
    """The account's last fill in each market, which its round trips are brought up to."""
    await brought_up(pool, [account_id])
    return dict(await fetch_all(pool, FOLDED, (account_id,)))


async def moved_positions(
    pool: AsyncPool, user_id: int, account_id: int, market_id: str, after: int
) -> list[PositionView]:
    """The round trip that is open in a market, and those that fills after this one have closed, in
    their order."""
    await brought_up(pool, [account_id])
    values = {"user": user_id, "accounts": [account_id], "market": market_id, "after": after}
    rows = await fetch_all(pool, MOVED, values)
    return [as_position(row) for row in reversed(rows)]
