"""Old journal rows become packs: a tenth of the bytes, and every bit of them still there."""

from typing import Any

import psycopg

from sim.rows.packed_batches import JournalBatch, packed, unpacked
from storage.errors import CorruptState, wrapped
from storage.market.journal import chain_after, next_chain, strategies_from_text

PACK_BATCHES_MAX = 1_000
PACK_BATCHES_MIN = 250
PACK_BYTES_MAX = 16_777_216
"""Rows of a pack, before packing; a pack has at least one row."""

PACK_AGE_US = 180_000_000
"""Younger rows stay as they are: a market that restarts replays them."""

PACK_LATEST_US = 3_600_000_000
"""Rows of this age are packed even if they are few."""

FLOOR = """
SELECT least(h.batch_no - 1, p.batch_no, coalesce((
    SELECT max(s.batch_no) FROM snapshots s WHERE s.market_id = h.market_id), 0))
FROM market_heads h JOIN projections p USING (market_id) WHERE h.market_id = %s"""
"""Above it recovery or a recorder may be reading; the head's own row is never packed."""

WAITING = """
SELECT min(batch_no), min(time_us), count(*) FROM (
    SELECT batch_no, time_us FROM journal WHERE market_id = %s AND batch_no <= %s
    ORDER BY batch_no LIMIT %s) AS oldest WHERE time_us < %s"""
OLDEST = """
SELECT batch_no, epoch, command_seq, event_seq, time_us, strategies, inputs, events, chain
FROM journal WHERE market_id = %s AND batch_no <= %s AND time_us < %s
ORDER BY batch_no LIMIT %s"""
INSERT_PACK = """
INSERT INTO journal_packs (market_id, last_batch, first_batch, chain_before, chain, data, time_us)
VALUES (%s, %s, %s, %b, %b, %b, %s)"""
DELETE_ROWS = "DELETE FROM journal WHERE market_id = %s AND batch_no BETWEEN %s AND %s"


def pack_next(connection: psycopg.Connection[Any], market_id: str, now_us: int) -> int:
    """Pack the oldest rows of a market, if enough of them are old; how many that were.

    Raises CorruptState for rows that are not what was written; they stay as they are.
    """
    before_us = now_us - PACK_AGE_US
    with wrapped():
        row = connection.execute(FLOOR, (market_id,)).fetchone()
        floor = int(row[0]) if row else 0
        place = (market_id, floor, PACK_BATCHES_MAX, before_us)
        waiting = connection.execute(WAITING, place).fetchone()
    assert waiting is not None
    first, oldest_us, count = waiting
    if count == 0 or (count < PACK_BATCHES_MIN and oldest_us > now_us - PACK_LATEST_US):
        return 0
    chain_before = chain_after(connection, market_id, first - 1)
    if chain_before is None:
        raise CorruptState(f"{market_id}: what precedes batch {first} is not in the journal")
    with wrapped():
        place = (market_id, floor, before_us, PACK_BATCHES_MAX)
        rows = connection.execute(OLDEST, place, binary=True).fetchall()
    batches = checked(market_id, rows, chain_before)
    replace_rows(connection, market_id, batches, chain_before, bytes(rows[len(batches) - 1][8]))
    return len(batches)


def checked(market_id: str, rows: list[tuple[Any, ...]], chain_before: bytes) -> list[JournalBatch]:
    """The first rows that make a pack. Raises CorruptState unless each follows the one before."""
    batches: list[JournalBatch] = []
    chain, size = chain_before, 0
    for row in rows:
        inputs, events = bytes(row[6]), bytes(row[7])
        size += len(inputs) + len(events)
        if batches and size > PACK_BYTES_MAX:
            break
        chain = next_chain(chain, inputs, events)
        follows = not batches or row[0] == batches[-1].batch_no + 1
        if chain != bytes(row[8]) or not follows:
            raise CorruptState(f"{market_id}: batch {row[0]} is not what was written")
        batch_no, epoch, command_seq, event_seq, time_us, strategies = row[:6]
        about = (batch_no, epoch, command_seq, event_seq, time_us)
        batches.append(JournalBatch(*about, strategies_from_text(strategies), inputs, events))
    return batches


def replace_rows(
    connection: psycopg.Connection[Any],
    market_id: str,
    batches: list[JournalBatch],
    chain_before: bytes,
    chain: bytes,
) -> None:
    """The pack appears in the transaction in which its rows go."""
    data = packed(batches)
    assert unpacked(data) == batches, "a pack must give back what went into it"
    first, last = batches[0].batch_no, batches[-1].batch_no
    with wrapped(), connection.transaction():
        values = (market_id, last, first, chain_before, chain, data, batches[-1].time_us)
        connection.execute(INSERT_PACK, values)
        gone = connection.execute(DELETE_ROWS, (market_id, first, last)).rowcount
        assert gone == len(batches), "rows of a pack were taken by somebody else"
