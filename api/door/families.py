"""Which family of the API answers: chosen by the folder that an endpoint lives in.

A path that no endpoint has belongs to the family with the longest prefix of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.types import Scope

from api.door.limits import RateKind
from sim.refusals import Refused


@dataclass(frozen=True)
class Family:
    """One family: its folder, the paths it falls heir to, its errors, its rate classes."""

    package: str
    prefix: str
    refuse: Callable[[Refused, Scope], Response]
    rate_kind: Callable[[str, str], RateKind]


class Families:
    """All families of an application."""

    def __init__(self, families: Sequence[Family]) -> None:
        self._families = families

    def of(self, scope: Scope) -> Family:
        """The family that must answer this request."""
        endpoint: Any = scope.get("endpoint")
        module = getattr(endpoint, "__module__", "")
        for family in self._families:
            if module.startswith(family.package + "."):
                return family
        return self.of_path(scope["path"])

    def of_path(self, path: str) -> Family:
        """The family whose prefix of the path is the longest."""
        heirs = [family for family in self._families if path.startswith(family.prefix)]
        return max(heirs or self._families, key=lambda family: len(family.prefix))
