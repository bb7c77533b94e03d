"""Flux's wording: the error envelope, which status and code a refusal has, JSON answers."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.types import Scope

from api.credentials.shown import Lack
from api.door.json_text import json_bytes
from api.door.limits import RateKind
from api.door.spelling import in_words, spelled
from api.flux.spelling import spell
from sim.refusals import Refusal, Refused

RETRY_AFTER_S = 1

STATUSES: dict[Refusal, int] = {
    Refusal.UNAUTHENTICATED: 401,
    Refusal.INVALID_CREDENTIALS: 401,
    Refusal.FORBIDDEN: 403,
    Refusal.INVALID_REQUEST: 400,
    Refusal.INVALID_EMAIL: 400,
    Refusal.INVALID_PASSWORD: 400,
    Refusal.INVALID_ORDER: 400,
    Refusal.INVALID_AMOUNT: 400,
    Refusal.UNKNOWN_ASSET: 400,
    Refusal.MARKET_NOT_FOUND: 404,
    Refusal.MARKET_NOT_OPEN: 400,
    Refusal.MARKET_HALTED: 409,
    Refusal.PRICE_UNAVAILABLE: 503,
    Refusal.INSUFFICIENT_LIQUIDITY: 400,
    Refusal.INSUFFICIENT_MARGIN: 400,
    Refusal.INSUFFICIENT_BALANCE: 400,
    Refusal.DUPLICATE_CLIENT_ORDER_ID: 409,
    Refusal.IDEMPOTENCY_KEY_REUSED: 409,
    Refusal.TOO_MANY_OPEN_ORDERS: 400,
    Refusal.TOO_MANY_API_KEYS: 409,
    Refusal.API_KEY_NOT_FOUND: 404,
    Refusal.ACCOUNT_NOT_FOUND: 404,
    Refusal.ACCOUNT_ARCHIVED: 409,
    Refusal.TOO_MANY_ACCOUNTS: 409,
    Refusal.ORDER_NOT_FOUND: 404,
    Refusal.ORDER_NOT_OPEN: 409,
    Refusal.AMENDMENT_UNDER_WAY: 409,
    Refusal.LEVERAGE_IN_USE: 409,
    Refusal.ACCOUNT_NOT_FLAT: 409,
    Refusal.INVALID_SCENARIO: 400,
    Refusal.TOO_MANY_SIMULATIONS: 409,
    Refusal.SIMULATION_NOT_FOUND: 404,
    Refusal.SIMULATION_NOT_ENDED: 409,
    Refusal.SIMULATION_ENDED: 409,
    Refusal.NOT_FOUND: 404,
    Refusal.METHOD_NOT_ALLOWED: 405,
    Refusal.PAYLOAD_TOO_LARGE: 413,
    Refusal.UNSUPPORTED_MEDIA_TYPE: 415,
    Refusal.UNKNOWN_HOST: 400,
    Refusal.RATE_LIMITED: 429,
    Refusal.UNAVAILABLE: 503,
    Refusal.INTERNAL_ERROR: 500,
}
CODES: dict[Refusal, str] = {
    Refusal.MARKET_NOT_OPEN: "INVALID_ORDER",
    Refusal.INSUFFICIENT_LIQUIDITY: "INVALID_ORDER",
    Refusal.TOO_MANY_OPEN_ORDERS: "INVALID_ORDER",
    Refusal.INSUFFICIENT_BALANCE: "INSUFFICIENT_MARGIN",
    Refusal.PRICE_UNAVAILABLE: "UNAVAILABLE",
}
"""Causes that Flux's own list has no code for; `details.reason` then names them."""


def refuse(refused: Refused, scope: Scope) -> Response:
    """The error envelope."""
    status = STATUSES[refused.refusal]
    headers = {}
    if status in (429, 503):
        headers["Retry-After"] = str(refused.details.get("retry_after", RETRY_AFTER_S))
    if status == 401:
        headers["WWW-Authenticate"] = challenge(refused)
    if status == 413:
        headers["Connection"] = "close"
    body = {"error": error_of(refused, scope)}
    return Response(json_bytes(body), status, headers, "application/json")


def challenge(refused: Refused) -> str:
    """RFC 6750: what was wrong with the token, where one was sent."""
    if refused.details.get("reason") in (None, Lack.MISSING):
        return "Bearer"
    return f'Bearer error="invalid_token", error_description="{in_words(refused.message, spell)}"'


def error_of(refused: Refused, scope: Scope) -> dict[str, Any]:
    """What stands inside the envelope."""
    code = code_of(refused.refusal, scope)
    message, details = spelled(refused, spell)
    if isinstance(details.get("orderId"), int):
        details["orderId"] = f"order_{details['orderId']}"
    if code != refused.refusal and refused.refusal != Refusal.INVALID_REQUEST:
        details["reason"] = refused.refusal.value
    return inside_of(code, message, details)


def error_body(code: str, message: str, details: Mapping[str, Any]) -> dict[str, Any]:
    """The envelope, around what is said already as Flux says it."""
    return {"error": inside_of(code, message, details)}


def inside_of(code: str, message: str, details: Mapping[str, Any]) -> dict[str, Any]:
    """Code and sentence, and what helps where there is something."""
    inside: dict[str, Any] = {"code": code, "message": message}
    return inside | {"details": details} if details else inside


def code_of(refusal: Refusal, scope: Scope) -> str:
    """Flux's code; a request that is not valid where orders are placed is an invalid order."""
    if refusal == Refusal.INVALID_REQUEST and (
        scope["method"] == "POST" and scope["path"] in ("/orders", "/orders/batch")
    ):
        return "INVALID_ORDER"
    return CODES.get(refusal, refusal.value)


def rate_kind(method: str, path: str) -> RateKind:
    """What a request counts as. Those who watch have a budget of their own, so that they see."""
    if path in ("/health", "/metrics"):
        return RateKind.PROBE
    if method in ("GET", "HEAD", "OPTIONS"):
        return RateKind.READ
    if path in ("/account/cancel-after", "/orders/cancel-batch"):
        return RateKind.CANCEL
    if path == "/orders" or path.startswith("/orders/"):
        return RateKind.CANCEL if method == "DELETE" else RateKind.ORDER
    return RateKind.WRITE
