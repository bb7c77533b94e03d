"""What clients of a family in camelCase send and are answered: exact, nothing unknown."""

from decimal import Decimal
from functools import cache
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictStr,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel

from api.door.findings import CURSOR_PATTERN
from api.exact_json import NOT_WHOLE, PrintableText, read_whole, whole_number

PAGE_DEFAULT = 100
PAGE_MAX = 500
MILLISECONDS = "milliseconds since 1970"
MILLISECONDS_MAX = 99_999_999_999_999
NOT_INSTANT = f"{NOT_WHOLE}: {MILLISECONDS}"


class Wire(BaseModel):
    """camelCase outside, snake_case inside."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Sent(Wire):
    """A body from a client: nothing that is not asked for; null is the same as nothing."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, sent: object) -> object:
        if not isinstance(sent, dict) or None not in sent.values():
            return sent
        optional = optional_fields(cls)
        return {
            name: value for name, value in sent.items() if value is not None or name not in optional
        }


@cache
def optional_fields(model: type[BaseModel]) -> frozenset[str]:
    """The fields that a body may leave out, as clients write them."""
    fields = model.model_fields.items()
    return frozenset(field.alias or name for name, field in fields if not field.is_required())


class Asked(Wire):
    """A query string: each field once, nothing unknown."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)


def _query_number(text: object) -> int:
    if isinstance(text, int):
        return text
    return read_whole(str(text))


def _query_instant(text: object) -> int:
    try:
        return _query_number(text)
    except ValueError:
        raise ValueError(NOT_INSTANT) from None


def _sent_instant(value: object) -> int:
    try:
        return whole_number(value)
    except ValueError:
        raise ValueError(NOT_INSTANT) from None


def _truth(text: object) -> bool:
    if text in ("true", "false"):
        return text == "true"
    raise ValueError("must be true or false")


QueryTruth = Annotated[bool, BeforeValidator(_truth)]
QueryNumber = Annotated[int, BeforeValidator(_query_number)]
EmailText = Annotated[StrictStr, Field(min_length=5, max_length=254)]
PasswordText = Annotated[StrictStr, Field(min_length=1, max_length=1_024)]
"""As they are sent; what they must be like is api/desk/identity.py's to say."""

OrderText = Annotated[PrintableText, Field(min_length=1, max_length=64)]
"""What a client calls an order."""

ExactDecimal = Annotated[Decimal, WithJsonSchema({"type": "number"})]
"""Of an answer: a JSON number with all its digits; see reply_exact."""

Limit = Annotated[QueryNumber, Field(ge=1, le=PAGE_MAX)]
Cursor = Annotated[str, Field(min_length=1, max_length=80, pattern=CURSOR_PATTERN)]
Milliseconds = Annotated[int, BeforeValidator(_query_instant), Field(ge=0, le=MILLISECONDS_MAX)]
SentMilliseconds = Annotated[int, BeforeValidator(_sent_instant), Field(ge=1, le=MILLISECONDS_MAX)]
"""Since 1970, in a query and in a body."""


class PageAsked(Asked):
    """How many rows, and after which cursor."""

    limit: Limit = PAGE_DEFAULT
    cursor: Cursor | None = None

    @property
    def rows(self) -> int:
        """The most that the answer may have."""
        return self.limit
