"""That something of an account has changed: told in order, to as many as listen, and never missed.

A frame says what has changed and not how: whoever tells of it reads the row itself, as every other
reader does. So nobody is told more than is written, and nothing that is older than told before.
"""

import asyncio
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from storage.errors import DatabaseUnavailable
from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import Connection, fetch_all, fetch_one

NOTIFIED = "account_frames"
"""What PostgreSQL notifies, with the account's number, when a frame is committed."""

LISTENED_US = 600_000_000
"""How long frames are still written when nobody asks for them any more: who comes back until then
is told what was missed."""

BARRIER_POLL_S, BARRIER_POLLS_MAX = 0.01, 500

KEEP = """
INSERT INTO listened_accounts (account_id, seq, until_us) VALUES (%s, %s, %s)
ON CONFLICT (account_id) DO UPDATE SET until_us = excluded.until_us RETURNING xmax = 0"""
"""Frames of an account that is listened to anew are numbered from the time on, in microseconds: so
above all of before, of which there were fewer."""

LISTENED_AS = """
INSERT INTO listened_accounts (account_id, seq, until_us)
SELECT %s, %s, until_us FROM listened_accounts WHERE account_id = %s"""

NEWEST_WRITER = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
OLDEST_WRITER = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
AFTER = """
SELECT l.account_id, l.seq, f.seq, f.kind, f.reference
FROM unnest(%b::bigint[], %b::bigint[]) AS asked(account_id, seq)
JOIN listened_accounts l USING (account_id) LEFT JOIN LATERAL (
    SELECT seq, kind, reference FROM account_frames f
    WHERE f.account_id = asked.account_id AND f.seq > asked.seq ORDER BY f.seq LIMIT %s) f ON true
ORDER BY l.account_id, f.seq"""


class FrameKind(StrEnum):
    """What a frame's reference names: an order, a fill, a position's market, a balance's asset."""

    ORDER = "ORDER"
    FILL = "FILL"
    POSITION = "POSITION"
    BALANCE = "BALANCE"


class Frame(NamedTuple):
    """The seq-th change of an account."""

    seq: int
    kind: FrameKind
    reference: str


class Pulled(NamedTuple):
    """The next frames of an account, oldest first, and the number of its last one at all."""

    last_seq: int
    frames: list[Frame]

    def follows(self, seq: int) -> bool:
        """True where nothing is missing between frame `seq` and what is here."""
        if not self.frames:
            return seq == self.last_seq
        return [one.seq for one in self.frames] == list(range(seq + 1, seq + 1 + len(self.frames)))


async def keep_listening(pool: AsyncPool, account_id: int) -> bool:
    """From now on, for a while, frames of the account are written; True where none were before.

    They are complete from when `writers_ended` returns. Raises DatabaseUnavailable.
    """
    at_us = now_us()
    row = await fetch_one(pool, KEEP, (account_id, at_us, at_us + LISTENED_US))
    return row is not None and bool(row[0])


async def listened_as(connection: Connection, account_id: int, other_id: int, at_us: int) -> None:
    """Frames of a new account are written from its first moment on, which is their number, where
    those of another are. The caller's transaction commits."""
    await connection.execute(LISTENED_AS, (account_id, at_us, other_id))


async def writers_ended(pool: AsyncPool) -> None:
    """Wait until whoever writes now has committed: they may not have seen that somebody listens.

    Raises DatabaseUnavailable, also where somebody writes for very long.
    """
    ((newest,),) = await fetch_all(pool, NEWEST_WRITER)
    for _ in range(BARRIER_POLLS_MAX):
        ((oldest,),) = await fetch_all(pool, OLDEST_WRITER)
        if oldest >= newest:
            return
        await asyncio.sleep(BARRIER_POLL_S)
    raise DatabaseUnavailable("a transaction that writes has not ended for long")


async def frames_after(
    pool: AsyncPool, cursors: Mapping[int, int], limit: int
) -> dict[int, Pulled]:
    """Of each account the next frames after a number, at most `limit`; accounts of which none are
    written are not in it. Raises DatabaseUnavailable."""
    rows = await fetch_all(pool, AFTER, (list(cursors), list(cursors.values()), limit))
    found: dict[int, Pulled] = {}
    for account_id, last_seq, seq, kind, reference in rows:
        pulled = found.setdefault(account_id, Pulled(last_seq, []))
        if seq is not None:
            pulled.frames.append(Frame(seq, FrameKind(kind), reference))
    return found


def newest_of_each(frames: Sequence[Frame]) -> list[Frame]:
    """Of several frames of one row the last, for it tells all of them; every fill."""
    newest = {(one.kind, one.reference): one.seq for one in frames}
    return [one for one in frames if newest[one.kind, one.reference] == one.seq]
