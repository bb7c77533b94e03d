"""JSON objects that name a key twice: of its two values nobody knows which is meant."""

from collections.abc import Sequence

NAMES_A_KEY_TWICE = "names a key twice"


def key_named_twice(pairs: Sequence[tuple[str, object]]) -> str | None:
    """The first key of an object that stands in it before."""
    seen = set()
    for key, _ in pairs:
        if key in seen:
            return key
        seen.add(key)
    return None
