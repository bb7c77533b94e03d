"""What users say of decisions: each once of each that they may see."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sim.refusals import Refusal, Refused
from storage.agents.decisions import VISIBLE
from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import Row, fetch_all, fetch_one

FEEDBACK_MAX = 500
"""Of one decision, told at once."""

COLUMNS = "id, seq, decision_id, user_id, rating, comment, tags, created_at_us, updated_at_us"
INSERT = f"""
INSERT INTO decision_feedback (id, decision_id, user_id, rating, comment, tags, created_at_us,
    updated_at_us)
SELECT %(id)s, d.id, %(user)s, %(rating)s, %(comment)s, %(tags)s, %(now)s, %(now)s
FROM decisions d WHERE d.id = %(decision)s AND {VISIBLE}
ON CONFLICT (decision_id, user_id) DO NOTHING RETURNING {COLUMNS}"""
SELECT_OF_DECISION = f"""
SELECT {COLUMNS} FROM decision_feedback WHERE decision_id = %s
ORDER BY seq DESC LIMIT {FEEDBACK_MAX}"""
SELECT_OWN = f"""
SELECT {COLUMNS} FROM decision_feedback
WHERE user_id = %s AND seq < %s ORDER BY seq DESC LIMIT %s"""
UPDATE = f"""
UPDATE decision_feedback SET rating = %s, comment = %s, tags = %s, updated_at_us = %s
WHERE id = %s AND user_id = %s RETURNING {COLUMNS}"""
DELETE = "DELETE FROM decision_feedback WHERE id = %s AND user_id = %s RETURNING 1"


@dataclass(frozen=True)
class Opinion:
    """What somebody thinks of a decision."""

    rating: str
    comment: str | None
    tags: Sequence[str]


@dataclass(frozen=True)
class Feedback:
    """It, and whose and of what it is."""

    feedback_id: UUID
    seq: int
    decision_id: UUID
    user_id: int
    opinion: Opinion
    created_at_us: int
    updated_at_us: int


async def give_feedback(
    pool: AsyncPool, feedback_id: UUID, decision_id: UUID, user_id: int, opinion: Opinion
) -> Feedback:
    """New feedback of a decision that the user may see. Raises Refused where there is some of
    theirs already."""
    values = {
        "id": feedback_id,
        "decision": decision_id,
        "user": user_id,
        "rating": opinion.rating,
        "comment": opinion.comment,
        "tags": json.dumps(list(opinion.tags)),
        "now": now_us(),
    }
    row = await fetch_one(pool, INSERT, values)
    if row is None:
        details = {"brief": "feedback already exists", "decision_id": str(decision_id)}
        raise Refused(Refusal.ALREADY_THERE, "Change the feedback that is there", details)
    return as_feedback(row)


async def feedback_of(pool: AsyncPool, decision_id: UUID) -> list[Feedback]:
    """The newest of a decision."""
    return [as_feedback(row) for row in await fetch_all(pool, SELECT_OF_DECISION, (decision_id,))]


async def own_feedback(
    pool: AsyncPool, user_id: int, before_seq: int, limit: int
) -> list[Feedback]:
    """A page of what the user has said, newest first."""
    rows = await fetch_all(pool, SELECT_OWN, (user_id, before_seq, limit))
    return [as_feedback(row) for row in rows]


async def change_feedback(
    pool: AsyncPool, feedback_id: UUID, user_id: int, opinion: Opinion
) -> Feedback | None:
    """What the user thinks from now on; None where it is not theirs."""
    tags = json.dumps(list(opinion.tags))
    values = (opinion.rating, opinion.comment, tags, now_us(), feedback_id, user_id)
    row = await fetch_one(pool, UPDATE, values)
    return None if row is None else as_feedback(row)


async def take_back(pool: AsyncPool, feedback_id: UUID, user_id: int) -> bool:
    """Whether it was the user's; then it is gone."""
    return await fetch_one(pool, DELETE, (feedback_id, user_id)) is not None


def as_feedback(row: Row) -> Feedback:
    """A row of COLUMNS."""
    feedback_id, seq, decision_id, user_id, rating, comment, tags, *times = row
    opinion = Opinion(rating, comment, json.loads(tags))
    return Feedback(feedback_id, seq, decision_id, user_id, opinion, *times)
