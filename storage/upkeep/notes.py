"""What is noted of pruning and of sizes, for people and for /metrics."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from storage.errors import StorageError, first_line, wrapped
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import fetch_one
from storage.upkeep.kept import DAY_US, HOUR_US

SIZES_KEPT_US = 30 * DAY_US
GROWTH_SPAN_US_MIN = HOUR_US
"""Growth a day is not told from less than an hour."""

SUCCEEDED = """
INSERT INTO upkeep (id, pruned_at_us, failed_at_us, failures, reason) VALUES (1, %s, 0, 0, '')
ON CONFLICT (id) DO UPDATE SET pruned_at_us = excluded.pruned_at_us, failures = 0, reason = ''"""
FAILED = """
INSERT INTO upkeep (id, pruned_at_us, failed_at_us, failures, reason) VALUES (1, 0, %s, 1, %s)
ON CONFLICT (id) DO UPDATE SET failed_at_us = excluded.failed_at_us,
    failures = upkeep.failures + 1, reason = excluded.reason"""
UPKEEP = "SELECT pruned_at_us, failed_at_us, failures, reason FROM upkeep WHERE id = 1"

SIZES = """
SELECT coalesce(p.relname, c.relname) AS name,
    sum(pg_total_relation_size(c.oid))::bigint, sum(greatest(c.reltuples, s.n_live_tup))::bigint
FROM pg_class c JOIN pg_stat_user_tables s ON s.relid = c.oid
LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent
WHERE c.relkind = 'r' GROUP BY 1 ORDER BY 2 DESC, 1"""
NOTE_SIZE = """
INSERT INTO table_sizes (at_us, name, size_bytes) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"""
FORGET_SIZES = "DELETE FROM table_sizes WHERE at_us < %s"
SIZES_A_DAY_AGO = """
SELECT name, size_bytes, at_us FROM table_sizes WHERE at_us = (
    SELECT at_us FROM table_sizes WHERE at_us <= %(now)s - %(span)s
    ORDER BY abs(at_us - (%(now)s - %(day)s)) LIMIT 1)"""
OLDEST = {
    "journal": "SELECT min(time_us) FROM (SELECT time_us FROM markets m, LATERAL (SELECT time_us"
    " FROM journal j WHERE j.market_id = m.market_id ORDER BY batch_no LIMIT 1) f) x",
    "journal_packs": "SELECT min(time_us) FROM journal_packs",
    "trades": "SELECT min(created_at_us) FROM (SELECT created_at_us FROM markets m, LATERAL"
    " (SELECT created_at_us FROM trades t WHERE t.market_id = m.market_id ORDER BY event_seq"
    " LIMIT 1) f) x",
    "commands": "SELECT created_at_us FROM commands ORDER BY id LIMIT 1",
    "orders": "SELECT created_at_us FROM orders ORDER BY id LIMIT 1",
    "strategy_ledger": "SELECT min(created_at_us) FROM strategy_ledger",
    "snapshots": "SELECT min(created_at_us) FROM snapshots",
    "candles": "SELECT min(open_time_us) FROM candles",
    "decisions": "SELECT min(created_at_us) FROM decisions",
}
"""When the oldest row was written, of tables where that can be told quickly."""


class UpkeepFailed(StorageError):
    """Packing or pruning met rows that it did not expect, and left them as they were."""


@contextmanager
def upkeep_errors() -> Iterator[None]:
    """Nothing that goes wrong in here is more than a failure to be told and tried again."""
    try:
        yield
    except (psycopg.Error, AssertionError) as error:
        raise UpkeepFailed(first_line(error)) from error


@dataclass(frozen=True)
class Upkeep:
    """How pruning goes. Times are 0 where it never happened; `failures` are in a row."""

    pruned_at_us: int = 0
    failed_at_us: int = 0
    failures: int = 0
    reason: str = ""


@dataclass(frozen=True)
class TableSize:
    """A table with its indexes and out-of-line values; partitions count for their table.

    rows            about, as PostgreSQL last counted them
    growth_bytes    a day; None where it is not known yet
    oldest_us       when its oldest row was written; None where that is not told
    """

    name: str
    size_bytes: int
    rows: int
    growth_bytes: int | None
    oldest_us: int | None


async def upkeep(pool: AsyncPool) -> Upkeep:
    """How pruning goes."""
    row = await fetch_one(pool, UPKEEP)
    return Upkeep(*row) if row is not None else Upkeep()


def note_success(connection: psycopg.Connection[Any], now_us: int) -> None:
    """The database was pruned."""
    with wrapped():
        connection.execute(SUCCEEDED, (now_us,))


def note_failure(connection: psycopg.Connection[Any], now_us: int, reason: str) -> None:
    """It was not."""
    with wrapped():
        connection.execute(FAILED, (now_us, reason))


def note_sizes(connection: psycopg.Connection[Any], now_us: int) -> None:
    """Remember how large every table is now."""
    with wrapped():
        for name, size_bytes, _ in connection.execute(SIZES).fetchall():
            connection.execute(NOTE_SIZE, (now_us, name, size_bytes))
        connection.execute(FORGET_SIZES, (now_us - SIZES_KEPT_US,))


def table_sizes(connection: psycopg.Connection[Any], now_us: int) -> list[TableSize]:
    """Every table, the largest first."""
    span = {"now": now_us, "span": GROWTH_SPAN_US_MIN, "day": DAY_US}
    with wrapped():
        sizes = connection.execute(SIZES).fetchall()
        before = {row[0]: row[1:] for row in connection.execute(SIZES_A_DAY_AGO, span)}
        oldest = {name: connection.execute(sql).fetchone() for name, sql in OLDEST.items()}
    found = []
    for name, size_bytes, rows in sizes:
        growth = None
        if name in before:
            then_bytes, then_us = before[name]
            growth = (size_bytes - then_bytes) * DAY_US // (now_us - then_us)
        first = oldest.get(name)
        found.append(TableSize(name, size_bytes, max(rows, 0), growth, first[0] if first else None))
    return found
