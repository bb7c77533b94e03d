"""The OpenAPI document: complete, with examples, without the internet, and true."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.deployment import Deployment

EXAMPLES_PER_OPERATION = 25
MAY_BE_WRONG = {
    f"{method} {path}"
    for method, path in (
        ("POST", "/auth/login"),
        ("POST", "/auth/refresh"),
        ("POST", "/api/auth/login"),
        ("POST", "/api/auth/refresh"),
        ("GET", "/api/auth/refresh"),
        ("GET", "/api/v1/health"),
    )
}
"""What is sent there: they ask for no credentials."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="session")
def document(exchange: Deployment) -> dict[str, Any]:
    answer = exchange.http.get("/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json())


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_every_operation_has_an_example_of_what_it_takes_and_answers(
    document: dict[str, Any],
) -> None:
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            if status == "302":
                assert response["headers"]["Location"]["description"], name
                continue
            assert response["content"], f"{name} {status}"
            for kind, content in response["content"].items():
                assert "example" in content, f"{name} {status} {kind}"
        for content in operation.get("requestBody", {}).get("content", {}).values():
            assert content["example"], name


def test_an_example_has_the_fields_that_are_null(document: dict[str, Any]) -> None:
    told = document["paths"]["/api/orders/{order_id}"]["get"]["responses"]["200"]
    order = told["content"]["application/json"]["example"]["order"]
    required = document["components"]["schemas"]["SpotOrder"]["required"]
    assert sorted(order) == sorted(required)
    assert order["stopPrice"] is None


def test_no_operation_documents_what_it_never_answers(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert "422" not in operation["responses"], name
        assert {"400", "429", "500", "503"} <= set(operation["responses"]), name


def test_every_private_operation_names_the_credentials_it_takes(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert {"type": "apiKey", "in": "header", "name": "X-API-Key"}.items() <= schemes[
        "apiKey"
    ].items()
    for name, operation in operations(document):
        public = "401" not in operation["responses"] or name in MAY_BE_WRONG
        by_token_only = "/auth/api-keys" in name or name == "POST /admin/drain"
        kinds = ["bearer"] if by_token_only else ["bearer", "apiKey"]
        if " /api/" in name:
            by_login = " /api/droids" in name and not name.startswith("GET ")
            by_login |= name.split("/")[2] in ("auth", "admin", "user", "devbe")
            kinds = ["cookie", "bearer"] if by_login else ["cookie", "bearer", "apiKey"]
            if " /api/v1/" in name:
                by_token = name.split("/")[3] in ("transactions", "blocks", "tokens")
                kinds = ["appToken"] if by_token else ["bearer", "apiKey"]
        wanted: list[dict[str, list[str]]] = [{kind: []} for kind in kinds]
        assert operation.get("security") == (None if public else wanted), name


def test_clients_made_from_the_document_keep_their_names(document: dict[str, Any]) -> None:
    """A name that changes breaks every client that was generated with it."""
    frozen = tomllib.loads((Path(__file__).parent / "operation_ids.toml").read_text())
    named = {name: operation["operationId"] for name, operation in operations(document)}
    assert named == frozen["operations"]
    assert len(set(named.values())) == len(named)


def test_every_field_and_parameter_is_described(document: dict[str, Any]) -> None:
    silent = [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        for field, described in schema.get("properties", {}).items()
        if not described.get("description")
    ]
    silent += [
        f"{name}?{parameter['name']}"
        for name, operation in operations(document)
        for parameter in operation.get("parameters", [])
        if not parameter.get("description")
    ]
    assert silent == []


def test_every_schema_and_operation_says_what_it_is(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert schema["description"], name
    for name, operation in operations(document):
        assert operation["summary"], name
        assert operation["description"], name
        for status, response in operation["responses"].items():
            assert response["description"], f"{name} {status}"


def test_fields_of_one_name_and_two_meanings_are_described_apart(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    leverage = schemas["OrderSent"]["properties"]["leverage"]["description"]
    assert "10 where it is missing" in leverage
    assert leverage != schemas["PositionAnswer"]["properties"]["leverage"]["description"]
    cancelled = schemas["CancelEntry"]["properties"]["status"]["description"]
    assert cancelled.startswith("PENDING_CANCEL")


def test_bounds_have_the_documents_own_names(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    for foreign in ('"ge"', '"le"', '"gt"', '"lt"'):
        assert foreign not in text
    leverage = document["components"]["schemas"]["OrderSent"]["properties"]["leverage"]
    assert {"minimum": 1, "maximum": 255}.items() <= leverage["anyOf"][0].items()


def test_sections_come_in_the_order_in_which_they_are_needed(document: dict[str, Any]) -> None:
    sections = [tag["name"] for tag in document["tags"]]
    assert sections[:4] == ["Authentication", "Deposits", "Markets", "Orders"]
    assert all(tag["description"] for tag in document["tags"])
    used = {tag for _, operation in operations(document) for tag in operation["tags"]}
    assert used == set(sections)
    assert [server["url"] for server in document["servers"]] == ["/"]


def test_the_document_is_the_same_bytes_each_time(exchange: Deployment) -> None:
    first, again = (exchange.http.get("/openapi.json").content for _ in range(2))
    assert first == again


def test_the_documentation_loads_nothing_from_elsewhere(exchange: Deployment) -> None:
    page = exchange.http.get("/docs")
    assert page.status_code == 200
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert loaded
    for address in loaded:
        assert address.startswith("/")
        assert exchange.http.get(address).status_code == 200
    assert "https://" not in page.text


def sensible(operation: Any) -> Any:
    """Requests that fit the document, for a market that exists."""
    if "{market_id}" in operation.path:
        return operation.as_strategy(path_parameters={"market_id": "BTC-PERP"})
    return operation.as_strategy(GenerationMode.POSITIVE)


@pytest.mark.slow
def test_schemathesis_finds_no_5xx_and_no_undocumented_status(exchange: Deployment) -> None:
    """Every operation with generated requests, as a user who may do everything."""
    exchange.database.execute("DELETE FROM commands")
    schema = schemathesis.openapi.from_url(f"{exchange.url}/openapi.json")
    admin = exchange.person(role="ADMIN")
    tried = 0
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        if operation.path == "/admin/drain":
            continue  # waits for orders that no market takes here

        @settings(
            max_examples=EXAMPLES_PER_OPERATION,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=sensible(operation) | operation.as_strategy(GenerationMode.NEGATIVE))
        def probe(case: Any) -> None:
            case.call_and_validate(headers=admin.headers, checks=CHECKS)

        probe()
        tried += 1
    assert tried >= 20
