"""Which family of the API answers: chosen by the folder that an endpoint lives in.

A path that no endpoint has belongs to the family with the longest prefix of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response
from starlette.types import Scope

from api.door.limits import RateKind
from api.door.refusal_examples import Errors
from sim.refusals import Refused


@dataclass(frozen=True)
class Family:
    """One family: its folder, the paths it falls heir to, its refusals and what the document says
    of them, its rate classes; whether a browser's cookie says who asks, as it does of every socket.

    also      paths below another family's that are its own
    slashed   below which a name may have a slash in it
    sockets   the paths where it speaks over WebSockets, with the most bytes of a client's message
    """

    package: str
    prefix: str
    refuse: Callable[[Refused, Scope], Response]
    rate_kind: Callable[[str, str], RateKind]
    errors: Errors
    takes_cookies: bool = False
    also: tuple[str, ...] = ()
    slashed: tuple[str, ...] = ()
    sockets: Mapping[str, int] = field(default_factory=dict)


class Families:
    """All families of an application."""

    def __init__(self, families: Sequence[Family]) -> None:
        self._families = families

    @property
    def sockets(self) -> dict[str, int]:
        """The most bytes of a message, by the path of each family's WebSocket."""
        return {path: most for family in self._families for path, most in family.sockets.items()}

    def of(self, scope: Scope) -> Family:
        """The family that must answer this request."""
        return self.of_endpoint(scope.get("endpoint"), scope["path"])

    def of_endpoint(self, endpoint: Any, path: str) -> Family:
        """The family that answers what goes to this endpoint."""
        for family in self._families:
            if is_within(endpoint, family.package):
                return family
        return self.of_path(path)

    def of_path(self, path: str) -> Family:
        """The family whose prefix of the path is the longest."""
        return max(self._families, key=lambda family: longest_prefix(family, path))


def longest_prefix(family: Family, path: str) -> int:
    """How much of a path the family is heir to."""
    prefixes = (family.prefix, *family.also)
    return max(len(prefix) if f"{path}/".startswith(prefix) else 0 for prefix in prefixes)


def is_within(endpoint: Any, package: str) -> bool:
    """Whether a function stands in this package, or this module."""
    return f"{getattr(endpoint, '__module__', '')}.".startswith(f"{package}.")
