"""Decisions: those of a session are its user's alone, all others everybody's."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import Row, fetch_all, fetch_one, unit_of_work

VISIBLE = """(d.session_id IS NULL
    OR EXISTS (SELECT FROM trading_sessions s
        WHERE s.id = d.session_id AND s.user_id = %(user)s))"""
EVERYBODYS = "d.session_id IS NULL"
OWN = """d.session_id IS NOT NULL
    AND d.session_id IN (SELECT s.id FROM trading_sessions s WHERE s.user_id = %(user)s)"""
COLUMNS = """d.id, d.seq, d.agent_name, d.symbol, d.kind, d.action, d.confidence, d.reasoning,
    d.context, d.prompt_tokens, d.completion_tokens, d.model, d.outcome, d.pnl_atoms, d.session_id,
    d.cost_usd, d.latency_ms, d.note, d.created_at_us"""
FILTERS = {
    "symbol": " AND d.symbol = %(symbol)s",
    "kind": " AND d.kind = %(kind)s",
    "outcome": " AND d.outcome = %(outcome)s",
    "model": " AND d.model = %(model)s",
    "agent_name": " AND d.agent_name = %(agent_name)s",
    "session_id": " AND d.session_id = %(session_id)s",
    "before_seq": " AND d.seq < %(before_seq)s",
    "from_us": " AND d.created_at_us >= %(from_us)s",
    "to_us": " AND d.created_at_us <= %(to_us)s",
}
SELECT_PAGE = f"""
SELECT {COLUMNS} FROM decisions d WHERE {VISIBLE}{{only}}
ORDER BY d.seq DESC LIMIT %(limit)s OFFSET %(offset)s"""
"""In the order of writing, which a cursor goes on from: several clocks tell when."""

SELECT_ONE = f"""
SELECT {COLUMNS}, d.prompt, d.response, d.embedding::text FROM decisions d
WHERE d.id = %(id)s AND {VISIBLE}"""
NEAREST = f"""
SELECT {COLUMNS}, 1 - (d.embedding <=> %(embedding)s::vector) AS similarity FROM decisions d
WHERE {{whose}} AND d.embedding IS NOT NULL AND d.id IS DISTINCT FROM %(id)s{{only}}
ORDER BY d.embedding <=> %(embedding)s::vector LIMIT %(limit)s"""
SELECT_LIKE = f"""
SELECT * FROM (
    ({NEAREST.format(whose=EVERYBODYS, only="{only}")})
    UNION ALL ({NEAREST.format(whose=OWN, only="{only}")})) alike
ORDER BY similarity DESC LIMIT %(limit)s"""
"""Apart, each by an index of its own: verdicts of many sessions on one consensus are all alike, and
would lie between everybody's and whoever looks for those."""

SELECT_BY_WORDS = f"""
SELECT {COLUMNS}, ts_rank(d.words, asked) FROM decisions d,
    websearch_to_tsquery('english', %(query)s) AS asked
WHERE d.words @@ asked AND {VISIBLE}{{only}}
ORDER BY ts_rank(d.words, asked) DESC, d.seq DESC LIMIT %(limit)s"""
EF_SEARCH = 100
"""So many are looked at first, no fewer than anybody may ask for: of 10⁵ decisions the nearest ten
are among them."""

LOOK_FAR = f"""
SELECT set_config('hnsw.ef_search', '{EF_SEARCH}', true),
    set_config('hnsw.iterative_scan', 'strict_order', true)"""
"""Beyond what is not asked for, until there are as many as are wanted."""

SELECT_COUNTS = f"""
SELECT count(*), count(*) FILTER (WHERE outcome = 'SUCCESS'),
    count(*) FILTER (WHERE outcome = 'FAILURE'), count(*) FILTER (WHERE outcome = 'PENDING'),
    avg(confidence), avg(pnl_atoms), sum(cost_usd), avg(latency_ms)
FROM decisions d WHERE {VISIBLE}{{only}}"""
SELECT_GROUPS = f"""
SELECT GROUPING(d.kind), d.kind, d.model, count(*) FROM decisions d WHERE {VISIBLE}{{only}}
GROUP BY GROUPING SETS ((d.kind), (d.model)) ORDER BY 4 DESC, 2, 3"""


@dataclass(frozen=True)
class Decision:
    """One decision; see storage/tables/agents.py. `context` is JSON."""

    decision_id: UUID
    seq: int
    agent_name: str
    symbol: str
    kind: str
    action: str
    confidence: float
    reasoning: str
    context: str
    prompt_tokens: int
    completion_tokens: int
    model: str
    outcome: str | None
    pnl_atoms: int | None
    session_id: UUID | None
    cost_usd: Decimal | int
    latency_ms: float
    note: str | None
    created_at_us: int


@dataclass(frozen=True)
class WholeDecision:
    """With what it was asked and answered, and the vector of its market's context as JSON."""

    decision: Decision
    prompt: str
    response: str
    embedding: str | None


@dataclass(frozen=True)
class Statistics:
    """Of many decisions; means are None of none."""

    total: int
    succeeded: int
    failed: int
    pending: int
    confidence: float | None
    pnl_atoms: Decimal | int | None
    cost_usd: Decimal | int
    latency_ms: float | None
    by_kind: dict[str, int]
    by_model: dict[str, int]


Filter = dict[str, Any]
"""By keys of FILTERS; None does not filter."""


def only(wanted: Filter) -> str:
    """The conditions that are asked for."""
    return "".join(FILTERS[name] for name, value in wanted.items() if value is not None)


async def decisions(
    pool: AsyncPool, user_id: int, wanted: Filter, limit: int, offset: int
) -> list[Decision]:
    """A page of what this user may see, newest first."""
    values = {**wanted, "user": user_id, "limit": limit, "offset": offset}
    rows = await fetch_all(pool, SELECT_PAGE.format(only=only(wanted)), values)
    return [Decision(*row) for row in rows]


async def decision(pool: AsyncPool, user_id: int, decision_id: UUID) -> WholeDecision | None:
    """One, whole."""
    row = await fetch_one(pool, SELECT_ONE, {"id": decision_id, "user": user_id})
    return None if row is None else WholeDecision(Decision(*row[:-3]), *row[-3:])


async def similar(
    pool: AsyncPool,
    user_id: int,
    embedding: str,
    besides: UUID | None,
    wanted: Filter,
    limit: int,
) -> list[tuple[Decision, float]]:
    """Those whose context is most alike, with how alike by cosine; but one."""
    values = {**wanted, "user": user_id, "id": besides, "embedding": embedding, "limit": limit}
    async with unit_of_work(pool) as connection:
        await connection.execute(LOOK_FAR)
        rows = await connection.execute(SELECT_LIKE.format(only=only(wanted)), values)
        return scored(await rows.fetchall())


async def by_words(
    pool: AsyncPool, user_id: int, query: str, wanted: Filter, limit: int
) -> list[tuple[Decision, float]]:
    """Those whose reasoning or prompt has these words, the best first, with their rank."""
    values = {**wanted, "user": user_id, "query": query, "limit": limit}
    return scored(await fetch_all(pool, SELECT_BY_WORDS.format(only=only(wanted)), values))


def scored(rows: Sequence[Row]) -> list[tuple[Decision, float]]:
    """Rows with a score at their end."""
    return [(Decision(*row[:-1]), float(row[-1])) for row in rows]


async def statistics(pool: AsyncPool, user_id: int, wanted: Filter) -> Statistics:
    """Of what this user may see."""
    values, conditions = {**wanted, "user": user_id}, only(wanted)
    counts = await fetch_one(pool, SELECT_COUNTS.format(only=conditions), values)
    groups = await fetch_all(pool, SELECT_GROUPS.format(only=conditions), values)
    assert counts is not None
    total, succeeded, failed, pending, confidence, pnl, cost, latency = counts
    return Statistics(
        total,
        succeeded,
        failed,
        pending,
        confidence,
        pnl,
        cost or 0,
        latency,
        {kind: count for is_model, kind, _, count in groups if not is_model},
        {model: count for is_model, _, model, count in groups if is_model},
    )
