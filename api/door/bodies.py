"""How large a request's body may be: one limit for all, and more on the few routes that take it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from api.fair_turns import TurnLimits

LARGE_AT_ONCE = TurnLimits(12, 4, waiting_max=0, waiting_of_address_max=1)
"""Bodies above the limit for all that a process holds at a time. None waits: a body that is not
read in time is taken for one that comes too slowly."""


@dataclass(frozen=True)
class BodyLimits:
    """of_routes   by method and path, which has no parameters"""

    of_all_bytes: int = 65_536
    of_routes: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def bytes_max(self, method: str, path: str) -> int:
        """What a body may have there."""
        return max(self.of_all_bytes, self.of_routes.get((method, path), 0))
