"""The OpenAPI document: FastAPI's, with names, order, words and examples that are ours."""

from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.alias_generators import to_camel

from api.door.describing import with_refusals
from api.door.families import Families, is_within
from api.door.json_text import json_bytes
from api.door.refusal_examples import Example

T = TypeVar("T")
Schema = dict[str, Any]
Fields = Mapping[str, str]

NONE: Mapping[str, Any] = MappingProxyType({})


class Words(NamedTuple):
    """What a package of operations says of itself.

    package            whose operations these are
    fields             what they mean, by name or as `Schema.field`
    refusals           examples by operation and status
    security_schemes   the ways to show who asks
    tags               the sections that they stand in, in the order of the document
    operation_ids      what clients generated from the document call an endpoint whose own name
                       would not do
    parts_of_paths     an example of each parameter of a path, by name
    closed_lists       all that a parameter of a path may be, by name, where that is known
    """

    package: str
    fields: Fields = NONE
    refusals: Mapping[str, Mapping[int, Example]] = NONE
    security_schemes: Mapping[str, Schema] = NONE
    tags: Mapping[str, str] = NONE
    operation_ids: Mapping[str, str] = NONE
    parts_of_paths: Mapping[str, str] = NONE
    closed_lists: Mapping[str, Sequence[str]] = NONE


SERVERS = [{"url": "/", "description": "This server"}]

BOUNDS = {
    "ge": "minimum",
    "le": "maximum",
    "gt": "exclusiveMinimum",
    "lt": "exclusiveMaximum",
}
"""Bounds that pydantic leaves in its own words where a field is read by a function of ours."""

NEVER_ANSWERED = ("HTTPValidationError", "ValidationError")


def describe(app: FastAPI, families: Families, said: Sequence[Words]) -> Schema:
    """The document. Made once; of two who describe a name the one whose operation it is is heard,
    else the first."""
    if app.openapi_schema is None:
        routes = [
            shown(route, families, said)
            for route in app.routes
            if isinstance(route, APIRoute) and route.include_in_schema
        ]
        document = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            description=app.description,
            routes=routes,
            servers=SERVERS,
        )
        for route in routes:
            keep_nulls(document, route)
        fields = {route.operation_id or "": fields_of(route, said) for route in routes}
        app.openapi_schema = completed(document, said, fields)
    return app.openapi_schema


@cache
def document_of(app: FastAPI) -> bytes:
    """The document as it is sent."""
    return json_bytes(app.openapi())


def shown(route: APIRoute, families: Families, said: Sequence[Words]) -> APIRoute:
    """A route with its operation's name, and with the refusals of the family that answers."""
    operation_id = operation_id_of(route.endpoint, said)
    errors = families.of_endpoint(route.endpoint, route.path).errors
    examples = joined(words.refusals for words in said).get(operation_id, {})
    other = with_refusals(route, errors, examples)
    other.operation_id = operation_id
    return other


def keep_nulls(document: Schema, route: APIRoute) -> None:
    """FastAPI drops what is null in an example, as if the answer did not have it."""
    for method in route.methods or ():
        told = document["paths"][route.path_format][method.lower()]["responses"]
        for status, response in route.responses.items():
            for kind, content in response.get("content", {}).items():
                told[str(status)]["content"][kind]["example"] = content["example"]


def operation_id_of(endpoint: Callable[..., Any], said: Sequence[Words]) -> str:
    """A stable name: the function's own in camelCase, unless its package has a better one."""
    name = endpoint.__name__
    for words in said:
        if is_within(endpoint, words.package) and name in words.operation_ids:
            return words.operation_ids[name]
    return to_camel(name)


def fields_of(route: APIRoute, said: Sequence[Words]) -> Fields:
    """What is said of fields, first by whose operation this is."""
    own = [words.fields for words in said if is_within(route.endpoint, words.package)]
    return joined([*own, *(words.fields for words in said)])


def joined(tables: Iterable[Mapping[str, T]]) -> Mapping[str, T]:
    """What all of them say."""
    return ChainMap(*map(dict, tables))


def completed(
    document: Schema, said: Sequence[Words], fields_by_operation: Mapping[str, Fields]
) -> Schema:
    """The document with what FastAPI does not know."""
    parts = joined(words.parts_of_paths for words in said)
    lists = joined(words.closed_lists for words in said)
    components = document.setdefault("components", {})
    components["securitySchemes"] = dict(joined(words.security_schemes for words in said))
    schemas = components.setdefault("schemas", {})
    for unused in NEVER_ANSWERED:
        schemas.pop(unused, None)
    fields_by_schema: dict[str, Fields] = {}
    for _, operation in operations_of(document):
        fields = fields_by_operation[operation["operationId"]]
        note_schemas(operation, schemas, fields, fields_by_schema)
        complete(operation, schemas, fields)
        exemplify(operation, parts, lists)
    for name, schema in schemas.items():
        fields = fields_by_schema.get(name, NONE)
        for field, described in schema.get("properties", {}).items():
            say(described, fields.get(f"{name}.{field}") or fields.get(field))
    for schema in nodes_of(document):
        for ours, theirs in BOUNDS.items():
            if ours in schema and isinstance(schema[ours], int):
                schema[theirs] = schema.pop(ours)
    in_use = {tag for _, operation in operations_of(document) for tag in operation["tags"]}
    told = {tag: sentence for words in said for tag, sentence in words.tags.items()}
    known = [{"name": tag, "description": told[tag]} for tag in told if tag in in_use]
    document["tags"] = known + [{"name": tag} for tag in sorted(in_use - set(told))]
    return document


def note_schemas(node: Schema, schemas: Schema, fields: Fields, found: dict[str, Fields]) -> None:
    """Whose words describe the schemas that are used within, however deep: the first user's."""
    for one in nodes_of(node):
        name = str(one.get("$ref", "")).rpartition("/")[2]
        if name in schemas and name not in found:
            found[name] = fields
            note_schemas(schemas[name], schemas, fields, found)


def complete(operation: Schema, schemas: Schema, fields: Fields) -> None:
    """One operation: parameters in words, and the answers that it really gives."""
    for parameter in operation.get("parameters", ()):
        say(parameter, fields.get(parameter["name"]))
    operation["responses"].pop("422", None)
    for content in operation.get("requestBody", {}).get("content", {}).values():
        if "anyOf" in content["schema"]:  # a body that may be missing
            content["schema"] = content["schema"]["anyOf"][0]
        if "$ref" in content["schema"]:  # else its route has said all of it
            name = content["schema"]["$ref"].rsplit("/", 1)[1]
            content["example"] = schemas[name]["examples"][0]


def exemplify(
    operation: Schema, parts: Mapping[str, str], lists: Mapping[str, Sequence[str]]
) -> None:
    """What stands in a path for its parameters, so that the operation can be tried as it is."""
    for parameter in operation.get("parameters", ()):
        name = parameter["name"]
        if parameter["in"] == "path" and name in parts:
            parameter["example"] = parts[name]
        if parameter["in"] == "path" and name in lists:
            parameter["schema"]["enum"] = list(lists[name])


def say(described: Schema, sentence: str | None) -> None:
    """Describe what is not described yet."""
    if sentence is not None:
        described.setdefault("description", sentence)


def operations_of(document: Schema) -> Iterator[tuple[str, Schema]]:
    """Every operation with its method."""
    for methods in document["paths"].values():
        yield from methods.items()


def nodes_of(node: Any) -> Iterator[Schema]:
    """Every object within, however deep."""
    if isinstance(node, dict):
        yield node
        for within in node.values():
            yield from nodes_of(within)
    elif isinstance(node, list):
        for within in node:
            yield from nodes_of(within)
