"""An exchange of schema 0011 in a database of its own: from before accounts and orders that wait.

The dump beside this file is of a real one: two markets, seventeen simulated traders, and people
who traded by REST, with deposits, withdrawals, keys, and orders that are open, filled, cancelled,
rejected and expired. It was stopped, started again, and then killed, so that batches follow the
last snapshot. Some left reduce-only orders for more than their position, as none do now. The older
half of the journal is packed. Made by `pg_dump --inserts`, without owners and grants.
"""

import gzip
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from storage.postgres.database_roles import DatabaseUrls
from storage.servers.embedded import EmbeddedPostgres

DUMP = Path(__file__).with_name("exchange_0011.sql.gz")
PEOPLE, HEADS = 12, {"BTC-PERP": 549, "ETH-PERP": 545}


@contextmanager
def exchange_of_before(postgres: EmbeddedPostgres) -> Iterator[DatabaseUrls]:
    """The dump in a new database, not migrated; it is gone at the end."""
    name = f"before_{secrets.token_hex(4)}"
    with psycopg.connect(postgres.admin_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} OWNER sandpit_owner")
        urls = postgres.urls(name)
        with psycopg.connect(urls.owner, autocommit=True) as connection:
            connection.execute(gzip.decompress(DUMP.read_bytes()))
        yield urls
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def columns_of(connection: psycopg.Connection[Any]) -> dict[str, list[str]]:
    """The columns of every table."""
    rows = connection.execute(
        "SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position)"
        " FROM information_schema.columns WHERE table_schema = 'public'"
        " AND table_name <> 'alembic_version' GROUP BY 1"
    )
    return {str(table): list(columns) for table, columns in rows}


def rows_of(
    connection: psycopg.Connection[Any], columns: dict[str, list[str]]
) -> dict[str, list[str]]:
    """These columns of all rows, as text."""
    return {
        table: sorted(
            str(row[0])
            for row in connection.execute(
                f"SELECT to_jsonb(t)::text FROM (SELECT {', '.join(names)} FROM {table}) t"
            )
        )
        for table, names in columns.items()
    }
