"""The outbox: commands get their number in a market, and can be read back by number."""

from typing import Any

import numpy as np
import psycopg

from sim.rows.messages import COMMAND, Rows
from storage.errors import wrapped
from storage.postgres.database import Link

SEQUENCE_ROWS_MAX = 5_000
"""Commands that are numbered in one transaction."""

LOCK_SEQUENCES = "SELECT 1 FROM market_sequences ORDER BY market_id FOR UPDATE"
STAMP = """
WITH waiting AS (
    SELECT id, market_id, row_number() OVER (PARTITION BY market_id ORDER BY id) AS n
    FROM (SELECT id, market_id FROM commands WHERE command_seq IS NULL
          ORDER BY id LIMIT %(limit)s) AS oldest),
stamped AS (
    UPDATE commands c SET command_seq = s.command_seq + w.n,
        time_us = greatest(s.time_us, %(now)s)
    FROM waiting w JOIN market_sequences s USING (market_id) WHERE c.id = w.id
    RETURNING c.market_id, c.command_seq, c.time_us, c.order_id, c.payload),
moved AS (
    UPDATE market_sequences s SET command_seq = t.command_seq, time_us = t.time_us
    FROM (SELECT market_id, max(command_seq) AS command_seq, max(time_us) AS time_us
          FROM stamped GROUP BY market_id) t WHERE s.market_id = t.market_id)
SELECT market_id, command_seq, time_us, order_id, payload FROM stamped ORDER BY command_seq"""
PROGRESS = """
SELECT market_id, h.command_seq, s.command_seq
FROM market_heads h JOIN market_sequences s USING (market_id)"""
AFTER = """
SELECT command_seq, time_us, order_id, payload FROM commands
WHERE market_id = %s AND command_seq > %s ORDER BY command_seq LIMIT %s"""


def sequence(connection: psycopg.Connection[Any], now_us: int) -> dict[str, Rows]:
    """Number what waits in every market, in order of identity, and commit; COMMAND rows by market.

    Rows are found by NULL under the markets' locks, so a command that commits
    late is numbered late and none is skipped. Times never run backwards.
    """
    wish = {"now": now_us, "limit": SEQUENCE_ROWS_MAX}
    with wrapped(), connection.pipeline(), connection.transaction():
        connection.execute(LOCK_SEQUENCES)
        stamped = connection.execute(STAMP, wish, binary=True)
        rows = stamped.fetchall()
    by_market: dict[str, list[tuple[Any, ...]]] = {}
    for market_id, *rest in rows:
        by_market.setdefault(market_id, []).append(tuple(rest))
    return {market_id: command_rows(found) for market_id, found in by_market.items()}


def commands_after(
    connection: psycopg.Connection[Any], market_id: str, command_seq: int, limit: int
) -> Rows:
    """Numbered commands above `command_seq`, contiguous from it on."""
    with wrapped():
        found = connection.execute(AFTER, (market_id, command_seq, limit), binary=True)
        return command_rows(found.fetchall())


def command_rows(rows: list[tuple[Any, ...]]) -> Rows:
    """Stored (command_seq, time_us, order_id, payload) as COMMAND rows."""
    width = COMMAND.itemsize  # a row that an earlier version has stored is shorter: see layouts.py
    data = b"".join(row[3].ljust(width, b"\0") for row in rows)
    commands = np.frombuffer(data, dtype=COMMAND).copy()
    commands["command_seq"] = [row[0] for row in rows]
    commands["time_us"] = [row[1] for row in rows]
    commands["order_id"] = [row[2] for row in rows]
    return commands


def unpacked_commands(data: bytes) -> Rows | None:
    """The rows of an entry in a market's command stream; None where it holds no whole rows."""
    return None if len(data) % COMMAND.itemsize else np.frombuffer(data, dtype=COMMAND)


def progress(connection: psycopg.Connection[Any]) -> dict[str, tuple[int, int]]:
    """Of each market the last command it has applied, and the last that has a number."""
    with wrapped():
        return {row[0]: (row[1], row[2]) for row in connection.execute(PROGRESS)}


class Wakeups:
    """Waits for the notification that accepting sends with its commit."""

    def __init__(self, database_url: str) -> None:
        self._link = Link(database_url, "wakeups")

    def wait(self, seconds_max: float) -> None:
        """Return soon after a notification, at once for one that came since the last wait.

        Raises DatabaseUnavailable.
        """
        is_new = self._link.is_closed
        connection = self._link()
        with wrapped():
            if is_new:
                connection.execute("LISTEN commands")
                return
            for _ in connection.notifies(timeout=seconds_max, stop_after=1):
                pass

    def close(self) -> None:
        """Listen no more."""
        self._link.close()
