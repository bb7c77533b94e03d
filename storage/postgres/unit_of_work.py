"""One transaction, committed at the edge; and single reads outside of any."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from storage.errors import OutcomeUnknown, first_line, wrapped
from storage.postgres.database import AsyncPool

INTERVENTION = "57"
"""SQLSTATE class of a session that was ended or cancelled from outside."""

Connection = psycopg.AsyncConnection[Any]
Row = tuple[Any, ...]
Values = Sequence[object] | Mapping[str, object]


@asynccontextmanager
async def unit_of_work(pool: AsyncPool) -> AsyncIterator[Connection]:
    """A transaction that commits when the block ends and rolls back when it raises.

    Raises DatabaseUnavailable where nothing was committed, OutcomeUnknown where
    the connection was lost while COMMIT was under way.
    """
    with wrapped():
        async with pool.connection() as connection:
            await connection.execute("BEGIN")
            try:
                yield connection
            except BaseException:
                if not connection.closed:
                    await connection.rollback()
                raise
            try:
                await connection.execute("COMMIT")
            except psycopg.OperationalError as error:
                if error.sqlstate is None or error.sqlstate.startswith(INTERVENTION):
                    raise OutcomeUnknown(first_line(error)) from error
                raise


async def fetch_all(pool: AsyncPool, statement: str, values: Values = ()) -> list[Row]:
    """The rows of one query. Raises DatabaseUnavailable."""
    with wrapped():
        async with pool.connection() as connection:
            return await (await connection.execute(statement, values)).fetchall()


async def fetch_one(pool: AsyncPool, statement: str, values: Values = ()) -> Row | None:
    """The first row of one query, or None. Raises DatabaseUnavailable."""
    with wrapped():
        async with pool.connection() as connection:
            return await (await connection.execute(statement, values)).fetchone()


def typed(row: Row, types: Mapping[int, Callable[[Any], object]]) -> list[Any]:
    """A row's values, those at the given places turned into the given types."""
    values = list(row)
    for place, kind in types.items():
        values[place] = kind(values[place])
    return values
