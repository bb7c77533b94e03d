"""Who may do what: ADMINs say."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.credentials.tokens import user_id_text
from api.desk.identifiers import parse_user_id
from api.door.answers import reply
from api.door.callers import Admin
from api.door.describing import Door, documented
from api.door.routing import ExactRoute, services_of
from api.havencap.answers import PeopleAnswer, PersonChangedAnswer, person_with_status
from api.havencap.schemas import PeopleAsked, PersonChange
from sim.refusals import Refusal, Refused
from storage.intake.joining import Change, change_user, no_such_user
from storage.people.accounts import users

EVERYBODY = 2**63 - 1

router = APIRouter(route_class=ExactRoute, tags=["Trading app: people"])


@router.get(
    "/api/admin/users",
    summary="Everybody",
    **documented(200, PeopleAnswer, cursor=True, opens=Door.LOGIN),
)
async def get_people(
    asked: Annotated[PeopleAsked, Query()], admin: Admin, request: Request
) -> Response:
    """Newest first; the header X-Next-Cursor is the `cursor` of the next page."""
    before_id = EVERYBODY if asked.cursor is None else parse_user_id(asked.cursor)
    if before_id is None:
        raise Refused(Refusal.INVALID_REQUEST, "cursor: must be what X-Next-Cursor said")
    found = await users(services_of(request).pool, before_id, asked.limit)
    page = PeopleAnswer(users=[person_with_status(user) for user in found])
    is_full = len(found) == asked.limit
    headers = {"X-Next-Cursor": user_id_text(found[-1].user_id)} if is_full else None
    return reply(page, headers=headers)


@router.patch(
    "/api/admin/users/{user_id}",
    summary="Approve somebody, or change what they may",
    **documented(200, PersonChangedAnswer, 404, 409, opens=Door.LOGIN),
)
async def patch_person(
    sent: PersonChange, admin: Admin, user_id: str, request: Request
) -> Response:
    """From now on, whatever tokens they have. Who becomes ACTIVE for the first time gets the
    opening balance. The last active ADMIN stays one."""
    if sent.role is None and sent.status is None:
        raise Refused(Refusal.INVALID_REQUEST, "Say what changes: role, status or both")
    number = parse_user_id(user_id)
    if number is None:
        raise no_such_user()
    services = services_of(request)
    user = await change_user(
        services.pool,
        admin.user_id,
        number,
        Change(sent.role, sent.status),
        services.settings.opening_atoms,
    )
    return reply(PersonChangedAnswer(user=person_with_status(user)))
