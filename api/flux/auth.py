"""Authentication: register, log in, stay logged in, log out, be a guest."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.credentials.tokens import user_id_text
from api.desk import sessions as desk
from api.desk.identity import become_guest, log_in, register
from api.door.answers import reply
from api.door.callers import WithoutKey
from api.door.describing import Door, documented
from api.door.front import call_of
from api.door.routing import ExactRoute, services_of
from api.flux.answers import LoggedOutAnswer, LoginAnswer, TokenAnswer, UserAnswer
from api.flux.schemas import Credentials, RefreshSent

LOGGED_OUT = "LOGGED_OUT"

router = APIRouter(route_class=ExactRoute, tags=["Authentication"])


@router.post(
    "/auth/register",
    summary="Register",
    description="The same e-mail and password again is the same user.",
    **documented(201, UserAnswer, 403, opens=Door.NOTHING),
)
async def post_register(
    credentials: Credentials, without_key: WithoutKey, request: Request
) -> Response:
    """A new user who may trade."""
    address = call_of(request.scope).address
    registered = await register(
        services_of(request).identity, address, credentials.email, credentials.password
    )
    return reply(UserAnswer(user_id=user_id_text(registered.user_id)), 201)


@router.post(
    "/auth/login", summary="Log in", **documented(200, LoginAnswer, 401, 403, opens=Door.NOTHING)
)
async def post_login(
    credentials: Credentials, without_key: WithoutKey, request: Request
) -> Response:
    """Tokens for the right password."""
    address = call_of(request.scope).address
    services = services_of(request)
    user = await log_in(services.identity, address, credentials.email, credentials.password)
    return reply(login_answer(request, await desk.begin(services.sessions, user.user_id)))


@router.post(
    "/auth/refresh",
    summary="Stay logged in",
    **documented(200, LoginAnswer, 401, 403, opens=Door.NOTHING),
)
async def post_refresh(sent: RefreshSent, without_key: WithoutKey, request: Request) -> Response:
    """The next token and the next refresh token; the one that is sent is used up. Sent again
    within 10 s it gets the same successor, unless that has been used; later, or then, it ends the
    login: somebody else has it too."""
    return reply(
        login_answer(request, await desk.refresh(services_of(request).sessions, sent.refresh_token))
    )


@router.post(
    "/auth/logout", summary="Log out", **documented(200, LoggedOutAnswer, 403, opens=Door.NOTHING)
)
async def post_logout(sent: RefreshSent, without_key: WithoutKey, request: Request) -> Response:
    """Ends the login with all its tokens. Again is the same."""
    await desk.log_out(services_of(request).sessions, sent.refresh_token)
    return reply(LoggedOutAnswer(status=LOGGED_OUT))


@router.post(
    "/auth/guest", summary="Be a guest", **documented(201, TokenAnswer, 403, opens=Door.NOTHING)
)
async def post_guest(without_key: WithoutKey, request: Request) -> Response:
    """A throw-away user with a token and no password; without a trade it is gone after a day."""
    user_id = await become_guest(services_of(request).identity, call_of(request.scope).address)
    tokens = services_of(request).tokens
    answer = TokenAnswer(
        token=tokens.issue(user_id), user_id=user_id_text(user_id), expires_in=tokens.ttl_s
    )
    return reply(answer, 201)


def login_answer(request: Request, logged_in: desk.LoggedIn) -> LoginAnswer:
    """Both tokens, and how long they live."""
    services = services_of(request)
    return LoginAnswer(
        token=logged_in.token,
        user_id=user_id_text(logged_in.user_id),
        expires_in=services.tokens.ttl_s,
        refresh_token=logged_in.refresh_token,
        refresh_expires_in=services.refreshing.ttl_s,
    )
