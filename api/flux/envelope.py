"""Flux's wording: the error envelope, which status and code a refusal has, JSON answers."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.types import Scope

from api.credentials.shown import Lack
from api.door.json_text import json_bytes
from api.door.limits import RateKind
from api.door.spelling import in_words, spelled
from api.door.statuses import STATUSES, headers_of_refusal
from api.flux.spelling import spell
from sim.refusals import Refusal, Refused

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
    status, headers = STATUSES[refused.refusal], headers_of_refusal(refused)
    if status == 401:
        headers["WWW-Authenticate"] = challenge(refused)
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
