"""What the OpenAPI document says of an operation: every status, each with an example."""

from collections.abc import Iterator, Mapping
from copy import copy
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

from fastapi.routing import APIRoute
from pydantic import BaseModel

from api.door.origins import READS
from api.door.refusal_examples import Errors, Example
from sim.refusals import Refusal

Responses = dict[int | str, dict[str, Any]]
"""By status, as FastAPI takes them."""

REFUSED = "refused"
"""Marks an answer that is for the family to word: in the route's own words, where it has some."""

UNWORDED: dict[str, Any] = {REFUSED: None}
LISTED = {"listed": True}
"""Added to what a route lists among its refusals: the document has those in order of status, and
behind them what else the route answers."""

ALWAYS = (
    Refusal.INVALID_REQUEST,
    Refusal.RATE_LIMITED,
    Refusal.INTERNAL_ERROR,
    Refusal.UNAVAILABLE,
)
OF_BODIES = (Refusal.PAYLOAD_TOO_LARGE, Refusal.UNSUPPORTED_MEDIA_TYPE)
"""What reads do not answer."""

OF_CREDENTIALS = (Refusal.UNAUTHENTICATED, Refusal.FORBIDDEN)
"""What the door refuses whatever is asked; each family has its own status for it."""
RATE_HEADERS = {
    "X-Request-Id": {
        "description": "Yours, where you sent one, else ours: it stands in the log",
        "schema": {"type": "string"},
    },
    "X-RateLimit-Limit": {
        "description": "How many requests of this kind are allowed in the window",
        "schema": {"type": "integer"},
    },
    "X-RateLimit-Remaining": {
        "description": "How many are left of it",
        "schema": {"type": "integer"},
    },
    "X-RateLimit-Reset": {
        "description": "When the next window begins, in seconds since 1970",
        "schema": {"type": "integer"},
    },
}
CURSOR_HEADER = {
    "X-Next-Cursor": {
        "description": "The `cursor` of the next page; absent on the last one",
        "schema": {"type": "string"},
    }
}


class Door(Enum):
    """What a caller has to show before a route does anything."""

    NOTHING = auto()
    SESSION = auto()
    SESSION_OR_KEY = auto()
    LOGIN = auto()
    LOGIN_OR_KEY = auto()
    APP_TOKEN = auto()


SCHEMES: dict[Door, list[dict[str, list[str]]]] = {
    Door.NOTHING: [],
    Door.SESSION: [{"bearer": []}],
    Door.SESSION_OR_KEY: [{"bearer": []}, {"apiKey": []}],
    Door.LOGIN: [{"cookie": []}, {"bearer": []}],
    Door.LOGIN_OR_KEY: [{"cookie": []}, {"bearer": []}, {"apiKey": []}],
    Door.APP_TOKEN: [{"appToken": []}],
}


def documented(
    status: int,
    answer: type[BaseModel] | None,
    *refusals: int,
    many: bool = False,
    cursor: bool = False,
    opens: Door = Door.SESSION_OR_KEY,
    instead: Responses | None = None,
    example: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Keyword arguments of a route: its success, and the refusals beside the usual ones.

    `opens`: what has to be shown. `instead` documents answers that are no refusals, and refusals
    that the route words itself, `example` a success that is not the model's own.
    """
    said = instead or {}
    listed: Responses = {refused: said.get(refused, UNWORDED) | LISTED for refused in refusals}
    responses = {} if answer is None else success(status, answer, many, cursor, example)
    return {
        "status_code": status,
        "response_model": None,
        "responses": responses | said | listed,
        "openapi_extra": {"security": SCHEMES[opens]} if SCHEMES[opens] else {},
    }


def success(
    status: int,
    answer: type[BaseModel],
    many: bool = False,
    cursor: bool = False,
    example: dict[str, Any] | None = None,
) -> Responses:
    """What a route answers that did what it was asked; a second one for its `instead`."""
    return {
        status: {
            "model": list[answer] if many else answer,  # type: ignore[valid-type]
            "description": (answer.__doc__ or "").splitlines()[0],
            "headers": {**RATE_HEADERS, **(CURSOR_HEADER if cursor else {})},
            "content": {"application/json": {"example": example or example_of(answer, many)}},
        }
    }


def example_of(answer: type[BaseModel], many: bool) -> Any:
    """The example that the model carries."""
    extra: Any = answer.model_config.get("json_schema_extra") or {}
    example = extra["examples"][0]
    return [example] if many else example


def refusal(status: int, code: str, message: str) -> Responses:
    """A refusal that a route words itself, for its `instead`."""
    return {status: {REFUSED: (code, message, {})}}


def with_refusals(route: APIRoute, errors: Errors, examples: Mapping[int, Example]) -> APIRoute:
    """The route as the document knows it: what it answers, and all that it refuses, as the family
    that answers for it words that.

    examples   of the operation, by status
    """
    said = route.responses.items()
    numbers = {int(status) for status, response in said if LISTED.items() <= response.items()}
    numbers |= {errors.statuses[usual] for usual in usually_refused(route)}
    shown: Responses = {route.status_code or HTTPStatus.OK: {}}
    shown |= dict.fromkeys(sorted(numbers), UNWORDED)
    shown |= said
    for status, response in shown.items():
        if REFUSED in response:
            own, example = response[REFUSED], examples.get(int(status))
            shown[status] = refused(int(status), own, errors, example)
    return answering(route, shown)


def usually_refused(route: APIRoute) -> Iterator[Refusal]:
    """What every route refuses that is like it."""
    yield from ALWAYS
    if (route.methods or set()) - READS:
        yield from OF_BODIES
    if (route.openapi_extra or {}).get("security"):
        yield from OF_CREDENTIALS


def refused(
    status: int, own: Example | None, errors: Errors, example: Example | None
) -> dict[str, Any]:
    """The answer with a refusal: in the route's own words where it has some, and with the
    operation's example where there is one."""
    description, code, message = errors.usual[status]
    if own is not None:
        description, (code, message, _) = own[1], own
    body = errors.body(*(example or (code, message, {})))
    return {
        "model": errors.model,
        "description": description,
        "content": {"application/json": {"example": body}},
    }


def answering(route: APIRoute, responses: Responses) -> APIRoute:
    """A route that is documented to answer this; FastAPI makes fields of the models."""
    other = copy(route)
    other.responses = responses
    other.response_fields = APIRoute(
        route.path, route.endpoint, methods=route.methods, responses=responses
    ).response_fields
    return other
