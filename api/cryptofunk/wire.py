"""What clients of this family send and are answered: snake_case, exact, nothing unknown."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictStr

from api.door.wire import Asked, PageAsked, Sent
from sim.printable import is_plain


class Told(BaseModel):
    """An answer."""


class Body(Sent):
    """A body."""

    model_config = ConfigDict(alias_generator=None)


class Query(Asked):
    """A query string."""

    model_config = ConfigDict(alias_generator=None)


class Page(PageAsked):
    """A query string of a list with pages."""

    model_config = ConfigDict(alias_generator=None)


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


InAnyCase, InAnyLowerCase = BeforeValidator(_upper), BeforeValidator(_lower)
"""Words are read in either case: those that are written in capitals, and the others."""


def _plain(text: str) -> str:
    if not is_plain(text):
        raise ValueError("must be printable")
    return text


PlainText = Annotated[StrictStr, AfterValidator(_plain)]
"""Of a body; no NUL, no half of a pair, nothing that hides."""

SymbolText = Annotated[PlainText, Field(min_length=1, max_length=32)]
UuidText = Annotated[PlainText, Field(min_length=1, max_length=64)]
QueryUuid = Annotated[str, Field(min_length=1, max_length=64)]
QuerySymbol = Annotated[str, Field(min_length=1, max_length=32)]
