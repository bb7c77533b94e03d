"""Decision 1: who answers is decided by the folder of the endpoint, or by the path's prefix."""

from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from api import families
from api.families import FAMILIES, Family, family_of, family_of_path
from api.flux.orders import post_order
from api.limits import RateKind
from sim.refusals import Refused


def refuse_as_other(refused: Refused, scope: Scope) -> Response:
    return Response(f"other: {refused.message}", 418)


OTHER = Family("api.other", "/api/", refuse_as_other, lambda method, path: RateKind.READ)


@pytest.fixture
def two_families(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(families, "FAMILIES", (*FAMILIES, OTHER))


@pytest.mark.usefixtures("two_families")
@pytest.mark.parametrize(
    ("path", "family"),
    [("/", "api.flux"), ("/orders", "api.flux"), ("/api/x", "api.other"), ("/apix", "api.flux")],
)
def test_an_unknown_path_goes_to_the_longest_prefix(path: str, family: str) -> None:
    assert family_of_path(path).package == family


@pytest.mark.usefixtures("two_families")
def test_an_endpoint_answers_as_its_folder_whatever_its_path() -> None:
    async def elsewhere(request: Request) -> Response:
        return Response()

    elsewhere.__module__ = "api.other.section"
    scope: dict[str, Any] = {"path": "/orders", "endpoint": elsewhere}
    assert family_of(scope).package == "api.other"
    assert family_of({"path": "/api/x", "endpoint": post_order}).package == "api.flux"
