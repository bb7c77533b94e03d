"""What is wrong with a body or a query, in words of the trade instead of the library's."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

FINDINGS_MAX = 16
SENTENCE_CHARACTERS_MAX = 300
FIELD_CHARACTERS_MAX = 100
OWN = "value_error"

KEY_PATTERN, CURSOR_PATTERN = r"^[\x21-\x7e]+$", r"^[A-Za-z0-9_.:-]+$"

SENTENCES: dict[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of this request",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "string_type": "must be a text",
    "string_unicode": "must be a text of Unicode characters",
    "bool_type": "must be true or false",
    "string_too_short": "must have {min_length} characters or more",
    "string_too_long": "must have {max_length} characters or fewer",
    "too_short": "must have {min_length} {unit} or more",
    "too_long": "must have {max_length} {unit} or fewer",
    "literal_error": "must be one of {expected}",
    "enum": "must be one of {expected}",
    "greater_than_equal": "must be {ge} or more: that is the minimum",
    "less_than_equal": "must be {le} or less: that is the maximum",
}
PATTERNS: dict[str, str] = {
    KEY_PATTERN: "must be printable ASCII without spaces",
    CURSOR_PATTERN: "is no cursor of this list",
}
"""What is said instead of a pattern."""

UNKNOWN = "is not valid"
NOT_EMPTY = "must not be empty"

COLLECTIONS = ("List", "Dictionary")
"""What pydantic calls fields that have entries; others have characters."""


def first_of(errors: Iterable[Mapping[str, Any]]) -> tuple[str, list[dict[str, str]]]:
    """One sentence for the first thing wrong with a body or query, and all of them as a list."""
    found = [
        {
            "field": ".".join(map(str, error["loc"]))[:FIELD_CHARACTERS_MAX],
            "message": message_of(error),
        }
        for error in islice(errors, FINDINGS_MAX)
    ]
    first = found[0] if found else {"field": "", "message": "The request is not valid"}
    subject = f"{first['field']}: " if first["field"] else SUBJECTS.get(first["message"], "")
    return f"{subject}{first['message']}"[:SENTENCE_CHARACTERS_MAX], found


SUBJECTS = {SENTENCES["model_type"]: "The body "}


def message_of(error: Mapping[str, Any]) -> str:
    """One finding as a sentence's end; a rule of ours has said its own."""
    if error["type"] == OWN:
        return str(error["msg"]).removeprefix("Value error, ")
    facts = {**error.get("ctx", {})}
    facts["unit"] = "entries" if facts.get("field_type") in COLLECTIONS else "characters"
    if "expected" in facts:
        facts["expected"] = str(facts["expected"]).replace("'", "").replace(" or ", ", ")
    if facts.get("min_length") == 1:
        return NOT_EMPTY
    if facts.get("pattern") in PATTERNS:
        return PATTERNS[facts["pattern"]]
    return SENTENCES.get(error["type"], UNKNOWN).format_map(facts)
