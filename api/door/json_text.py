"""JSON as every answer writes it: no spaces, characters as they are."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any


def json_bytes(value: Any) -> bytes:
    """UTF-8 text; what no Unicode text may hold becomes a question mark."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "replace")


def exact_json_bytes(value: Any) -> bytes:
    """The same of a value that has Decimals in it: numbers with all their digits, no exponent."""
    return "".join(_pieces(value)).encode("utf-8", "replace")


def _pieces(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _listed("{}", (_pair(name, one) for name, one in value.items()))
    elif isinstance(value, list):
        yield from _listed("[]", map(_pieces, value))
    elif isinstance(value, Decimal):
        yield f"{value:f}"
    else:
        yield json.dumps(value, ensure_ascii=False, allow_nan=False)


def _pair(name: str, value: Any) -> Iterator[str]:
    yield f"{json.dumps(name, ensure_ascii=False)}:"
    yield from _pieces(value)


def _listed(brackets: str, parts: Any) -> Iterator[str]:
    yield brackets[0]
    for number, part in enumerate(parts):
        yield "," * (number > 0)
        yield from part
    yield brackets[1]
