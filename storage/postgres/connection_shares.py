"""Which database user may have how many connections: so that none can take the others' places."""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

from storage.postgres.database_roles import API, ENGINE, OWNER
from storage.settings import API_PROCESSES_USUAL, CONNECTIONS_USUAL, connections_of

BESIDE_API = 120
"""Places that stay the engine's and the owner's, where there are so many, whatever the API wants:
three for each market, ten for the house, one for each simulation that runs."""

OWNER_PARTS = 6
"""Of what is not the API's the owner has one part: who migrates, looks and mends."""

ADMINISTRATORS = 3
"""Places that PostgreSQL keeps for superusers unless it is told otherwise."""

PLACES_UNKNOWN = 100 - ADMINISTRATORS
"""What PostgreSQL's own settings leave, for SQL that is written without a look at a server."""

API_WANTED = connections_of(API_PROCESSES_USUAL, CONNECTIONS_USUAL)
"""Of an API that is not told otherwise."""

PLACES = """
SELECT current_setting('max_connections')::int
     - current_setting('superuser_reserved_connections')::int
     - coalesce(current_setting('reserved_connections', true), '0')::int"""
"""The third is known from PostgreSQL 16 on."""


def shares(places: int, api_wanted: int) -> Mapping[str, int]:
    """Connections by role, which together are no more than the places that there are.

    api_wanted   what all API processes open at the most; where that is more than there is room
                 for, they have half of the places and their requests wait for each other
    """
    api = min(api_wanted, max(places - BESIDE_API, places // 2))
    owner = (places - api) // OWNER_PARTS
    return {OWNER: owner, API: api, ENGINE: places - api - owner}


def connections_max(api_wanted: int) -> int:
    """What a server of ours is told, so that nobody wants for a place."""
    return api_wanted + BESIDE_API + ADMINISTRATORS


def places_of(connection: psycopg.Connection[Any]) -> int:
    """How many sessions a server has room for, superusers' not counted."""
    row = connection.execute(PLACES).fetchone()
    assert row is not None
    return int(row[0])


def share_out(names: Mapping[str, str], shared: Mapping[str, int]) -> list[sql.Composed]:
    """The SQL that holds the users to their shares; sessions that there are stay.

    names   each role's user; who is not there is not held to any
    """
    wish = sql.SQL("ALTER ROLE {} CONNECTION LIMIT {}")
    return [
        wish.format(sql.Identifier(name), sql.Literal(shared[role])) for role, name in names.items()
    ]
