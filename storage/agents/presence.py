"""Who is at work: agents and the orchestrator arrive, and say now and then that they are there.

Whoever arrives takes its name from whoever had it before; all that is written under a name is
written beside its row here, so that one that wakes up after another has come writes nothing.
"""

from dataclasses import dataclass

from storage.errors import Superseded
from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import Connection, fetch_one

ACTIVE, FAILING = "active", "error"

ARRIVE = f"""
INSERT INTO agents (name, agent_type, status, started_at_us, last_seen_us, signals, errors)
VALUES (%(name)s, %(type)s, '{ACTIVE}', %(now)s, %(now)s, 0, 0)
ON CONFLICT (name) DO UPDATE SET agent_type = excluded.agent_type, status = excluded.status,
    started_at_us = greatest(excluded.started_at_us, agents.started_at_us + 1),
    last_seen_us = excluded.last_seen_us, last_error = NULL
RETURNING started_at_us"""
SEEN = f"""
UPDATE agents SET last_seen_us = %(now)s, last_error = %(error)s::text,
    status = CASE WHEN %(error)s::text IS NULL THEN '{ACTIVE}' ELSE '{FAILING}' END,
    errors = errors + %(failures)s, signals = signals + %(signals)s,
    last_signal_us = CASE WHEN %(signals)s > 0 THEN %(now)s ELSE last_signal_us END
WHERE name = %(name)s AND started_at_us = %(since)s"""


@dataclass(frozen=True)
class Presence:
    """A name that is ours since then, unless somebody else has arrived."""

    name: str
    since_us: int


async def arrive(pool: AsyncPool, name: str, agent_type: str) -> Presence:
    """Be at work under a name; whoever was before writes nothing any more."""
    values = {"name": name, "type": agent_type, "now": now_us()}
    row = await fetch_one(pool, ARRIVE, values)
    assert row is not None
    return Presence(name, int(row[0]))


async def seen(
    connection: Connection,
    presence: Presence,
    signals: int = 0,
    error: str | None = None,
    failures: int = 0,
) -> None:
    """It is there, has given so many signals and failed so often since it was last seen.

    error   what is wrong, a sentence; None where nothing is

    Raises Superseded where the name is another's by now.
    """
    values = {
        "now": now_us(),
        "signals": signals,
        "error": error,
        "failures": failures,
        "name": presence.name,
        "since": presence.since_us,
    }
    if (await connection.execute(SEEN, values)).rowcount != 1:
        raise Superseded(f"another process is {presence.name} now")
