"""Who one is: register, log in, stay logged in, log out."""

import re
from functools import partial
from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.desk import sessions as desk
from api.desk.identity import log_in, register
from api.door.answers import reply
from api.door.callers import WithoutKey, claims_of
from api.door.cookies import sent_cookie
from api.door.describing import Door, Responses, documented
from api.door.front import call_of
from api.door.routing import ExactRoute, services_of
from api.havencap.answers import (
    PENDING_MESSAGE,
    AppLoginAnswer,
    JoinedAnswer,
    MessageAnswer,
    PersonAnswer,
    person,
)
from api.havencap.login_cookies import REFRESH, forget_login, keep_login
from api.havencap.schemas import AppCredentials, RefreshAsked
from sim.refusals import Refusal, Refused
from sim.roles import Role
from storage.intake.joining import join
from storage.people.accounts import User, UserStatus, find_user, not_active
from storage.people.login_sessions import NOT_VALID

PATH_OF_OURS = re.compile(r"/[\w\-./?=&%]*", re.ASCII)
LEADS_AWAY = re.compile(r"//|/\.{1,2}(/|$)")
"""In a path: once dot segments are taken out, what is behind could be another site's address."""


HOME = "/"
LOGIN_PAGE = "/login?callbackUrl="

GONE_ON: Responses = {
    302: {
        "description": "To the page, with new cookies",
        "headers": {"Location": {"description": "Its path", "schema": {"type": "string"}}},
    }
}

router = APIRouter(route_class=ExactRoute, tags=["Trading app: people"])


@router.post(
    "/api/auth/register",
    summary="Join",
    **documented(201, JoinedAnswer, 403, opens=Door.NOTHING),
)
async def post_join(
    credentials: AppCredentials, without_key: WithoutKey, request: Request
) -> Response:
    """The first who joins is an ACTIVE ADMIN and logged in at once. Everybody later waits for an
    ADMIN's approval, and is answered alike whether the e-mail is known here or not."""
    services, address = services_of(request), call_of(request.scope).address
    create = partial(join, opening=services.settings.opening_atoms)
    registered = await register(
        services.identity, address, credentials.email, credentials.password, create
    )
    user = await find_user(services.pool, registered.user_id) if registered.is_new else None
    if user is None or user.role != Role.ADMIN:
        return reply(JoinedAnswer(message=PENDING_MESSAGE), 201)
    return await begun(request, user, 201)


@router.post(
    "/api/auth/login",
    summary="Log in",
    **documented(200, AppLoginAnswer, 401, 403, opens=Door.NOTHING),
)
async def post_app_login(
    credentials: AppCredentials, without_key: WithoutKey, request: Request
) -> Response:
    """Sets the cookie `auth_token`, which browsers send by themselves; `accessToken` is the same
    for programs. Who waits for approval may log in, and look at `/api/auth/me`."""
    services, address = services_of(request), call_of(request.scope).address
    user = await log_in(services.identity, address, credentials.email, credentials.password)
    return await begun(request, user, 200)


async def begun(request: Request, user: User, status: int) -> Response:
    """A new login of this user."""
    services = services_of(request)
    logged_in = await desk.begin(services.sessions, user.user_id)
    answer = AppLoginAnswer(user=person(user), access_token=logged_in.token)
    return keep_login(reply(answer, status), services, logged_in)


@router.post(
    "/api/auth/logout", summary="Log out", **documented(200, MessageAnswer, opens=Door.NOTHING)
)
async def post_app_logout(request: Request) -> Response:
    """Ends the login with all its tokens, and takes the cookies away. Again is the same."""
    services, claims = services_of(request), call_of(request.scope).claims
    if claims is not None and claims.session_id:
        await desk.end(services.sessions, claims.session_id)
    await desk.log_out(services.sessions, sent_cookie(request, REFRESH) or "")
    return forget_login(reply(MessageAnswer(message="Logged out")), services)


@router.get("/api/auth/me", summary="Who I am", **documented(200, PersonAnswer, opens=Door.LOGIN))
async def get_me(without_key: WithoutKey, request: Request) -> Response:
    """Also for who waits for approval."""
    user = await find_user(services_of(request).pool, claims_of(request).user_id)
    if user is None or user.status == UserStatus.DISABLED:
        raise not_active()
    return reply(PersonAnswer(user=person(user)))


@router.post(
    "/api/auth/refresh",
    summary="Stay logged in",
    **documented(200, PersonAnswer, 401, opens=Door.NOTHING),
)
async def post_app_refresh(request: Request) -> Response:
    """New cookies for those of a login; each refresh cookie serves once. One that comes again
    later ends the login: somebody else has it too."""
    services = services_of(request)
    logged_in = await desk.refresh(services.sessions, sent_cookie(request, REFRESH) or "")
    user = await find_user(services.pool, logged_in.user_id)
    if user is None:
        raise Refused(Refusal.UNAUTHENTICATED, NOT_VALID)
    return keep_login(reply(PersonAnswer(user=person(user))), services, logged_in)


@router.get(
    "/api/auth/refresh",
    summary="Stay logged in and go on",
    response_class=RedirectResponse,
    **documented(302, None, 401, opens=Door.NOTHING, instead=GONE_ON),
)
async def get_app_refresh(asked: Annotated[RefreshAsked, Query()], request: Request) -> Response:
    """For pages: to `callbackUrl`, a path of this site, with new cookies; without a login to the
    page where one logs in, or 401 for who accepts JSON."""
    services = services_of(request)
    target = path_of_ours(asked.callback_url)
    try:
        logged_in = await desk.refresh(services.sessions, sent_cookie(request, REFRESH) or "")
    except Refused:
        if "application/json" in request.headers.get("accept", ""):
            raise
        return gone_to(LOGIN_PAGE + quote(target, safe="/"))
    return keep_login(gone_to(target), services, logged_in)


def path_of_ours(text: str) -> str:
    """Where a browser may be sent; home, instead of anywhere that it could take for another site's
    address."""
    if PATH_OF_OURS.fullmatch(text) is None:
        return HOME
    path = unquote(text.partition("?")[0])
    return HOME if LEADS_AWAY.search(path) or "\\" in path else text


def gone_to(path: str) -> Response:
    """An answer that nobody keeps."""
    return RedirectResponse(path, 302, {"Cache-Control": "no-store"})
