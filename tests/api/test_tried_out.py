"""What "Try it out" begins with: each part of a path has an example, closed lists are there."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from api.havencap.devbe import DATA, SCRIPTS
from tests.api.browsers import close_all
from tests.api.deployment import Deployment
from tests.api.droid_owners import Owner, owner, with_pool
from tests.api.test_openapi import operations

WORK_AT_ONCE = (
    *("/markets/{market_id}", "/prices/{market_id}"),
    *("/api/devbe/data/{query_type}", "/api/devbe/run/{script}", "/api/droids/{droid_id}/history"),
)
"""They need nothing that somebody has made, but for a droid."""


@pytest.fixture
def olga(paddock: Deployment) -> Iterator[Owner]:
    with_pool(paddock)
    yield owner(paddock)
    close_all()


@pytest.fixture
def document(paddock: Deployment) -> dict[str, Any]:
    return dict(paddock.http.get("/openapi.json").json())


def parameters(operation: dict[str, Any], place: str) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in operation.get("parameters", ()) if one["in"] == place}


def test_every_part_of_a_path_has_an_example(document: dict[str, Any]) -> None:
    bare = [
        f"{name} {part}"
        for name, operation in operations(document)
        for part, parameter in parameters(operation, "path").items()
        if not parameter.get("example")
    ]
    assert bare == []


def test_names_of_a_closed_list_are_all_in_the_document(document: dict[str, Any]) -> None:
    for path, part, known in (
        ("/api/devbe/data/{query_type}", "query_type", DATA),
        ("/api/devbe/run/{script}", "script", SCRIPTS),
    ):
        operation = document["paths"][path]["get"]
        assert parameters(operation, "path")[part]["schema"]["enum"] == list(known)
        asked = set().union(
            *(one.asked.model_json_schema()["properties"] for one in known.values())
        )
        assert set(parameters(operation, "query")) == asked


@pytest.mark.parametrize("path", WORK_AT_ONCE)
def test_what_is_tried_out_as_it_stands_works(
    path: str, document: dict[str, Any], olga: Owner
) -> None:
    operation = document["paths"][path]["get"]
    parts = {name: one["example"] for name, one in parameters(operation, "path").items()}
    if "droid_id" in parts:
        parts["droid_id"] = str(olga.droid())
    address = re.sub(r"{(\w+)}", lambda part: parts[part[1]], path)
    query = {
        name: one["example"]
        for name, one in parameters(operation, "query").items()
        if "example" in one
    }
    answer = olga.http.get(address, params=query)
    assert answer.status_code == 200, answer.text
