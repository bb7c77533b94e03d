"""JSON as every answer writes it: no spaces, characters as they are."""

import json
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

_PLAIN = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
"""One for all: json.dumps would make another for each value."""


def json_bytes(value: Any) -> bytes:
    """UTF-8 text; what no Unicode text may hold becomes a question mark."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "replace")


def exact_json_bytes(value: Any) -> bytes:
    """The same of a value that has Decimals in it: numbers with all their digits, no exponent."""
    return _text(value).encode("utf-8", "replace")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, dict):
        named = [f"{encode_basestring(name)}:{_text(one)}" for name, one in value.items()]
        return f"{{{','.join(named)}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_text, value))}]"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return _PLAIN.encode(value)
