"""Connections to PostgreSQL: a pool for the API, single connections for actors."""

import time
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool

from storage.errors import wrapped
from storage.postgres.whole_numbers import WHOLE_NUMBERS

CONNECT_TIMEOUT_S = 5
POOL_WAIT_S = 3.0
STATEMENT_TIMEOUT_MS = 10_000
TRANSACTION_IDLE_MS_MAX = 3_000
"""A process that stops inside a transaction gives its locks back after this."""

SILENT_SERVER: Mapping[str, Any] = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""How a server whose machine is gone is noticed, where it is reached by TCP."""

STEADY_PLANS = "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"
"""Every statement of the exchange finds its rows by an index; a planner that knows a young table
badly would sometimes read all of it."""

AsyncPool = AsyncConnectionPool[psycopg.AsyncConnection[tuple[object, ...]]]


def server_options() -> str:
    """What a session asks of the server for itself."""
    return (
        f"-c statement_timeout={STATEMENT_TIMEOUT_MS}"
        f" -c idle_in_transaction_session_timeout={TRANSACTION_IDLE_MS_MAX}"
        f" {STEADY_PLANS}"
    )


def now_us() -> int:
    """Wall clock, microseconds since 1970."""
    return time.time_ns() // 1_000


async def open_pool(database_url: str, connections_max: int) -> AsyncPool:
    """An open pool of autocommit connections. It heals by itself when the server returns."""
    pool: AsyncPool = AsyncConnectionPool(
        database_url,
        kwargs={
            "autocommit": True,
            "context": WHOLE_NUMBERS,
            "connect_timeout": CONNECT_TIMEOUT_S,
            "options": server_options(),
            **SILENT_SERVER,
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
            context=WHOLE_NUMBERS,
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name=f"sandpit-{application}",
            options=server_options(),
            **SILENT_SERVER,
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
