"""What waits to get into a block."""

from typing import Any

import psycopg

from sim.chain.acts import Wish, WishStatus, act_of
from storage.errors import CorruptState, wrapped

WISHES_MAX = 500
"""Read for one block; more wait for the next."""

WAITING = f"""
SELECT label, wallet, act, max_fee_wei, priority_fee_wei, last_block FROM chain_wishes
WHERE status = {WishStatus.WAITING} ORDER BY id LIMIT %s"""
BEHIND = """
SELECT 1 FROM droid_sessions d LEFT JOIN droid_states s ON s.session_id = d.id
WHERE NOT d.ended AND (s.block_number IS NULL OR s.block_number < %s) LIMIT 1"""


def waiting(connection: psycopg.Connection[Any]) -> list[Wish]:
    """The oldest first. Raises DatabaseUnavailable, CorruptState."""
    with wrapped():
        rows = connection.execute(WAITING, (WISHES_MAX,)).fetchall()
    try:
        return [Wish(label, wallet, act_of(act), *rest) for label, wallet, act, *rest in rows]
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptState(f"a wish of the chain cannot be read: {error!r}") from error


def droids_are_behind(connection: psycopg.Connection[Any], number: int) -> bool:
    """Whether one that is at work has not yet looked at a block."""
    with wrapped():
        return connection.execute(BEHIND, (number,)).fetchone() is not None
