"""What was done through this family's control routes, and by whom."""

import json
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.credentials.tokens import user_id_text
from api.cryptofunk.callers import Looker
from api.cryptofunk.spelling import instant_text
from api.cryptofunk.wire import Page, Told
from api.door.answers import example, reply_exact
from api.door.describing import documented
from api.door.paging import cursor_number, next_page, page_of
from api.door.routing import ExactRoute, services_of
from sim.roles import Role
from storage.agents.control_entries import ControlAction, ControlEntry, control_entries

LIST = "agent_audit"
ACTIONS = tuple(one.value for one in ControlAction)
SHOWN: dict[str, Any] = {
    "id": 17,
    "user_id": "user_3",
    "action": ControlAction.CONFIG_CHANGED.value,
    "subject": "config",
    "outcome": "done",
    "details": {"max_position_size": 0.15},
    "created_at": "2025-01-15T10:30:00Z",
}

router = APIRouter(route_class=ExactRoute, tags=["Agents"])


class AuditAsked(Page):
    """Which entries."""

    action: Literal[ACTIONS] | None = None  # type: ignore[valid-type]


class AuditEntry(Told):
    """One thing that was done."""

    id: int
    user_id: str
    action: str
    subject: str
    outcome: str
    details: dict[str, Any]
    created_at: str

    model_config = example(**SHOWN)


class AuditAnswer(Told):
    """What was done, newest first."""

    entries: list[AuditEntry]
    count: int

    model_config = example(entries=[SHOWN], count=1)


@router.get("/api/v1/audit", summary="Who did what", **documented(200, AuditAnswer, cursor=True))
async def get_audit(
    asked: Annotated[AuditAsked, Query()], caller: Looker, request: Request
) -> Response:
    """Sessions, orders, configuration and strategy: what the asker did through these routes; to an
    ADMIN what everybody did. Newest first; the header X-Next-Cursor is the `cursor` of the next
    page."""
    whose = None if caller.role == Role.ADMIN else caller.user_id
    before_id, pool = cursor_number(LIST, asked.cursor), services_of(request).pool
    found = await control_entries(pool, whose, asked.action, before_id, asked.limit + 1)
    page, cursor = page_of(found, asked.limit, LIST, lambda one: one.entry_id)
    answer = AuditAnswer(entries=[audit_entry(one) for one in page], count=len(page))
    return reply_exact(answer, headers=next_page(cursor))


def audit_entry(entry: ControlEntry) -> AuditEntry:
    """One of them, numbers exact."""
    return AuditEntry(
        id=entry.entry_id,
        user_id=user_id_text(entry.user_id),
        action=entry.action,
        subject=entry.subject,
        outcome=entry.outcome,
        details=json.loads(entry.details, parse_float=Decimal),
        created_at=instant_text(entry.at_us),
    )
