"""Which family of the API answers: chosen by the folder that an endpoint lives in.

A path that no endpoint has belongs to the family with the longest prefix of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.types import Scope

from api.flux import envelope as flux
from api.limits import RateKind
from sim.refusals import Refused


@dataclass(frozen=True)
class Family:
    """One family: its folder, the paths it falls heir to, its errors, its rate classes."""

    package: str
    prefix: str
    refuse: Callable[[Refused, Scope], Response]
    rate_kind: Callable[[str, str], RateKind]


FAMILIES = (Family("api.flux", "/", flux.refuse, flux.rate_kind),)


def family_of(scope: Scope) -> Family:
    """The family that must answer this request."""
    endpoint: Any = scope.get("endpoint")
    module = getattr(endpoint, "__module__", "")
    for family in FAMILIES:
        if module.startswith(family.package + "."):
            return family
    return family_of_path(scope["path"])


def family_of_path(path: str) -> Family:
    """The family whose prefix of the path is the longest."""
    heirs = [family for family in FAMILIES if path.startswith(family.prefix)]
    return max(heirs or FAMILIES, key=lambda family: len(family.prefix))
