"""The auditor's readings: written by it once a round, read by every API process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from storage.errors import wrapped
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import fetch_all

NAMES: Mapping[str, str] = {
    "unnumbered_commands": "Accepted commands that have no number in their market yet",
    "unnumbered_age_us": "Age of the oldest accepted command without a number",
    "unapplied_commands": "Numbered commands that the market has not applied",
    "unapplied_age_us": "Age of the oldest numbered command that the market has not applied",
    "unprojected_batches": "Batches of the journal that are not in the tables yet",
    "unprojected_age_us": "Age of the oldest batch that is not in the tables yet",
    "compared_batch": "Last batch whose trades were compared with the tables",
    "missing_fills": "Fills that the journal has and the tables have not, since the last healing",
    "unbalanced_transactions": "Ledger transactions of a market that do not sum to zero an asset",
    "compared_account": "Last account whose holds and balances were added up",
    "wrong_accounts": "Accounts whose holds or balances are not what their rows add up to",
    "chain_differences": "Sums of the chain, its pools and its bridge that do not add up",
    "chain_is_halted": "1 where no more blocks are built",
    "chain_batch": "Last batch of the journal whose hash was computed anew",
    "chain_is_broken": "1 where a batch of the journal is not what was written",
}
"""What is read, and what it means; names in _us are ages in microseconds."""

GAPS_TOLD_MAX = 20
STALE_US = 300_000_000
"""Readings that are older say that nobody audits."""

WRITE = """
INSERT INTO audit_readings (name, market_id, value, gap, at_us)
SELECT x.name, x.market_id, x.value, x.gap, %s
FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::text[]) AS x(name, market_id, value, gap)
ON CONFLICT (name, market_id) DO UPDATE SET value = excluded.value, gap = excluded.gap,
    at_us = excluded.at_us"""
KEPT = "SELECT name, market_id, value, gap FROM audit_readings"
ALL = "SELECT name, market_id, value, gap, at_us FROM audit_readings ORDER BY market_id, name"


@dataclass(frozen=True)
class Reading:
    """One number, and what is wrong with it."""

    name: str
    market_id: str
    value: int
    gap: str | None = None


def write_readings(
    connection: psycopg.Connection[Any], readings: Sequence[Reading], at_us: int
) -> None:
    """Put new readings in the place of the old ones."""
    if not readings:
        return
    columns = [
        [getattr(reading, name) for reading in readings]
        for name in ("name", "market_id", "value", "gap")
    ]
    with wrapped():
        connection.execute(WRITE, (at_us, *columns))


def kept_readings(connection: psycopg.Connection[Any]) -> dict[tuple[str, str], Reading]:
    """What was read last, by name and market."""
    with wrapped():
        return {(row[0], row[1]): Reading(*row) for row in connection.execute(KEPT)}


@dataclass(frozen=True)
class Audit:
    """All readings, and what is wrong, in sentences."""

    readings: list[Reading]
    gaps: list[str]


async def read_audit(pool: AsyncPool, now_us: int) -> Audit:
    """What the auditor has found. Raises DatabaseUnavailable."""
    rows = await fetch_all(pool, ALL)
    readings = [Reading(*row[:4]) for row in rows]
    gaps = [reading.gap for reading in readings if reading.gap is not None]
    newest_us = max((int(str(row[4])) for row in rows), default=now_us)
    if now_us - newest_us > STALE_US:
        gaps.append(f"nothing was audited for {(now_us - newest_us) // 1_000_000} s")
    return Audit(readings, gaps[:GAPS_TOLD_MAX])
