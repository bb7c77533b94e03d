"""Many decisions, as a deployment has them after some weeks, for `sandpit bench agents`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count, islice
from uuid import UUID

import numpy as np
from uuid_utils.compat import uuid7

from actors.bench.agents_past import pasts, views
from actors.live.agents import Spoken, signal_decision
from sim.signals import technical
from sim.signals.agents import AGENTS, RISK_AGENT, View
from sim.signals.terms import TechnicalTerms
from storage.agents.new_decisions import Kind, NewDecision, record
from storage.postgres.database import AsyncPool, connect
from storage.postgres.unit_of_work import unit_of_work

SYMBOLS = ("BTC/USDT", "ETH/USDT")
SAID_EVERY = 20
"""One view in so many is read by a rule; the words of the others are its."""

VERDICT_EVERY = 10
"""One decision in so many is a verdict of somebody's session on the moment of the one before."""

BATCH = 2_000
INDEXES = """
SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = 'decisions'::regclass AND NOT i.indisprimary"""


def seen_views(seed: int) -> Iterator[View]:
    """For ever: a week of the one market minute by minute, then of the other, then another week."""
    dice = np.random.default_rng(seed)
    for number in count():
        for symbol, past in zip(SYMBOLS, pasts(seed + number), strict=True):
            yield from views(symbol, past, dice)


def made_decisions(many: int, session_id: UUID, seed: int) -> Iterator[NewDecision]:
    """So many, of all agents in turn."""
    names = list(AGENTS)
    for place, view in enumerate(islice(seen_views(seed), many)):
        if place % SAID_EVERY == 0:
            signal = technical.signal_of(view.candles, TechnicalTerms())
        if place % VERDICT_EVERY or place == 0:
            made = signal_decision(names[place % len(names)], Spoken(view, signal, 1.0), uuid7())
        else:
            made = verdict_on(made, session_id)
        yield made


def verdict_on(cause: NewDecision, session_id: UUID) -> NewDecision:
    """The risk agent's, with the same market before it."""
    return replace(
        cause,
        decision_id=uuid7(),
        agent=RISK_AGENT,
        kind=Kind.RISK_APPROVAL,
        session_id=session_id,
        cause_id=cause.decision_id,
    )


async def fill(pool: AsyncPool, many: int, session_id: UUID, seed: int) -> None:
    """Write so many."""
    made = made_decisions(many, session_id, seed)
    while some := list(islice(made, BATCH)):
        async with unit_of_work(pool) as connection:
            await record(connection, some)


@contextmanager
def indexed_afterwards(database_url: str) -> Iterator[None]:
    """Indexes are built of all rows at once, for time's sake; they come to the same."""
    with connect(database_url, "bench") as connection:
        connection.execute("SET statement_timeout = 0")
        connection.execute("SET maintenance_work_mem = '512MB'")
        indexes = connection.execute(INDEXES).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        yield
        for _, definition in indexes:
            connection.execute(str(definition))
        connection.execute("VACUUM ANALYZE decisions")
