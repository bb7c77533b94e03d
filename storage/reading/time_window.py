"""A span of time as a span of numbers: where times never go back along a sequence, halving finds
the first number at or after a time in a few dozen steps of the sequence's own index.

So lists are filtered by time without an index by time.
"""

from dataclasses import dataclass

from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import fetch_one

NUMBER_MAX = 2**63 - 1

HALVE = """
WITH RECURSIVE halved(low, high) AS (
    SELECT 0::bigint,
        coalesce((SELECT max({number}) FROM {table} WHERE {whose} = %(whose)s{only}), 0) + 1
    UNION ALL
    SELECT CASE WHEN found.at < %(time)s THEN found.number + 1 ELSE low END,
        CASE WHEN found.at < %(time)s THEN high ELSE middle END
    FROM halved CROSS JOIN LATERAL (SELECT (low + high) / 2 AS middle) AS between
    CROSS JOIN LATERAL (
        SELECT {number} AS number, created_at_us AS at FROM {table}
        WHERE {whose} = %(whose)s{only} AND {number} >= middle ORDER BY {number} LIMIT 1) AS found
    WHERE low < high)
SELECT min(high) FROM halved"""


@dataclass(frozen=True)
class TimeWindow:
    """Times from `since_us` on that are before `until_us`."""

    since_us: int = 0
    until_us: int = NUMBER_MAX


EVER = TimeWindow()


@dataclass(frozen=True)
class Sequence:
    """Rows of somebody's, numbered, whose `created_at_us` never goes back along the numbers."""

    table: str
    whose: str
    number: str
    only: str = ""

    async def numbers(
        self, pool: AsyncPool, whose: int | str, window: TimeWindow
    ) -> tuple[int, int]:
        """The first number within the window, and the first after it."""
        first = await self._first_at(pool, whose, window.since_us) if window.since_us else 0
        if window.until_us == NUMBER_MAX:
            return first, NUMBER_MAX
        return first, await self._first_at(pool, whose, window.until_us)

    async def _first_at(self, pool: AsyncPool, whose: int | str, time_us: int) -> int:
        statement = HALVE.format(
            table=self.table, whose=self.whose, number=self.number, only=self.only
        )
        row = await fetch_one(pool, statement, {"whose": whose, "time": time_us})
        assert row is not None
        return int(row[0])


ORDERS = Sequence("orders", "account_id", "id")
FILLS = Sequence("fills", "account_id", "id", " AND order_id > 0")
LEDGER = Sequence("ledger_entries", "account_id", "id")
TRADES = Sequence("trades", "market_id", "event_seq")
