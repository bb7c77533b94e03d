"""What the OpenAPI document says of an operation: every status, each with an example."""

from enum import Enum, auto
from typing import Any

from pydantic import BaseModel

from api.door.answers import ErrorAnswer
from api.door.content_type import NOT_JSON

EXAMPLES: dict[int, tuple[str, str, str]] = {
    400: ("The request is not valid", "INVALID_REQUEST", "quantity: must be a plain decimal"),
    401: (
        "Who asks is not known",
        "UNAUTHENTICATED",
        "This bearer token has expired: refresh it or log in again",
    ),
    403: ("The role does not suffice", "FORBIDDEN", "The role VIEWER may not do this"),
    404: ("There is no such thing, or not for you", "ORDER_NOT_FOUND", "No such order"),
    409: ("Not in this state", "ORDER_NOT_OPEN", "The order is not open any more"),
    413: ("The body is too large", "PAYLOAD_TOO_LARGE", "A body may have at most 65536 bytes"),
    415: (
        "The body is not called JSON",
        "UNSUPPORTED_MEDIA_TYPE",
        NOT_JSON,
    ),
    429: (
        "Too many requests",
        "RATE_LIMITED",
        "At most 100 requests in 1 s are allowed; try again in 1 s",
    ),
    500: ("Our fault", "INTERNAL_ERROR", "Something went wrong on our side"),
    503: ("Try again after Retry-After", "UNAVAILABLE", "The exchange's database is away"),
}
ALWAYS = (400, 413, 415, 429, 500, 503)
AUTHENTICATED = (401, 403)

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


SCHEMES: dict[Door, list[dict[str, list[str]]]] = {
    Door.NOTHING: [],
    Door.SESSION: [{"bearer": []}],
    Door.SESSION_OR_KEY: [{"bearer": []}, {"apiKey": []}],
}


def documented(
    status: int,
    answer: type[BaseModel],
    *refusals: int,
    many: bool = False,
    cursor: bool = False,
    opens: Door = Door.SESSION_OR_KEY,
    instead: dict[int | str, dict[str, Any]] | None = None,
    example: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Keyword arguments of a route: its success, and the refusals beside the usual ones.

    `opens`: what has to be shown. `instead` documents answers that are not the error envelope,
    `example` a success that is not the model's own.
    """
    responses = success(status, answer, many, cursor, example)
    statuses = (*ALWAYS, *(AUTHENTICATED if SCHEMES[opens] else ()), *refusals)
    responses.update({refused: refusal_answer(refused) for refused in sorted(set(statuses))})
    extra: dict[str, Any] = {"security": SCHEMES[opens]} if SCHEMES[opens] else {}
    responses |= instead or {}
    return {
        "status_code": status,
        "response_model": None,
        "responses": responses,
        "openapi_extra": extra,
    }


def success(
    status: int,
    answer: type[BaseModel],
    many: bool = False,
    cursor: bool = False,
    example: dict[str, Any] | None = None,
) -> dict[int | str, dict[str, Any]]:
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


def refusal(status: int, code: str, message: str) -> dict[int | str, dict[str, Any]]:
    """A refusal that a route words itself, for its `instead`."""
    return {status: described(message, code, message)}


def refusal_answer(status: int) -> dict[str, Any]:
    """The refusal that every route has at this status."""
    return described(*EXAMPLES[status])


def described(description: str, code: str, message: str) -> dict[str, Any]:
    """The error envelope with an example."""
    example = {"error": {"code": code, "message": message}}
    return {
        "model": ErrorAnswer,
        "description": description,
        "content": {"application/json": {"example": example}},
    }
