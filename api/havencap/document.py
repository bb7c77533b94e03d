"""What the document says of the trading app beside the schemas."""

from api.door.content_type import NOT_JSON
from api.door.openapi import Schema, Words
from api.door.refusal_examples import Errors
from api.door.statuses import STATUSES
from api.havencap.answers import AppErrorAnswer
from api.havencap.envelope import LOG_IN, error_body

USUAL: dict[int, tuple[str, str, str]] = {
    400: ("The request is not valid", "400", "Say what changes: role, status or both"),
    401: ("Who asks is not known", "401", LOG_IN),
    403: ("The role does not suffice", "403", "The role TRADER may not do this"),
    404: ("There is no such thing, or not for you", "404", "No such user"),
    409: ("Not in this state", "409", "This is the last active ADMIN: make another one first"),
    413: ("The body is too large", "413", "A body may have at most 65536 bytes"),
    415: ("The body is not called JSON", "415", NOT_JSON),
    429: (
        "Too many requests",
        "429",
        "At most 100 requests in 1 s are allowed; try again in 1 s",
    ),
    500: ("Our fault", "500", "Something went wrong on our side"),
    503: ("Try again after Retry-After", "503", "The exchange's database is away"),
}

ERRORS = Errors(AppErrorAnswer, error_body, STATUSES, USUAL)

SECURITY_SCHEMES: dict[str, Schema] = {
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "auth_token",
        "description": "Set by `POST /api/auth/login`",
    },
}

FIELDS = {
    "accessToken": "The token in the cookie; Flux's routes take it as bearer.",
    "user": "Who it is.",
    "users": "Everybody.",
    "user_id": "The user's id.",
    "Person.createdAt": "When they registered.",
    "Person.role": "What they may do: each role may do what those before it may.",
    "PersonWithStatus.createdAt": "When they registered.",
    "PersonWithStatus.role": "What they may do: each role may do what those before it may.",
    "PersonWithStatus.status": "PENDING waits for an ADMIN, ACTIVE may come in, DISABLED may not.",
    "PersonChange.role": "What they may do from now on.",
    "PersonChange.status": "Whether they may come in.",
    "callbackUrl": "Where to go then: a path of this site.",
    "AppErrorAnswer.error": "What is wrong, in a sentence.",
    "AppErrorAnswer.code": "The HTTP status.",
    "JoinedAnswer.accessToken": "Of the first who joins: their token.",
    "JoinedAnswer.message": "To everybody later: they wait for an ADMIN.",
    "MessageAnswer.message": "What was done.",
}

TAGS = {"Trading app: people": "Browsers log in with a cookie; ADMINs approve who joins."}

OPERATION_IDS = {
    "post_join": "join",
    "post_app_login": "logInToApp",
    "post_app_logout": "logOutOfApp",
    "post_app_refresh": "refreshLogin",
    "get_app_refresh": "refreshLoginAndGoOn",
    "get_people": "getUsers",
    "patch_person": "changeUser",
}

WORDS = Words("api.havencap", FIELDS, {}, SECURITY_SCHEMES, TAGS, OPERATION_IDS)
