"""Decision 1: who answers is decided by the folder of the endpoint, or by the path's prefix."""

from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from api.app import FAMILIES
from api.door.families import Families, Family
from api.door.limits import RateKind
from api.flux.orders import post_order
from sim.refusals import Refused


def refuse_as_other(refused: Refused, scope: Scope) -> Response:
    return Response(f"other: {refused.message}", 418)


OTHER = Family("api.other", "/api/", refuse_as_other, lambda method, path: RateKind.READ)
TWO = Families((*FAMILIES, OTHER))


@pytest.mark.parametrize(
    ("path", "family"),
    [("/", "api.flux"), ("/orders", "api.flux"), ("/api/x", "api.other"), ("/apix", "api.flux")],
)
def test_an_unknown_path_goes_to_the_longest_prefix(path: str, family: str) -> None:
    assert TWO.of_path(path).package == family


def test_an_endpoint_answers_as_its_folder_whatever_its_path() -> None:
    async def elsewhere(request: Request) -> Response:
        return Response()

    elsewhere.__module__ = "api.other.section"
    scope: dict[str, Any] = {"path": "/orders", "endpoint": elsewhere}
    assert TWO.of(scope).package == "api.other"
    assert TWO.of({"path": "/api/x", "endpoint": post_order}).package == "api.flux"
