"""What a user may do on this exchange."""

from enum import StrEnum


class Role(StrEnum):
    """What a user may do; each may do what those before it may."""

    PENDING = "PENDING"
    VIEWER = "VIEWER"
    TRADER = "TRADER"
    OPERATOR = "OPERATOR"
    ADMIN = "ADMIN"

    def at_least(self, other: "Role") -> bool:
        """True if this role may do what `other` may."""
        return RANK[self] >= RANK[other]


RANK = {role: rank for rank, role in enumerate(Role)}
