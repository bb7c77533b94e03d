"""A veto that only repeats the last verdict is not kept: it would be written every cycle."""

from collections.abc import Sequence
from uuid import UUID

from storage.agents.new_decisions import NewDecision
from storage.postgres.unit_of_work import Connection

LAST = """
SELECT s.id, last.context ->> 'ruling', last.context ->> 'rule'
FROM unnest(%s::uuid[], %s::text[]) AS s(id, action) CROSS JOIN LATERAL (
    SELECT v.context::jsonb AS context FROM decisions v JOIN decisions c ON c.id = v.cause_id
    WHERE v.session_id = s.id AND v.kind = 'risk_approval' AND c.action = s.action
    ORDER BY v.seq DESC LIMIT 1) last"""


async def news(
    connection: Connection, causes: Sequence[NewDecision], verdicts: Sequence[NewDecision]
) -> list[NewDecision]:
    """Of the verdicts on each consensus those that let something happen, those that a model was
    paid for, and vetoes whose rule is not that of the session's last verdict on a consensus of the
    same action."""
    vetoes = [one for one in verdicts if not always_kept(one)]
    if not vetoes:
        return list(verdicts)
    actions: dict[UUID | None, str] = {one.decision_id: str(one.action) for one in causes}
    asked = [one.session_id for one in vetoes], [actions[one.cause_id] for one in vetoes]
    rows = await (await connection.execute(LAST, asked)).fetchall()
    last = {session_id: (ruling, rule) for session_id, ruling, rule in rows}
    return [
        one
        for one in verdicts
        if always_kept(one)
        or last.get(one.session_id) != (one.context["ruling"], one.context["rule"])
    ]


def always_kept(verdict: NewDecision) -> bool:
    """Whatever was decided before."""
    return verdict.order is not None or (verdict.use is not None and verdict.use.prompt_tokens > 0)
