"""JSON as every answer writes it: no spaces, characters as they are."""

import json
from typing import Any


def json_bytes(value: Any) -> bytes:
    """UTF-8 text; what no Unicode text may hold becomes a question mark."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "replace")
