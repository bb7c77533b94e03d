"""Agents, and what they last said of themselves."""

from dataclasses import dataclass
from enum import StrEnum

from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import fetch_all, fetch_one

SILENT_US_MAX = 30_000_000
"""Whoever is silent for longer is inactive."""

COLUMNS = """name, agent_type, status, started_at_us, last_seen_us, last_signal_us, signals, errors,
    last_error"""
SELECT_ALL = f"SELECT {COLUMNS} FROM agents ORDER BY name"
SELECT_ONE = f"SELECT {COLUMNS} FROM agents WHERE name = %s"


class AgentStatus(StrEnum):
    """How an agent is doing."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    ERROR = "error"


@dataclass(frozen=True)
class Agent:
    """One agent; see storage/tables/agents.py."""

    name: str
    agent_type: str
    said: str
    started_at_us: int
    last_seen_us: int
    last_signal_us: int | None
    signals: int
    errors: int
    last_error: str | None

    def status(self, at_us: int) -> AgentStatus:
        """What it is: what it said of itself, unless it has been silent since."""
        if at_us - self.last_seen_us > SILENT_US_MAX:
            return AgentStatus.INACTIVE
        return AgentStatus(self.said)


async def all_agents(pool: AsyncPool) -> list[Agent]:
    """By name. Raises DatabaseUnavailable."""
    return [Agent(*row) for row in await fetch_all(pool, SELECT_ALL)]


async def find_agent(pool: AsyncPool, name: str) -> Agent | None:
    """One of them."""
    row = await fetch_one(pool, SELECT_ONE, (name,))
    return None if row is None else Agent(*row)
