"""Whether what was accepted moves: each market's cursors, and what waits behind them."""

from dataclasses import dataclass
from typing import Any

import psycopg

from sim.rows.messages import MarketStatus
from storage.errors import wrapped

COUNTED_MAX = 10_000
"""Commands without a number that are counted; more are this many."""

UNNUMBERED = """
SELECT count(*), min(id), min(created_at_us) FROM (
    SELECT id, created_at_us FROM commands WHERE command_seq IS NULL ORDER BY id LIMIT %s) c"""
CURSORS = """
SELECT h.market_id, m.status, h.batch_no, h.command_seq, s.command_seq, p.batch_no,
    (SELECT c.time_us FROM commands c
     WHERE c.market_id = h.market_id AND c.command_seq = h.command_seq + 1),
    (SELECT j.time_us FROM journal j
     WHERE j.market_id = h.market_id AND j.batch_no = p.batch_no + 1)
FROM market_heads h JOIN markets m USING (market_id) JOIN market_sequences s USING (market_id)
    JOIN projections p USING (market_id)
ORDER BY h.market_id"""


@dataclass(frozen=True)
class Unnumbered:
    """Accepted commands that wait for the relay."""

    count: int
    oldest_id: int | None
    oldest_us: int | None


@dataclass(frozen=True)
class Cursors:
    """How far a market is. The last two are times of the oldest that waits; None for nothing."""

    market_id: str
    status: int
    batch_no: int
    applied: int
    numbered: int
    projected_batch: int
    unapplied_since_us: int | None
    unprojected_since_us: int | None

    @property
    def is_halted(self) -> bool:
        """A halted market may stand still."""
        return self.status == MarketStatus.HALTED


def read_unnumbered(connection: psycopg.Connection[Any]) -> Unnumbered:
    """What the relay has before it."""
    with wrapped():
        row = connection.execute(UNNUMBERED, (COUNTED_MAX,)).fetchone()
    assert row is not None, "an aggregate has a row"
    return Unnumbered(*row)


def read_cursors(connection: psycopg.Connection[Any]) -> list[Cursors]:
    """Every market, as one statement sees all of them."""
    with wrapped():
        return [Cursors(*row) for row in connection.execute(CURSORS)]
