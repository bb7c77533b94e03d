"""How a contract says no."""


class Reverted(Exception):
    """The call changes nothing. `reason` is the contract's own text, "" where it gives none."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


def require(holds: bool, reason: str = "") -> None:
    """Raises Reverted with the reason where it does not hold."""
    if not holds:
        raise Reverted(reason)
