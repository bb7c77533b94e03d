"""Large and small letters taken for each other. Letters beyond ASCII stay apart from those of
ASCII: the long s is no S, and the sign of the kelvin no k."""

from collections.abc import Callable


def upper(text: str) -> str:
    """What is written small as what is written large."""
    return text.upper() if text.isascii() else _folded(text, str.upper)


def lower(text: str) -> str:
    """And back."""
    return text.lower() if text.isascii() else _folded(text, str.lower)


def _folded(text: str, fold: Callable[[str], str]) -> str:
    return "".join(one if not one.isascii() and fold(one).isascii() else fold(one) for one in text)
