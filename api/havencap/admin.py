"""Who may do what: ADMINs say."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.desk.identifiers import parse_user_id
from api.door.answers import reply
from api.door.callers import Admin
from api.door.describing import Door, documented
from api.door.paging import cursor_number, next_page, page_of
from api.door.routing import ExactRoute, services_of
from api.havencap.answers import PeopleAnswer, PersonChangedAnswer, person_with_status
from api.havencap.schemas import PeopleAsked, PersonChange
from sim.refusals import Refusal, Refused
from storage.intake.joining import Change, change_user, no_such_user
from storage.people.accounts import users

LIST = "users"

router = APIRouter(route_class=ExactRoute, tags=["Trading app: people"])


@router.get(
    "/api/admin/users",
    summary="Everybody",
    **documented(200, PeopleAnswer, cursor=True, opens=Door.LOGIN),
)
async def get_people(
    asked: Annotated[PeopleAsked, Query()], admin: Admin, request: Request
) -> Response:
    """Newest first, guests among them; `status=PENDING` are those who wait. The header
    X-Next-Cursor is the `cursor` of the next page."""
    before_id = cursor_number(LIST, asked.cursor)
    found = await users(services_of(request).pool, asked.status, before_id, asked.limit + 1)
    page, cursor = page_of(found, asked.limit, LIST, lambda user: user.user_id)
    answer = PeopleAnswer(users=[person_with_status(user) for user in page])
    return reply(answer, headers=next_page(cursor))


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
