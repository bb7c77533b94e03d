"""The trading app's wording: the error envelope, and what a request counts as."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response
from starlette.types import Scope

from api.credentials.shown import Lack
from api.desk.identifiers import order_id_text
from api.door.json_text import json_bytes
from api.door.limits import RateKind
from api.door.spelling import in_words, spelled
from api.door.statuses import STATUSES, headers_of_refusal
from api.havencap.spelling import spell
from sim.refusals import Refused

LOG_IN = "Log in first: POST /api/auth/login sets the cookie"


def refuse(refused: Refused, scope: Scope) -> Response:
    """The error envelope: a sentence, and the status as text."""
    status = STATUSES[refused.refusal]
    message, details = spelled(refused, spell)
    message = sentence_of(details.get("errors", [])) or message
    field = details.get("field")
    if isinstance(field, str) and field not in message:
        message = f"{field}: {message}"
    if isinstance(details.get("orderId"), int):
        message = f"{message}: {order_id_text(details['orderId'])}"
    if isinstance(details.get("droidId"), int):
        message = f"{message}: droid {details['droidId']}"
    if refused.details.get("reason") == Lack.MISSING:
        message = LOG_IN
    body = error_body(str(status), message, {})
    return Response(json_bytes(body), status, headers_of_refusal(refused), "application/json")


def sentence_of(errors: Sequence[Mapping[str, str]]) -> str | None:
    """All that is wrong with the fields of a body, where that is more than one."""
    if len(errors) < 2 or not all(one["field"] for one in errors):
        return None
    return in_words("; ".join(f"{one['field']}: {one['message']}" for one in errors), spell)


def error_body(code: str, message: str, details: Mapping[str, Any]) -> dict[str, Any]:
    """The envelope has no room for details: its sentences name what helps."""
    return {"error": message, "code": code}


def rate_kind(method: str, path: str) -> RateKind:
    """What a request counts as."""
    if method in ("GET", "HEAD", "OPTIONS"):
        return RateKind.READ
    if path.startswith("/api/orders"):
        return RateKind.CANCEL if method == "DELETE" else RateKind.ORDER
    return RateKind.WRITE
