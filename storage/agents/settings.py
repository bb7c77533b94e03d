"""What was changed of the agents' configuration by the API: for ever, or until the exchange is
started again."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import psycopg

from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import Connection, fetch_one

SELECT_CHANGED = "SELECT persistent, runtime FROM agent_settings"
CHANGE = """
INSERT INTO agent_settings (id, persistent, runtime)
VALUES (true, CASE WHEN %(persist)s THEN %(changes)s ELSE '{}' END,
    CASE WHEN %(persist)s THEN '{}' ELSE %(changes)s END)
ON CONFLICT (id) DO UPDATE SET
    persistent = CASE WHEN %(persist)s
        THEN (agent_settings.persistent::jsonb || %(changes)s::jsonb)::text
        ELSE agent_settings.persistent END,
    runtime = CASE WHEN %(persist)s
        THEN (agent_settings.runtime::jsonb - %(names)s::text[])::text
        ELSE (agent_settings.runtime::jsonb || %(changes)s::jsonb)::text END"""
"""What is to stay takes the place of what was to be forgotten."""

FORGET = "UPDATE agent_settings SET runtime = '{}', start_no = start_no + 1"


def forget_runtime_settings(connection: psycopg.Connection[Any]) -> None:
    """The exchange is started again: of what was changed only what is to stay does."""
    connection.execute(FORGET)


async def changed_settings(pool: AsyncPool) -> dict[str, Any]:
    """Values by field, numbers exact. Raises DatabaseUnavailable."""
    row = await fetch_one(pool, SELECT_CHANGED)
    return {} if row is None else _read(row[0]) | _read(row[1])


async def change_settings(
    connection: Connection, changes: str, names: list[str], persist: bool
) -> None:
    """All of these at once; the caller's transaction commits.

    changes   JSON of values by field
    """
    values: Mapping[str, Any] = {"changes": changes, "names": names, "persist": persist}
    await connection.execute(CHANGE, values)


def _read(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return found
