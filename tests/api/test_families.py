"""Decision 1: who answers is decided by the folder of the endpoint, or by the path's prefix."""

from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from api.app import FAMILIES, WORDS
from api.door.answers import example
from api.door.describing import documented
from api.door.families import Families, Family
from api.door.limits import RateKind
from api.door.openapi import Words, describe
from api.door.refusal_examples import Errors
from api.flux.orders import post_order
from sim.refusals import Refusal, Refused


def refuse_as_other(refused: Refused, scope: Scope) -> Response:
    return Response(f"other: {refused.message}", 418)


class OtherError(BaseModel):
    """Not this."""

    fault: str

    model_config = example(fault="Not this")


OTHER_ERRORS = Errors(
    OtherError,
    lambda code, message, details: {"fault": message},
    dict.fromkeys(Refusal, 418),
    {418: ("No", "NO", "Not this")},
)
OTHER = Family(
    "api.other", "/other/", refuse_as_other, lambda method, path: RateKind.READ, OTHER_ERRORS
)
TWO = Families((*FAMILIES, OTHER))


@pytest.mark.parametrize(
    ("path", "family"),
    [
        ("/", "api.flux"),
        ("/orders", "api.flux"),
        ("/other/x", "api.other"),
        ("/otherx", "api.flux"),
        ("/api/x", "api.havencap"),
        ("/api", "api.havencap"),
        ("/apix", "api.flux"),
    ],
)
def test_an_unknown_path_goes_to_the_longest_prefix(path: str, family: str) -> None:
    assert TWO.of_path(path).package == family


def test_an_endpoint_answers_as_its_folder_whatever_its_path() -> None:
    async def elsewhere(request: Request) -> Response:
        return Response()

    elsewhere.__module__ = "api.other.section"
    scope: dict[str, Any] = {"path": "/orders", "endpoint": elsewhere}
    assert TWO.of(scope).package == "api.other"
    assert TWO.of({"path": "/other/x", "endpoint": post_order}).package == "api.flux"


def test_the_document_words_refusals_names_and_sections_as_the_family_does() -> None:
    app = FastAPI()

    async def get_root() -> Response:
        return Response()

    get_root.__module__ = "api.other.section"
    app.add_api_route("/other/x", get_root, tags=["Other"], **documented(200, OtherError, 418))
    words = Words(
        "api.other", tags={"Other": "Of the others."}, operation_ids={"get_root": "getOther"}
    )
    document = describe(app, TWO, [*WORDS, words])
    operation = document["paths"]["/other/x"]["get"]
    assert operation["operationId"] == "getOther"
    assert operation["responses"]["418"]["content"]["application/json"] == {
        "schema": {"$ref": "#/components/schemas/OtherError"},
        "example": {"fault": "Not this"},
    }
    assert set(operation["responses"]) == {"200", "418"}
    assert document["tags"] == [{"name": "Other", "description": "Of the others."}]
