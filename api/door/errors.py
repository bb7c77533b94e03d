"""Every exception a handler may raise, as a Refused that its family then words."""

from typing import cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Mount, Route

from api.door.families import Families
from api.door.findings import first_of
from sim.refusals import Name, Refusal, Refused
from storage.errors import OutcomeUnknown, StorageError

OUTCOME_UNKNOWN = (
    "The connection to the database was lost while this was being stored: it may or may not have"
    f" happened. Send the same request again with the same {Name.CLIENT_ORDER_ID} or"
    f" Idempotency-Key to find out; without one, look at {Name.LIST_ORDERS} first"
)
NO_SUCH_PATH = "There is nothing here"
BY_STATUS = {404: Refusal.NOT_FOUND, 405: Refusal.METHOD_NOT_ALLOWED}


def install(app: FastAPI) -> None:
    """Make the families answer everything that goes wrong below the front."""
    for kind in (Refused, StorageError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, answer)


async def answer(request: Request, error: Exception) -> Response:
    """The answer of the family that the request belongs to."""
    families: Families = request.app.state.families
    response = families.of(request.scope).refuse(as_refused(error), request.scope)
    if response.status_code != 405:
        return response
    allow = {"Allow": ", ".join(sorted(methods_of(request)))}
    if request.method == "OPTIONS":
        return Response(None, 204, allow)
    response.headers.update(allow)
    return response


def methods_of(request: Request) -> set[str]:
    """Every method that the path knows: whoever knows GET knows HEAD, and all know OPTIONS."""
    matching = [
        route
        for route in request.app.routes
        if isinstance(route, Route | Mount) and route.matches(request.scope)[0] != Match.NONE
    ]
    found = {method for route in matching for method in getattr(route, "methods", None) or {"GET"}}
    return found | {"OPTIONS"} | ({"HEAD"} if "GET" in found else set())


def as_refused(error: Exception) -> Refused:
    """The refusal that says the same."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, OutcomeUnknown):
        return Refused(Refusal.UNAVAILABLE, OUTCOME_UNKNOWN, {"outcome": "unknown"})
    if isinstance(error, StorageError):
        return Refused(Refusal.UNAVAILABLE, "The exchange's database is away; try again shortly")
    if isinstance(error, RequestValidationError):
        sentence, errors = first_of(error.errors())
        return Refused(Refusal.INVALID_REQUEST, sentence, {"errors": errors})
    status = cast(HTTPException, error).status_code
    refusal = BY_STATUS.get(status, Refusal.INVALID_REQUEST)
    sentences = {
        Refusal.NOT_FOUND: NO_SUCH_PATH,
        Refusal.METHOD_NOT_ALLOWED: "This path does not know that method",
    }
    return Refused(refusal, sentences.get(refusal, "The request is not valid"))
