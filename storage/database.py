"""Connections to PostgreSQL: a pool for the API, single connections for actors."""

import time

import psycopg
from psycopg_pool import AsyncConnectionPool

from storage.errors import wrapped

CONNECT_TIMEOUT_S = 5
POOL_WAIT_S = 3.0
STATEMENT_TIMEOUT_MS = 10_000

AsyncPool = AsyncConnectionPool[psycopg.AsyncConnection[tuple[object, ...]]]


def now_us() -> int:
    """Wall clock, microseconds since 1970."""
    return time.time_ns() // 1_000


async def open_pool(database_url: str, connections_max: int) -> AsyncPool:
    """An open pool of autocommit connections. It heals by itself when the server returns."""
    pool: AsyncPool = AsyncConnectionPool(
        database_url,
        kwargs={
            "autocommit": True,
            "connect_timeout": CONNECT_TIMEOUT_S,
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS}",
        },
        min_size=min(2, connections_max),
        max_size=connections_max,
        timeout=POOL_WAIT_S,
        max_waiting=1_000,
        reconnect_timeout=3_600 * 24,
        open=False,
    )
    with wrapped():
        await pool.open(wait=False)
    return pool


def connect(database_url: str, application: str) -> psycopg.Connection[tuple[object, ...]]:
    """One autocommit connection, named in pg_stat_activity. Raises DatabaseUnavailable."""
    with wrapped():
        return psycopg.connect(
            database_url,
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name=f"sandpit-{application}",
            options=f"-c statement_timeout={STATEMENT_TIMEOUT_MS}",
        )


class Link:
    """An actor's own connection, opened anew after it broke."""

    def __init__(self, database_url: str, application: str) -> None:
        self._database_url = database_url
        self._application = application
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None

    def __call__(self) -> psycopg.Connection[tuple[object, ...]]:
        """The connection; raises DatabaseUnavailable while the server is away."""
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._database_url, self._application)
        return self._connection

    @property
    def is_closed(self) -> bool:
        """True before the first use and after the connection broke."""
        return self._connection is None or self._connection.closed

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
