"""The newest signal of each agent on each symbol: what it votes with."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sim.signals.signal import Action, Signal
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import Connection, Row, fetch_all

LAST = "SELECT symbol, action FROM agent_signals WHERE agent_name = %s"
GIVE = """
INSERT INTO agent_signals (agent_name, symbol, action, confidence, numbers, reasoning, at_us,
    decision_id)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (agent_name, symbol) DO UPDATE SET action = excluded.action,
    confidence = excluded.confidence, numbers = excluded.numbers, reasoning = excluded.reasoning,
    at_us = excluded.at_us, decision_id = excluded.decision_id"""
GIVEN = """
SELECT agent_name, symbol, action, confidence, numbers, reasoning, at_us, decision_id
FROM agent_signals ORDER BY symbol, agent_name"""


@dataclass(frozen=True)
class GivenSignal:
    """An agent's signal on a symbol, and the decision that it was recorded as, if it was."""

    agent: str
    symbol: str
    signal: Signal
    at_us: int
    decision_id: UUID | None


async def last_actions(connection: Connection, agent: str) -> Mapping[str, str]:
    """What an agent last said of each symbol."""
    return dict(await (await connection.execute(LAST, (agent,))).fetchall())


async def give(connection: Connection, signals: Sequence[GivenSignal]) -> None:
    """In place of what the same agent has said of the same symbol before."""
    async with connection.cursor() as cursor:
        await cursor.executemany(GIVE, [row_of(one) for one in signals])


async def given_signals(pool: AsyncPool) -> list[GivenSignal]:
    """The newest of every agent on every symbol, however old."""
    return [as_given(row) for row in await fetch_all(pool, GIVEN)]


def row_of(given: GivenSignal) -> Row:
    """As GIVE has it."""
    said = given.signal
    return (
        *(given.agent, given.symbol, said.action, said.confidence, json.dumps(dict(said.numbers))),
        *(said.reasoning, given.at_us, given.decision_id),
    )


def as_given(row: Row) -> GivenSignal:
    """A row of GIVEN."""
    agent, symbol, action, confidence, numbers, reasoning, at_us, decision_id = row
    signal = Signal(Action(action), confidence, json.loads(numbers), reasoning)
    return GivenSignal(agent, symbol, signal, at_us, decision_id)
