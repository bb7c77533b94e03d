"""Reads typed fields out of a parsed scenario; every refusal names the field.

Whoever reads a table says first which fields it may have: a misspelt one is refused as such,
not as another one that is missing.
"""

import dataclasses
import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from sim.units import DECIMAL_TEXT

FOUND_LENGTH_MAX = 60
LIST_LENGTH_MAX = 1_000
NEAR_ENOUGH = 0.6


class ScenarioError(ValueError):
    """A scenario is wrong. The message: the field, what was found, what is allowed.

    field   its full name, such as markets[0].price.start; "" where it is about none
    """

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.field)


class Fields:
    """One table of a scenario; `where` is its path, such as markets[0].price."""

    def __init__(self, table: Mapping[str, Any], where: str = "") -> None:
        self._table, self._where = table, where
        self._allowed: set[str] = set()

    def only(self, *allowed: str) -> None:
        """The fields that there are: any other is refused, with the one that may be meant."""
        self._allowed = set(allowed)
        for name in self._table:
            if name not in self._allowed:
                known = ", ".join(sorted(self._allowed))
                raise self.error(name, f"unknown, allowed here is {known}{_nearest(name, allowed)}")

    def error(self, name: str, what: str) -> ScenarioError:
        """The error to raise about a field."""
        field = self.path(name)
        return ScenarioError(f"{shown(field)}: {what}", field)

    def refuse(self, name: str, allowed: str) -> ScenarioError:
        """The error to raise for a field."""
        found = repr(self._table[name])[:FOUND_LENGTH_MAX] if name in self._table else "nothing"
        return self.error(name, f"found {found}, allowed is {allowed}")

    def path(self, name: str) -> str:
        """The full name of a field."""
        return f"{self._where}.{name}" if self._where else name

    def has(self, name: str) -> bool:
        """Whether the field is there."""
        assert name in self._allowed, f"{name} was not announced"
        return name in self._table

    def text(self, name: str, pattern: str, allowed: str) -> str:
        """A string that matches a pattern as a whole."""
        value = self._take(name)
        if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
            raise self.refuse(name, allowed)
        return value

    def value(self, name: str) -> object:
        """Whatever stands there, for whoever checks it."""
        return self._take(name)

    def choice(self, name: str, choices: Collection[str]) -> str:
        """One of some words."""
        value = self._take(name)
        if not isinstance(value, str) or value not in choices:
            raise self.refuse(name, "one of " + ", ".join(sorted(choices)))
        return value

    def integer(self, name: str, minimum: int, maximum: int, default: int | None = None) -> int:
        """A whole number in a range; the default, where there is one, if it is missing."""
        if default is not None and not self.has(name):
            return default
        value = self._take(name)
        if type(value) is not int or not minimum <= value <= maximum:
            raise self.refuse(name, f"a whole number from {minimum} to {maximum}")
        return value

    def integers(
        self, name: str, minimum: int, maximum: int, default: tuple[int, ...]
    ) -> tuple[int, ...]:
        """A list of whole numbers in a range, at least one; the default if it is missing."""
        values = self._take(name) if self.has(name) else list(default)
        good = isinstance(values, list) and 1 <= len(values) <= LIST_LENGTH_MAX
        if not good or not all(type(one) is int and minimum <= one <= maximum for one in values):
            raise self.refuse(name, f"a list of whole numbers from {minimum} to {maximum}")
        return tuple(values)

    def flag(self, name: str, default: bool) -> bool:
        """true or false."""
        value = self._take(name) if self.has(name) else default
        if not isinstance(value, bool):
            raise self.refuse(name, "true or false")
        return value

    def decimal(self, name: str) -> Decimal:
        """A positive decimal number written as text."""
        value = self._take(name)
        if not isinstance(value, str) or not DECIMAL_TEXT.fullmatch(value) or not Decimal(value):
            raise self.refuse(name, 'a positive decimal number in quotes, such as "12.5"')
        return Decimal(value)

    def table(self, name: str) -> "Fields":
        """A table within this one; an empty one if it is missing."""
        value = self._take(name) if self.has(name) else {}
        if not isinstance(value, dict):
            raise self.refuse(name, "a table")
        return Fields(value, self.path(name))

    def whole(self) -> Mapping[str, Any]:
        """All that stands in a table, for whoever checks it."""
        return self._table

    def names(self) -> tuple[str, ...]:
        """What stands in a table whose names are its author's."""
        return tuple(map(str, self._table))

    def tables(self, name: str, least: int) -> list["Fields"]:
        """A list of tables."""
        value = self._take(name) if self.has(name) else []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.refuse(name, f"tables, each headed [[{name}]]")
        if not least <= len(value) <= LIST_LENGTH_MAX:
            raise self.refuse(name, f"from {least} to {LIST_LENGTH_MAX} tables [[{name}]]")
        return [Fields(item, f"{self.path(name)}[{place}]") for place, item in enumerate(value)]

    def choices(self, name: str, choices: Collection[str]) -> tuple[str, ...]:
        """A list of some of the words, none twice; all of them if it is missing."""
        value = self._take(name) if self.has(name) else list(choices)
        good = isinstance(value, list) and all(item in choices for item in value)
        if not good or not value or len(set(value)) < len(value):
            raise self.refuse(name, "a list of some of " + ", ".join(choices) + ", none twice")
        return tuple(value)

    def parameters(self, kind: type[Any]) -> Any:
        """A dataclass whose fields were made with `bounded`, those that are missing by default."""
        self.only(*(field.name for field in dataclasses.fields(kind)))
        values = {
            field.name: self.integer(
                field.name,
                field.metadata["minimum"],
                field.metadata["maximum"],
                int(field.default),  # type: ignore[arg-type]
            )
            for field in dataclasses.fields(kind)
        }
        return kind(**values)

    def _take(self, name: str) -> Any:
        if not self.has(name):
            raise self.error(name, "is missing")
        return self._table[name]


def shown(text: str) -> str:
    """A field's name in a sentence: one line, not too long."""
    return (
        text
        if text.isprintable() and len(text) <= FOUND_LENGTH_MAX
        else repr(text)[:FOUND_LENGTH_MAX]
    )


def _nearest(name: str, allowed: Collection[str]) -> str:
    nearest = get_close_matches(name.lower(), allowed, 1, NEAR_ENOUGH)
    return f" (nearest: {nearest[0]})" if nearest else ""
