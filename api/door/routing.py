"""How a request becomes the arguments of an endpoint.

Endpoints are declared as FastAPI wants them, and FastAPI documents them. Their
arguments are bound here, once at start, instead of being solved per request:
that keeps the exact text of numbers, answers 400 in the family's own words, and
takes a tenth of the time.
"""

import inspect
from collections.abc import Awaitable, Callable
from types import UnionType
from typing import Annotated, Any, Protocol, get_args, get_origin, get_type_hints, runtime_checkable
from urllib.parse import parse_qsl

from fastapi import params
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from api.door.content_type import fault_of
from api.door.front import call_of
from api.door.limits import RateKind, too_many
from api.door.origins import READS
from api.door.services import Services
from api.exact_json import NotJson, read_json
from sim.refusals import Refusal, Refused

QUERY_FIELDS_MAX = 20
NO_BODY = "The body is missing: it must be a JSON object"

Argument = Callable[[Request], Awaitable[Any]]


@runtime_checkable
class AsksForRows(Protocol):
    """A query for a page, which costs as much as it may have rows."""

    @property
    def rows(self) -> int:
        """The most that it may have."""


class ExactRoute(APIRoute):
    """An APIRoute that binds path, query, header, body and dependencies by itself."""

    reads_body = False
    """Whether the endpoint reads a body of whatever type by itself."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """The endpoint with its arguments bound."""
        endpoint: Callable[..., Awaitable[Response]] = self.endpoint
        arguments = bind(endpoint)
        takes_query = any(isinstance(kind, params.Query) for kind in kinds_of(endpoint))
        writes = bool((self.methods or set()) - READS)
        writes_without_body = writes and self.body_field is None and not self.reads_body

        async def handle(request: Request) -> Response:
            if request.scope["query_string"] and not takes_query:
                read_query_pairs(request)
            if writes_without_body and await request.body():
                check_is_json(request)
            values = {name: await argument(request) for name, argument in arguments.items()}
            return await endpoint(**values)

        return handle


def bind(endpoint: Callable[..., Any]) -> dict[str, Argument]:
    """For each parameter of the endpoint, where its value comes from.

    Dependencies come first: who asks is settled before what is asked is read.
    """
    hints = get_type_hints(endpoint, include_extras=True)
    names = sorted(
        inspect.signature(endpoint).parameters, key=lambda name: not depends(hints[name])
    )
    return {name: argument_of(name, hints[name]) for name in names}


def depends(hint: Any) -> bool:
    """True for a parameter that a dependency yields."""
    return any(isinstance(extra, params.Depends) for extra in get_args(hint))


def kinds_of(endpoint: Callable[..., Any]) -> list[Any]:
    """What the parameters' annotations say beside their types."""
    hints = get_type_hints(endpoint, include_extras=True).values()
    return [extra for hint in hints if get_origin(hint) is Annotated for extra in get_args(hint)]


def argument_of(name: str, hint: Any) -> Argument:
    """The source of one argument, by its annotation."""
    if hint is Request:
        return the_request
    if inspect.isclass(hint) and issubclass(hint, BaseModel):
        return body_of(hint)
    if (model := model_or_none(hint)) is not None:
        return optional_body_of(model)
    plain, *extras = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    for extra in extras:
        if isinstance(extra, params.Depends):
            assert extra.dependency is not None
            return dependency_of(extra.dependency)
        if isinstance(extra, params.Query):
            return query_of(plain)
        if isinstance(extra, params.Header):
            return header_of(str(extra.alias), TypeAdapter[Any](hint))
    return path_of(name)


def dependency_of(dependency: Callable[..., Awaitable[Any]]) -> Argument:
    """What a dependency yields, with its own arguments bound as an endpoint's are."""
    arguments = bind(dependency)
    if list(arguments.values()) == [the_request]:
        return dependency

    async def read(request: Request) -> Any:
        values = {name: await argument(request) for name, argument in arguments.items()}
        return await dependency(**values)

    return read


async def the_request(request: Request) -> Request:
    """The request itself."""
    return request


def path_of(name: str) -> Argument:
    """A piece of the path, as text."""

    async def read(request: Request) -> Any:
        return request.path_params[name]

    return read


def header_of(alias: str, adapter: TypeAdapter[Any]) -> Argument:
    """A request header, or None; one that stands twice is one list, as HTTP has it."""

    async def read(request: Request) -> Any:
        values = request.headers.getlist(alias)
        if not values:
            return None
        try:
            return adapter.validate_python(", ".join(values))
        except ValidationError as error:
            raise invalid(error, alias) from None

    return read


def body_of(model: type[BaseModel]) -> Argument:
    """The JSON body as a model."""

    async def read(request: Request) -> Any:
        body = await request.body()
        if not body:
            raise Refused(Refusal.INVALID_REQUEST, NO_BODY)
        check_is_json(request)
        try:
            return model.model_validate(read_json(body))
        except NotJson as error:
            raise Refused(Refusal.INVALID_REQUEST, str(error)) from None
        except ValidationError as error:
            raise invalid(error) from None

    return read


def check_is_json(request: Request) -> None:
    """Raises Refused for a body of any other type: a foreign page can send those unasked."""
    fault = fault_of(request.scope["headers"])
    if fault is not None:
        raise Refused(Refusal.UNSUPPORTED_MEDIA_TYPE, fault)


def model_or_none(hint: Any) -> type[BaseModel] | None:
    """The model of a body that may be missing."""
    kinds = get_args(hint) if get_origin(hint) is UnionType else ()
    models = [kind for kind in kinds if inspect.isclass(kind) and issubclass(kind, BaseModel)]
    return models[0] if models else None


def optional_body_of(model: type[BaseModel]) -> Argument:
    """The JSON body as a model, or None where there is none."""
    read_body = body_of(model)

    async def read(request: Request) -> Any:
        return await read_body(request) if await request.body() else None

    return read


def query_of(model: type[BaseModel]) -> Argument:
    """The query string as a model."""

    async def read(request: Request) -> Any:
        try:
            asked = model.model_validate(read_query_pairs(request))
        except ValidationError as error:
            raise invalid(error) from None
        if isinstance(asked, AsksForRows):
            requests = services_of(request).rates.requests_of(asked.rows)
            count_more(request, RateKind.READ, requests - 1)
        return asked

    return read


def count_more(request: Request, kind: RateKind, more: int) -> None:
    """Count a request that costs as much as several as so many more. Raises Refused."""
    call = call_of(request.scope)
    call.window = services_of(request).rates.hit(kind, call.principal, more)
    if not call.window.allowed:
        raise too_many(call.window)


def read_query_pairs(request: Request) -> dict[str, str]:
    """The query string's fields; Refused where one is given twice, there are too many, or it
    is not UTF-8."""
    try:
        text = request.scope["query_string"].decode()
        pairs = parse_qsl(text, True, errors="strict", max_num_fields=QUERY_FIELDS_MAX)
    except UnicodeDecodeError:
        raise Refused(Refusal.INVALID_REQUEST, "The query is not UTF-8") from None
    except ValueError:
        raise Refused(Refusal.INVALID_REQUEST, "The query has too many fields") from None
    if "\0" in text or "%00" in text:
        raise Refused(Refusal.INVALID_REQUEST, "The query has the character NUL in it")
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused(Refusal.INVALID_REQUEST, "The query names a field twice")
    return found


def invalid(error: ValidationError, within: str = "") -> RequestValidationError:
    """The findings as the error that every family knows how to word."""
    findings = error.errors(include_url=False, include_input=False)
    if within:
        findings = [{**finding, "loc": (within, *finding["loc"])} for finding in findings]
    return RequestValidationError(findings)


def services_of(request: Request) -> Services:
    """What this process works with."""
    services: Services = request.scope["app"].state.services
    return services
