"""The users of an embedded PostgreSQL's database, and the hand-over of what one superuser had."""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

from storage.postgres.connection_shares import places_of, share_out, shares
from storage.postgres.database_roles import (
    API,
    ENGINE,
    OWNER,
    bound_files,
    bound_role,
    make_roles,
    without_large_objects,
)

OWNED_BY_OTHERS = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
  AND c.relowner <> (SELECT oid FROM pg_roles WHERE rolname = %s)
  AND NOT EXISTS (
      SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
      AND c.relkind = 'S' AND d.deptype IN ('a', 'i'))"""
"""Tables, views and sequences; a column's own sequence follows its table."""

Connection = psycopg.Connection[Any]


def make_database(
    administration: Connection,
    database: str,
    names: Mapping[str, str],
    passwords: Mapping[str, str],
    api_connections: int,
) -> None:
    """The users and their database, where they are missing, and what the users are held to.

    names             each role's user
    passwords         by user
    api_connections   see storage.postgres.connection_shares
    """
    make_roles(administration, passwords)
    bound_role(administration, names[API])
    for wish in share_out(names, shares(places_of(administration), api_connections)):
        administration.execute(wish)
    known = administration.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database])
    if known.fetchone() is None:
        administration.execute(_formed("CREATE DATABASE {}", database))
    administration.execute(_formed("ALTER DATABASE {} OWNER TO {}", database, names[OWNER]))
    administration.execute(_formed("REVOKE ALL ON DATABASE {} FROM PUBLIC", database))
    for role in (ENGINE, API):
        bound_files(administration, role, names[role])
        administration.execute(_formed("GRANT CONNECT ON DATABASE {} TO {}", database, names[role]))
        # So that who runs the exchange sees the others' sessions and may end them.
        administration.execute(_formed("GRANT {} TO {}", names[role], names[OWNER]))


def add_extensions(connection: Connection) -> None:
    """What only a superuser may add to a database: similar decisions are found by pgvector."""
    connection.execute("CREATE EXTENSION IF NOT EXISTS vector")


def hand_over(connection: Connection, names: Mapping[str, str]) -> None:
    """What a former sandpit's superuser has made becomes the owner's; everybody has nothing."""
    owner = names[OWNER]
    with connection.transaction():
        for schema, name in connection.execute(OWNED_BY_OTHERS, [owner]).fetchall():
            connection.execute(_formed("ALTER TABLE {}.{} OWNER TO {}", schema, name, owner))
        connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        connection.execute(without_large_objects())


def _formed(statement: str, *names: str) -> sql.Composed:
    wish = sql.SQL(statement)
    return wish.format(*map(sql.Identifier, names))
