"""A market's commands in order: from the stream while it works, else from PostgreSQL."""

import time

import numpy as np
import structlog

from actors.pace import pause
from sim.rows.messages import Rows, empty_commands
from storage.errors import DatabaseUnavailable, StreamUnavailable
from storage.intake.commands import commands_after, unpacked_commands
from storage.market import journal
from storage.market.streams import Entry, Streams, commands_stream
from storage.postgres.database import Link

BLOCK_MS = 100
PULL_EVERY_S = 0.2
RETRY_S = 0.05
PULL_ROWS_MAX = 5_000
ROW_S = 0.000_7
ROUND_S_MAX = 0.01

log = structlog.get_logger()


class CommandSource:
    """Hands out contiguous COMMAND rows above a cursor."""

    def __init__(
        self, market_id: str, database_url: str, streams: Streams, command_seq: int
    ) -> None:
        self._market_id = market_id
        self._stream = commands_stream(market_id)
        self._link = Link(database_url, f"commands-{market_id}")
        self._streams = streams
        self._cursor = command_seq
        self._pulled_at = 0.0
        self._read_at = 0.0
        self.prices = (0, 0)

    def next_rows(self) -> Rows:
        """The next rows; empty when none came within a moment."""
        rows = self._from_stream()
        if rows is not None and rows.size:
            pause(self._read_at, rows.size, ROW_S, ROUND_S_MAX)
        self._read_at = time.monotonic()
        quiet = time.monotonic() - self._pulled_at >= PULL_EVERY_S
        if rows is None or quiet:
            pulled = self._from_database(skip_rows=rows is not None and rows.size > 0)
            if rows is None and not pulled.size:
                time.sleep(RETRY_S)  # what the stream holds wrongly may stand there for a while
            rows = rows if rows is not None and rows.size else pulled
        if rows.size:
            self._cursor = int(rows["command_seq"][-1])
        return rows

    def close(self) -> None:
        """Drop both connections."""
        self._streams.close()
        self._link.close()

    def _from_stream(self) -> Rows | None:
        """Contiguous rows from the stream; None for one that is away or holds anything else."""
        try:
            entries = self._streams.read({self._stream: self._cursor}, BLOCK_MS)
        except StreamUnavailable as error:
            log.warning("commands_stream_away", market=self._market_id, error=str(error))
            return None
        rows = self._rows_of(entries.get(self._stream, []))
        if rows is None:
            log.warning("commands_disagree", market=self._market_id, cursor=self._cursor)
        return rows

    def _rows_of(self, entries: list[Entry]) -> Rows | None:
        """The entries' rows above the cursor; None where they do not follow it one by one.

        The stream is believed as far as its seals and the rows' own numbers agree; an entry's
        number says only where to look.
        """
        parts = [unpacked_commands(data) for _, data in entries]
        sound = [part for part in parts if part is not None]
        if len(sound) < len(parts):
            return None
        rows = np.concatenate(sound) if sound else empty_commands(0)
        rows = rows[rows["command_seq"] > self._cursor]
        expected = np.arange(self._cursor + 1, self._cursor + 1 + rows.size)
        return rows if np.array_equal(rows["command_seq"], expected) else None

    def _from_database(self, skip_rows: bool) -> Rows:
        """Prices, and rows that the stream did not bring."""
        self._pulled_at = time.monotonic()
        try:
            self.prices = journal.prices(self._link(), self._market_id)
            if skip_rows:
                return empty_commands(0)
            return commands_after(self._link(), self._market_id, self._cursor, PULL_ROWS_MAX)
        except DatabaseUnavailable as error:
            log.warning("commands_wait", market=self._market_id, error=str(error))
            time.sleep(RETRY_S)
            return empty_commands(0)
