"""Who looks for decisions like another finds the nearest that they may see."""

import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import psycopg
import pytest

from sim.signals.dimension import DIMENSION
from storage.agents.decisions import similar
from storage.postgres.database import AsyncPool
from tests.api.made_decisions import decided, of_session, vector
from tests.builders import trader

MOMENTS, SESSIONS, ASKED, WANTED = 150, 60, 20, 10
VERDICTS = """
INSERT INTO decisions (id, agent_name, symbol, kind, action, confidence, reasoning, context, prompt,
    response, model, prompt_tokens, completion_tokens, latency_ms, session_id, created_at_us,
    embedding)
SELECT gen_random_uuid(), 'risk-agent', symbol, 'risk_approval', action, confidence, reasoning,
    context, prompt, response, model, 0, 0, 0, s.id, d.created_at_us, d.embedding
FROM decisions d CROSS JOIN (SELECT gen_random_uuid() AS id FROM generate_series(1, %s)) s"""


@pytest.fixture
def moments() -> list[list[float]]:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = np.random.default_rng(seed)
    walk = np.cumsum(dice.normal(0, 0.3, (MOMENTS, DIMENSION)), axis=0)
    return [[round(one, 6) for one in row] for row in np.tanh(walk).tolist()]


def nearest(moments: Sequence[Sequence[float]], place: int) -> list[float]:
    """How alike the others are, the nearest first."""
    units = np.array(moments) / np.linalg.norm(moments, axis=1, keepdims=True)
    return sorted(np.delete(units @ units[place], place).tolist(), reverse=True)


async def test_verdicts_of_many_sessions_that_are_all_alike_hide_nobodys_decisions(
    database: psycopg.Connection[Any], pool: AsyncPool, moments: list[list[float]]
) -> None:
    ids = [UUID(decided(database, moment)) for moment in moments]
    database.execute(VERDICTS, (SESSIONS,))
    for place in range(0, MOMENTS, MOMENTS // ASKED):
        found = await similar(pool, 1, vector(*moments[place]), ids[place], {}, WANTED)
        assert all(one.session_id is None and one.decision_id != ids[place] for one, _ in found)
        alike = [score for _, score in found]
        assert alike == pytest.approx(nearest(moments, place)[:WANTED], abs=1e-5)


async def test_own_verdicts_lie_among_everybodys_decisions(
    database: psycopg.Connection[Any], pool: AsyncPool
) -> None:
    owner, session = trader(database), uuid4()
    database.execute(
        "INSERT INTO trading_sessions (id, user_id, account_id, symbol, market_id, status,"
        " initial_atoms, started_at_us, updated_at_us, trades, winning_trades, losing_trades)"
        " VALUES (%s, %s, %s, 'ETH/USDT', 'ETH-PERP', 'RUNNING', 1, 0, 0, 0, 0, 0)",
        (session, owner, owner),
    )
    near = decided(database, [1.0, 0.1])
    own = decided(database, [1.0, 0.2], **of_session(str(session)))
    decided(database, [1.0, 0.25], **of_session(str(uuid4())))
    far = decided(database, [1.0, 0.3])
    found = await similar(pool, owner, vector(1.0), None, {}, WANTED)
    assert [str(one.decision_id) for one, _ in found] == [near, own, far]
    found = await similar(pool, owner, vector(1.0), UUID(near), {"symbol": "BTC/USDT"}, 1)
    assert [str(one.decision_id) for one, _ in found] == [own]
