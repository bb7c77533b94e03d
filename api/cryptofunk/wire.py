"""What clients of this family send and are answered: snake_case, exact, nothing unknown."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictStr

from api.door.wire import Asked, PageAsked, Sent


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


InAnyCase = BeforeValidator(_upper)
"""Words are read in either case."""

SymbolText = Annotated[StrictStr, Field(min_length=1, max_length=32)]
UuidText = Annotated[StrictStr, Field(min_length=1, max_length=64)]
QueryUuid = Annotated[str, Field(min_length=1, max_length=64)]
QuerySymbol = Annotated[str, Field(min_length=1, max_length=32)]
