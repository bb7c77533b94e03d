"""How the document shows the refusals of an operation, and those that every list has.

A test provokes each of them and compares.
"""

from typing import Any

ON_WRITES = ("413", "415")
"""Statuses about bodies, which reads do not have."""

Example = tuple[str, str, dict[str, Any]]
"""Code, sentence, details."""


def finding(field: str, message: str, code: str = "INVALID_REQUEST") -> Example:
    """A field that is wrong."""
    errors = [{"field": field, "message": message}]
    return (code, f"{field}: {message}", {"errors": errors})


FIELD_TWICE: Example = ("INVALID_REQUEST", "The query names a field twice", {})
LIMIT_OVER = finding("limit", "must be 500 or less: that is the maximum")


def example_of(code: str, message: str, details: dict[str, Any]) -> dict[str, Any]:
    """The envelope."""
    inside: dict[str, Any] = {"code": code, "message": message}
    if details:
        inside["details"] = details
    return {"error": inside}
