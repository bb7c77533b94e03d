"""Fields of a file that somebody wrote: each is read with its place, or refused with it."""

import json
import re
from collections.abc import Collection
from typing import Any

DECIMAL = re.compile(r"0|-?[1-9][0-9]{0,77}")
SHOWN_MAX, AMONG_SHOWN_MAX = 60, 400


class SequenceError(ValueError):
    """One sentence: the place, what was found there, and what is allowed."""


def refusal(place: str, found: object, allowed: str) -> SequenceError:
    told = shown(json.dumps(found, ensure_ascii=False))
    return SequenceError(f"{place}: found {told}, allowed is {allowed}")


def shown(text: str, most: int = SHOWN_MAX) -> str:
    """No more of it than is read."""
    return text if len(text) <= most else text[:most] + "…"


class Fields:
    """An object of the file and where it stands. Everything raises SequenceError."""

    def __init__(self, value: object, place: str) -> None:
        if not isinstance(value, dict):
            raise refusal(place or "the file", value, "an object")
        self.value: dict[str, Any] = value
        self._place = place

    def place(self, name: str) -> str:
        return f"{self._place}.{name}" if self._place else name

    def without(self, name: str) -> dict[str, Any]:
        """All fields but this one."""
        return {key: it for key, it in self.value.items() if key != name}

    def only(self, names: Collection[str]) -> None:
        """No field but these."""
        for name in self.value:
            if name not in names:
                place, known = self.place(shown(name)), ", ".join(names)
                raise SequenceError(f"{place}: there is no such field here, only {known}")

    def found(self, name: str, allowed: str) -> Any:
        if name not in self.value:
            raise SequenceError(f"{self.place(name)}: found nothing, allowed is {allowed}")
        return self.value[name]

    def refuse(self, name: str, allowed: str) -> SequenceError:
        return refusal(self.place(name), self.value[name], allowed)

    def number(self, name: str, least: int, most: int) -> int:
        """A JSON number."""
        allowed = f"a whole number from {least} to {most}"
        return _number(self.found(name, allowed), self.place(name), least, most)

    def numbers(self, name: str, least: int, most: int) -> list[int]:
        return [
            _number(one, f"{self.place(name)}[{at}]", least, most)
            for at, one in enumerate(self.many(name))
        ]

    def decimal(self, name: str, bits: int, is_signed: bool = False) -> int:
        """A decimal string of an integer of so many bits."""
        allowed = f"a decimal string of {_range(bits, is_signed)}"
        return _decimal(self.found(name, allowed), self.place(name), bits, is_signed)

    def decimals(self, name: str, bits: int) -> list[int]:
        return [
            _decimal(one, f"{self.place(name)}[{at}]", bits, is_signed=False)
            for at, one in enumerate(self.many(name))
        ]

    def many(self, name: str) -> list[Any]:
        many = self.found(name, "an array")
        if not isinstance(many, list):
            raise self.refuse(name, "an array")
        return many

    def flag(self, name: str) -> bool:
        flag = self.found(name, "true or false")
        if not isinstance(flag, bool):
            raise self.refuse(name, "true or false")
        return flag

    def text(self, name: str, allowed: Collection[str]) -> str:
        """One of these."""
        text = self.value.get(name)
        if isinstance(text, str) and text in allowed:
            return text
        among = shown(", ".join(allowed), AMONG_SHOWN_MAX)
        self.found(name, among)
        raise self.refuse(name, among)


def _number(found: object, place: str, least: int, most: int) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= most:
        raise refusal(place, found, f"a whole number from {least} to {most}")
    return found


def _range(bits: int, is_signed: bool) -> str:
    return f"−2^{bits - 1} to 2^{bits - 1} − 1" if is_signed else f"0 to 2^{bits} − 1"


def _decimal(found: object, place: str, bits: int, is_signed: bool) -> int:
    least = -(2 ** (bits - 1)) if is_signed else 0
    number = int(found) if isinstance(found, str) and DECIMAL.fullmatch(found) else None
    if number is None or not least <= number < least + 2**bits:
        raise refusal(place, found, f"a decimal string of {_range(bits, is_signed)}")
    return number
