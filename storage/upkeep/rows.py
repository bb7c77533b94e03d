"""Rows that are kept no longer, and how they go: some at a time."""

from dataclasses import dataclass
from typing import Any

import psycopg

from storage.errors import wrapped

ROWS_MAX = 2_000
"""Rows that one transaction takes away."""


@dataclass(frozen=True)
class Rows:
    """Rows that are kept no longer.

    keys     the columns that name one
    among    looked at in the order of the keys, from the first
    old      which of these go; all but the first ROWS_MAX wait until those are gone
    free     whether those that somebody else has locked wait for the next time
    """

    table: str
    keys: str
    among: str
    values: tuple[object, ...]
    old: str = "true"
    free: bool = False

    def count(self, connection: psycopg.Connection[Any]) -> int:
        """How many there are."""
        counted = f"SELECT count(*) FROM {self.table} WHERE {self.among} AND {self.old}"
        with wrapped():
            row = connection.execute(counted, self.values).fetchone()
        assert row is not None
        return int(row[0])

    def take_some(self, connection: psycopg.Connection[Any]) -> int:
        """Take away ROWS_MAX at the most; how many that were."""
        statement = (
            f"DELETE FROM {self.table} WHERE ({self.keys}) IN (SELECT {self.keys} FROM ("
            f"SELECT * FROM {self.table} WHERE {self.among} ORDER BY {self.keys} LIMIT {ROWS_MAX}"
            f"{' FOR UPDATE SKIP LOCKED' * self.free}) AS first WHERE {self.old})"
        )
        with wrapped():
            return connection.execute(statement, self.values).rowcount
