"""How the document shows the refusals of an operation, and those that every list has.

A test provokes each of them and compares.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from sim.refusals import Refusal

Example = tuple[str, str, dict[str, Any]]
"""Code, sentence, details."""


ErrorBody = Callable[[str, str, Mapping[str, Any]], dict[str, Any]]
"""What stands in the body of a refusal, from its code, sentence and details."""


@dataclass(frozen=True)
class Errors:
    """What the document says of all refusals of a family.

    model      of their bodies
    body       an example of one
    statuses   of every refusal
    usual      what a status means, and the code and sentence of one that has it
    """

    model: type[BaseModel]
    body: ErrorBody
    statuses: Mapping[Refusal, int]
    usual: Mapping[int, tuple[str, str, str]]


def finding(field: str, message: str, code: str = "INVALID_REQUEST") -> Example:
    """A field that is wrong."""
    errors = [{"field": field, "message": message}]
    return (code, f"{field}: {message}", {"errors": errors})


FIELD_TWICE: Example = ("INVALID_REQUEST", "The query names a field twice", {})
LIMIT_OVER = finding("limit", "must be 500 or less: that is the maximum")
