"""Authentication: register, log in, be a guest."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.desk.identity import Identity, become_guest, log_in, register
from api.flux.answers import TokenAnswer, UserAnswer
from api.flux.describing import documented
from api.flux.envelope import reply
from api.flux.schemas import Credentials
from api.front import call_of
from api.routing import ExactRoute, services_of
from api.security import user_id_text

router = APIRouter(route_class=ExactRoute, tags=["Authentication"])


@router.post(
    "/auth/register",
    summary="Register",
    description="The same e-mail and password again is the same user.",
    **documented(201, UserAnswer, public=True),
)
async def post_register(credentials: Credentials, request: Request) -> Response:
    """A new user who may trade."""
    address = call_of(request.scope).address
    user_id = await register(identity_of(request), address, credentials.email, credentials.password)
    return reply(UserAnswer(user_id=user_id_text(user_id)), 201)


@router.post("/auth/login", summary="Log in", **documented(200, TokenAnswer, 401, public=True))
async def post_login(credentials: Credentials, request: Request) -> Response:
    """A token for the right password."""
    address = call_of(request.scope).address
    user_id = await log_in(identity_of(request), address, credentials.email, credentials.password)
    return reply(token_for(request, user_id))


@router.post("/auth/guest", summary="Be a guest", **documented(201, TokenAnswer, public=True))
async def post_guest(request: Request) -> Response:
    """A throw-away user with a token and no password."""
    user_id = await become_guest(services_of(request).pool)
    return reply(token_for(request, user_id), 201)


def identity_of(request: Request) -> Identity:
    """What logging in needs of this process."""
    services = services_of(request)
    return Identity(services.pool, services.passwords, services.logins)


def token_for(request: Request, user_id: int) -> TokenAnswer:
    """A fresh token."""
    tokens = services_of(request).tokens
    return TokenAnswer(
        token=tokens.issue(user_id), user_id=user_id_text(user_id), expires_in=tokens.ttl_s
    )
