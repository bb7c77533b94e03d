"""The OpenAPI document: FastAPI's, with names, order, words and examples that are ours."""

from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.alias_generators import to_camel

from api.door.json_text import json_bytes
from api.door.refusal_examples import ON_WRITES, Example, example_of

Schema = dict[str, Any]


class Words(NamedTuple):
    """What a folder of operations says of itself: of fields (by name, or as `Schema.field`), of
    refusals (by operation and status), and of the ways to show who asks."""

    fields: Mapping[str, str]
    refusals: Mapping[str, Mapping[int, Example]]
    security_schemes: Mapping[str, Schema] = MappingProxyType({})


SERVERS = [{"url": "/", "description": "This server"}]
TAGS = {
    "Authentication": "Who you are: register and log in, or be a guest at once.",
    "Deposits": "Paper money in and out, and a fresh start.",
    "Markets": "What is traded: grid, limits, book, prices, tape, candles. No token needed.",
    "Orders": "Place, amend and cancel, one or many. 202 means durably accepted; what became of it "
    "is told by the order.",
    "Queries": "What an account sees of itself.",
    "Accounts": "More than one of your own, to try things apart from each other.",
    "API keys": "For bots: credentials that live as long as you want.",
    "Simulations": "Scenarios that run beside the exchange, faster than time.",
    "Operations": "Whether this server works.",
    "Admin": "For whoever runs the exchange.",
}
"""In the order in which a newcomer needs them."""

OPERATION_IDS = {
    "post_order": "submitOrder",
    "post_orders": "submitOrders",
    "post_cancels": "cancelOrders",
    "delete_order": "cancelOrder",
    "patch_order": "amendOrder",
    "delete_orders": "cancelAllOrders",
    "post_cancel_after": "cancelAllOrdersAfter",
    "post_deposit": "deposit",
    "post_withdrawal": "withdraw",
    "post_reset": "resetAccount",
    "post_account": "openAccount",
    "patch_account": "changeAccount",
    "post_account_reset": "resetNamedAccount",
    "post_transfer": "transferBetweenAccounts",
    "get_account": "getAccount",
    "put_leverage": "setLeverage",
    "post_register": "register",
    "post_login": "logIn",
    "post_refresh": "refresh",
    "post_logout": "logOut",
    "post_guest": "becomeGuest",
    "post_api_key": "makeApiKey",
    "delete_api_key": "revokeApiKey",
    "post_drain": "drain",
    "post_simulation": "runSimulation",
    "post_run": "runSimulationAgain",
    "delete_simulation": "stopSimulation",
    "get_report": "getSimulationReport",
    "get_root": "getServer",
    "get_orderbook": "getOrderBook",
}
"""What clients generated from this document call a function whose own name would not do."""

BOUNDS = {
    "ge": "minimum",
    "le": "maximum",
    "gt": "exclusiveMinimum",
    "lt": "exclusiveMaximum",
}
"""Bounds that pydantic leaves in its own words where a field is read by a function of ours."""

NEVER_ANSWERED = ("HTTPValidationError", "ValidationError")


def describe(app: FastAPI, said: Sequence[Words]) -> Schema:
    """The document. Made once; of two who describe a name the first is heard."""
    if app.openapi_schema is None:
        for route in app.routes:
            if isinstance(route, APIRoute):
                route.operation_id = operation_id_of(route.endpoint.__name__)
        app.openapi_schema = completed(
            get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=app.description,
                routes=app.routes,
                servers=SERVERS,
            ),
            joined(said),
        )
    return app.openapi_schema


@cache
def document_of(app: FastAPI) -> bytes:
    """The document as it is sent."""
    return json_bytes(app.openapi())


def operation_id_of(endpoint_name: str) -> str:
    """A stable name: the function's own in camelCase, unless another reads better."""
    return OPERATION_IDS.get(endpoint_name, to_camel(endpoint_name))


def joined(said: Sequence[Words]) -> Words:
    """What all of them say."""
    return Words(*(ChainMap(*map(dict, tables)) for tables in zip(*said, strict=True)))


def completed(document: Schema, words: Words) -> Schema:
    """The document with what FastAPI does not know."""
    components = document.setdefault("components", {})
    components["securitySchemes"] = dict(words.security_schemes)
    schemas = components.setdefault("schemas", {})
    for unused in NEVER_ANSWERED:
        schemas.pop(unused, None)
    for methods in document["paths"].values():
        for method, operation in methods.items():
            complete(method, operation, schemas, words)
    for name, schema in schemas.items():
        for field, described in schema.get("properties", {}).items():
            say(described, words.fields.get(f"{name}.{field}") or words.fields.get(field))
    for schema in nodes_of(document):
        for ours, theirs in BOUNDS.items():
            if ours in schema and isinstance(schema[ours], int):
                schema[theirs] = schema.pop(ours)
    in_use = {tag for _, operation in operations_of(document) for tag in operation["tags"]}
    known = [{"name": tag, "description": said} for tag, said in TAGS.items() if tag in in_use]
    document["tags"] = known + [{"name": tag} for tag in sorted(in_use - set(TAGS))]
    return document


def complete(method: str, operation: Schema, schemas: Schema, words: Words) -> None:
    """One operation: parameters in words, and the refusals that it really answers."""
    for parameter in operation.get("parameters", ()):
        say(parameter, words.fields.get(parameter["name"]))
    responses = operation["responses"]
    responses.pop("422", None)
    if method == "get":
        for status in ON_WRITES:
            responses.pop(status, None)
    for number, refusal in words.refusals.get(operation["operationId"], {}).items():
        responses[str(number)]["content"]["application/json"]["example"] = example_of(*refusal)
    for content in operation.get("requestBody", {}).get("content", {}).values():
        if "anyOf" in content["schema"]:  # a body that may be missing
            content["schema"] = content["schema"]["anyOf"][0]
        name = content["schema"]["$ref"].rsplit("/", 1)[1]
        content["example"] = schemas[name]["examples"][0]


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
