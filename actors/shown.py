"""Foreign text in what is told with colours."""

from rich.markup import escape

from sim.printable import printable


def shown(text: str) -> str:
    """It has no say in how it looks."""
    return escape(printable(text))
