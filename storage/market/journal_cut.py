"""Where a market's journal may be cut off: behind a good snapshot that the rest replays from."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import psycopg

from storage.errors import CorruptState, wrapped
from storage.market.journal import chain_after, journal_after

ANCHORS_MAX = 8
"""Snapshots, about, that are kept to cut off behind later."""

SNAPSHOT_BEFORE = """
SELECT s.batch_no, s.command_seq, s.state_hash, s.state
FROM snapshots s JOIN projections p USING (market_id)
WHERE s.market_id = %s AND s.created_at_us <= %s AND s.batch_no < %s AND s.batch_no <= p.batch_no
ORDER BY s.batch_no DESC LIMIT 1"""
HEAD_BATCH = "SELECT batch_no FROM market_heads WHERE market_id = %s"
ANCHORS = """
SELECT batch_no, created_at_us FROM snapshots
WHERE market_id = %s AND is_anchor ORDER BY batch_no"""
RELEASE = "UPDATE snapshots SET is_anchor = false WHERE market_id = %s AND batch_no = ANY(%s)"
DROP_SNAPSHOTS = "DELETE FROM snapshots WHERE market_id = %s AND batch_no < %s"

BATCHES_END = 2**63 - 1


@dataclass(frozen=True)
class Cut:
    """A snapshot: batches and commands up to it need not be kept."""

    market_id: str
    batch_no: int
    command_seq: int


def cut_before(connection: psycopg.Connection[Any], market_id: str, before_us: int) -> Cut | None:
    """The newest good snapshot of before that time; None where there is none.

    A recorder is beyond it, and so are applied commands. Raises CorruptState where the journal
    does not go on behind it: then nothing is cut off.
    """
    batch_no = BATCHES_END
    while True:
        with wrapped():
            values = (market_id, before_us, batch_no)
            row = connection.execute(SNAPSHOT_BEFORE, values, binary=True).fetchone()
        if row is None:
            return None
        batch_no = row[0]
        if blake2b(bytes(row[3]), digest_size=32).digest() == bytes(row[2]):
            refuse_a_gap(connection, market_id, batch_no)
            return Cut(market_id, batch_no, row[1])


def refuse_a_gap(connection: psycopg.Connection[Any], market_id: str, batch_no: int) -> None:
    """Raises CorruptState unless the journal can be read from that batch on."""
    rows = journal_after(connection, market_id, batch_no, 1)
    with wrapped():
        head = connection.execute(HEAD_BATCH, (market_id,)).fetchone()
    goes_on = rows[0][0] == batch_no + 1 if rows else head is not None and head[0] == batch_no
    if not goes_on or chain_after(connection, market_id, batch_no) is None:
        raise CorruptState(f"{market_id}: the journal does not go on behind batch {batch_no}")


def drop_snapshots(connection: psycopg.Connection[Any], cut: Cut, history_us: int) -> None:
    """Those below the cut go; of the anchors above it some remain, evenly."""
    with wrapped():
        connection.execute(DROP_SNAPSHOTS, (cut.market_id, cut.batch_no))
        anchors = connection.execute(ANCHORS, (cut.market_id,)).fetchall()
        last_us = None
        needless = []
        for batch_no, at_us in anchors:
            if last_us is not None and at_us - last_us < history_us // ANCHORS_MAX:
                needless.append(batch_no)
            else:
                last_us = at_us
        connection.execute(RELEASE, (cut.market_id, needless))
