"""API keys: for bots, which cannot log in every quarter of an hour."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.desk import api_keys as desk
from api.desk.identifiers import api_key_id_text, parse_api_key_id
from api.door.answers import milliseconds, reply, reply_page
from api.door.callers import IdempotencyKey, LoggedIn
from api.door.describing import Door, documented, refusal
from api.door.routing import ExactRoute, services_of
from api.flux.answers import ApiKeyAnswer, NewApiKeyAnswer, RevokedAnswer
from api.flux.schemas import ApiKeySent
from storage.people.api_keys import API_KEYS_MAX, ApiKey, api_keys

REVOKED = "REVOKED"
SHOWN_PREFIX = "sandpit_{}"
FULL = refusal(
    409,
    "TOO_MANY_API_KEYS",
    f"A user may have at most {API_KEYS_MAX} API keys; revoke one first",
)
MISSING = refusal(404, "API_KEY_NOT_FOUND", "No such API key")

router = APIRouter(route_class=ExactRoute, tags=["API keys"])


@router.post(
    "/auth/api-keys",
    summary="Make an API key",
    **documented(201, NewApiKeyAnswer, opens=Door.SESSION, instead=FULL),
)
async def post_api_key(
    sent: ApiKeySent, caller: LoggedIn, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """`key` goes into the header `X-API-Key` of every request, instead of a bearer token. It is
    shown this once: the same request again with the same `Idempotency-Key` makes no second key
    and is 409 `IDEMPOTENCY_KEY_REUSED`, with the first one's `apiKeyId`. A key never opens more
    than TRADERs may do, nor login, keys and admin routes.
    """
    wish = desk.KeyWish(sent.name, frozenset(sent.scopes), sent.expires_in_s)
    key, text = await desk.make(services_of(request).pool, caller.user_id, wish, idempotency_key)
    return reply(NewApiKeyAnswer(**fields_of(key), key=text), 201)


@router.get(
    "/auth/api-keys",
    summary="API keys",
    **documented(200, ApiKeyAnswer, many=True, opens=Door.SESSION),
)
async def get_api_keys(caller: LoggedIn, request: Request) -> Response:
    """One's own, newest first."""
    keys = await api_keys(services_of(request).pool, caller.user_id)
    return reply_page([ApiKeyAnswer(**fields_of(key)) for key in keys])


@router.delete(
    "/auth/api-keys/{key_id}",
    summary="Revoke an API key",
    **documented(200, RevokedAnswer, opens=Door.SESSION, instead=MISSING),
)
async def delete_api_key(key_id: str, caller: LoggedIn, request: Request) -> Response:
    """It opens nothing any more."""
    services = services_of(request)
    await desk.revoke(services.pool, services.keys, caller.user_id, parse_api_key_id(key_id))
    return reply(RevokedAnswer(id=key_id, status=REVOKED))


def fields_of(key: ApiKey) -> dict[str, Any]:
    """What is told of a key after it was made."""
    return {
        "id": api_key_id_text(key.key_id),
        "name": key.name,
        "prefix": SHOWN_PREFIX.format(key.prefix),
        "scopes": sorted(key.scopes),
        "created_at": key.created_at_us // 1_000,
        "expires_at": milliseconds(key.expires_at_us),
        "last_used_at": milliseconds(key.last_used_at_us),
    }
