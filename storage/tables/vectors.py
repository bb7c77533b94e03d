"""The type of a vector that pgvector finds the nearest of."""

from typing import Any

from sqlalchemy.types import UserDefinedType


class Vector(UserDefinedType[str]):
    """`dimensions` single floats, as text like [0.5,-1]."""

    cache_ok = True

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions

    def get_col_spec(self, **words: Any) -> str:
        """As CREATE TABLE spells it."""
        return f"vector({self.dimensions})"
