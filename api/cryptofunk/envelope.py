"""This family's wording: the error envelope, and what a request counts as."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.types import Scope

from api.cryptofunk.identifiers import IdKind, uuid_of
from api.cryptofunk.spelling import spell
from api.door.json_text import json_bytes
from api.door.limits import RateKind
from api.door.origins import READS
from api.door.spelling import BRIEF, spelled
from api.door.statuses import STATUSES, headers_of_refusal
from sim.refusals import Refusal, Refused

INVALID_BODY, INVALID_PARAMETERS = "invalid request body", "invalid request parameters"
CONFIG, FAILED = "/api/v1/config", "validation failed"
BRIEFLY: dict[Refusal, str] = {
    Refusal.UNAUTHENTICATED: "authentication required",
    Refusal.FORBIDDEN: "forbidden",
    Refusal.NOT_FOUND: "not found",
    Refusal.METHOD_NOT_ALLOWED: "method not allowed",
    Refusal.PAYLOAD_TOO_LARGE: "request body too large",
    Refusal.UNSUPPORTED_MEDIA_TYPE: "unsupported media type",
    Refusal.RATE_LIMITED: "rate limit exceeded",
    Refusal.UNAVAILABLE: "service unavailable",
    Refusal.INTERNAL_ERROR: "internal server error",
}
CONTEXT = (
    "order_id",
    "decision_id",
    "name",
    "symbol",
    "session_id",
    "backtest_id",
    "status",
    "errors",
    "retry_after",
)
"""What may stand in the envelope beside the documented three."""

LOG_IN = "Send a bearer token or the header X-API-Key: POST /auth/login and POST /auth/api-keys"


def missing(what: str, **named: str) -> Refused:
    """The refusal of what is not there, or not for who asks."""
    return Refused(Refusal.NOT_FOUND, f"No such {what}", {"missing": what, **named})


def malformed(brief: str, sentence: str = "", **context: object) -> Refused:
    """A request that is wrong, in the document's own words."""
    return Refused(Refusal.INVALID_REQUEST, sentence, {BRIEF: brief, **context})


def refuse(refused: Refused, scope: Scope) -> Response:
    """The error envelope: what is wrong in a few words, and in a sentence."""
    status = STATUSES[refused.refusal]
    sentence, details = spelled(refused, spell)
    body: dict[str, Any] = {"error": brief_of(refused, scope)}
    if sentence and "missing" not in details:
        body["details"] = sentence
    field = field_of(details)
    if field:
        body["field"] = field
    body |= {name: details[name] for name in CONTEXT if details.get(name) is not None}
    if isinstance(body.get("order_id"), int):
        body["order_id"] = str(uuid_of(IdKind.ORDER, body["order_id"]))
    headers = headers_of_refusal(refused)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(json_bytes(body), status, headers, "application/json")


def brief_of(refused: Refused, scope: Scope) -> str:
    """What is wrong in a few words."""
    details = refused.details
    if "missing" in details:
        return f"{details['missing']} not found"
    if BRIEF in details:
        return str(details[BRIEF])
    if refused.refusal in BRIEFLY:
        return BRIEFLY[refused.refusal]
    if STATUSES[refused.refusal] == 400:
        if scope["method"] in READS:
            return INVALID_PARAMETERS
        return FAILED if scope["path"] == CONFIG and "errors" in details else INVALID_BODY
    return refused.refusal.value.lower().replace("_", " ")


def field_of(details: Mapping[str, Any]) -> str:
    """The field that is wrong; of several the first."""
    errors = details.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    found = details.get("field") or (first.get("field") if isinstance(first, dict) else None)
    return str(found or "")


def error_body(code: str, message: str, details: Mapping[str, Any]) -> dict[str, Any]:
    """The envelope as the document shows it: the few words are the code."""
    return {"error": code, **({"details": message} if message else {}), **details}


def rate_kind(method: str, path: str) -> RateKind:
    """What a request counts as."""
    if path == "/api/v1/health":
        return RateKind.PROBE
    if method in READS:
        return RateKind.READ
    if path.startswith("/api/v1/orders"):
        return RateKind.CANCEL if method == "DELETE" else RateKind.ORDER
    if path.startswith("/api/v1/backtest"):
        return RateKind.ORDER
    return RateKind.WRITE
