"""The token with which a user's programs read the explorer."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.desk import app_tokens as desk
from api.door.answers import reply
from api.door.callers import IdempotencyKey, LoggedIn
from api.door.describing import Door, documented
from api.door.routing import ExactRoute, services_of
from api.havencap.answers import AppTokenAnswer, MessageAnswer, NewAppTokenAnswer
from api.havencap.spelling import iso_milliseconds
from storage.people.app_tokens import app_token_created_us, revoke_app_token

REVOKED = "Token revoked"

router = APIRouter(route_class=ExactRoute, tags=["Trading app: explorer"])


@router.get(
    "/api/user/token",
    summary="Whether I have a token",
    **documented(200, AppTokenAnswer, opens=Door.LOGIN),
)
async def get_app_token(caller: LoggedIn, request: Request) -> Response:
    """The token itself was shown when it was made."""
    created_us = await app_token_created_us(services_of(request).pool, caller.user_id)
    if created_us is None:
        return reply(AppTokenAnswer(exists=False))
    return reply(AppTokenAnswer(exists=True, created_at=iso_milliseconds(created_us)))


@router.post(
    "/api/user/token",
    summary="Make a token",
    **documented(201, NewAppTokenAnswer, 409, opens=Door.LOGIN),
)
async def post_app_token(
    caller: LoggedIn, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """It goes into the header `Authorization: Bearer hc_live_…` of the explorer's routes and opens
    nothing else. Shown this once; the token that one had before opens nothing any more."""
    text = await desk.make(services_of(request).pool, caller.user_id, idempotency_key)
    return reply(NewAppTokenAnswer(token=text), 201, {"Cache-Control": "no-store"})


@router.delete(
    "/api/user/token",
    summary="Revoke my token",
    **documented(200, MessageAnswer, opens=Door.LOGIN, example={"message": REVOKED}),
)
async def delete_app_token(caller: LoggedIn, request: Request) -> Response:
    """It opens nothing any more. Again is the same."""
    await revoke_app_token(services_of(request).pool, caller.user_id)
    return reply(MessageAnswer(message=REVOKED))
