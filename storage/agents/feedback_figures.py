"""What feedback comes to: of all decisions that a user may see."""

from dataclasses import dataclass
from uuid import UUID

from storage.agents.decisions import COLUMNS as OF_DECISION
from storage.agents.decisions import VISIBLE, Decision
from storage.agents.feedback import COLUMNS, Feedback, as_feedback
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import fetch_all, fetch_one

TAGS_TOLD = 20

SELECT_ONE = f"""
SELECT {", ".join(f"f.{name.strip()}" for name in COLUMNS.split(","))}
FROM decision_feedback f JOIN decisions d ON d.id = f.decision_id
WHERE f.id = %(id)s AND {VISIBLE}"""
COUNTS = (
    "count(*) FILTER (WHERE f.rating = 'positive'), count(*) FILTER (WHERE f.rating = 'negative')"
)
SELECT_GROUPS = f"""
SELECT d.agent_name, d.kind, {COUNTS}
FROM decision_feedback f JOIN decisions d ON d.id = f.decision_id WHERE {VISIBLE}
GROUP BY GROUPING SETS ((d.agent_name), (d.kind), ()) ORDER BY 1, 2"""
SELECT_TAGS = f"""
SELECT tag, count(*) FROM decision_feedback f JOIN decisions d ON d.id = f.decision_id,
    jsonb_array_elements_text(f.tags::jsonb) AS tag
WHERE {VISIBLE} GROUP BY tag ORDER BY 2 DESC, 1 LIMIT {TAGS_TOLD}"""
SELECT_DOUBTED = f"""
SELECT {OF_DECISION}, doubts.positive, doubts.negative
FROM decisions d JOIN (
    SELECT f.decision_id, {COUNTS} FROM decision_feedback f GROUP BY f.decision_id
) AS doubts (decision_id, positive, negative) ON doubts.decision_id = d.id
WHERE doubts.negative > 0 AND {VISIBLE}
ORDER BY doubts.negative DESC, doubts.positive, d.seq DESC LIMIT %(limit)s"""


@dataclass(frozen=True)
class Ratings:
    """How many think what."""

    positive: int = 0
    negative: int = 0


@dataclass(frozen=True)
class FeedbackFigures:
    """What all of it comes to; the tags that are used most, the first the most."""

    all: Ratings
    by_agent: dict[str, Ratings]
    by_kind: dict[str, Ratings]
    tags: dict[str, int]


async def one_feedback(pool: AsyncPool, user_id: int, feedback_id: UUID) -> Feedback | None:
    """Feedback of a decision that the user may see."""
    row = await fetch_one(pool, SELECT_ONE, {"id": feedback_id, "user": user_id})
    return None if row is None else as_feedback(row)


async def feedback_figures(pool: AsyncPool, user_id: int) -> FeedbackFigures:
    """What all that the user may see comes to."""
    values = {"user": user_id}
    groups = await fetch_all(pool, SELECT_GROUPS, values)
    tags = await fetch_all(pool, SELECT_TAGS, values)
    return FeedbackFigures(
        next((Ratings(*row[2:]) for row in groups if row[:2] == (None, None)), Ratings()),
        {row[0]: Ratings(*row[2:]) for row in groups if row[0] is not None},
        {row[1]: Ratings(*row[2:]) for row in groups if row[1] is not None},
        dict(tags),
    )


async def doubted_decisions(
    pool: AsyncPool, user_id: int, limit: int
) -> list[tuple[Decision, Ratings]]:
    """Those that somebody thinks badly of, the worst first."""
    rows = await fetch_all(pool, SELECT_DOUBTED, {"user": user_id, "limit": limit})
    return [(Decision(*row[:-2]), Ratings(*row[-2:])) for row in rows]
