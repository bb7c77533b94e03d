"""What a setting may be, in one text, and nested settings read from plain dicts and written back.

A setting is a field of a frozen dataclass whose metadata holds its Bound; a field that is itself
such a dataclass is a section.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields, is_dataclass
from decimal import Decimal
from typing import Any, Protocol, TypeGuard, TypeVar, cast

Section = TypeVar("Section")
Faults = tuple[tuple[str, str], ...]

WEIGHTS_TOLERANCE = 1e-9
"""By how much weights that sum to one may miss it."""


class TermsRefused(ValueError):
    """All that is wrong: (path, sentence) pairs."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(" ".join(sentence for _, sentence in faults))
        self.faults = faults

    def __reduce__(self) -> tuple[type["TermsRefused"], tuple[Faults]]:
        return TermsRefused, (self.faults,)


@dataclass(frozen=True)
class Bound:
    """From low to high; `about` says what the setting is, in a clause.

    is_above    low itself is not allowed
    is_whole    a whole number, kept as int; else a float
    """

    about: str
    low: float
    high: float
    is_above: bool = False
    is_whole: bool = False

    def holds(self, value: int | float | Decimal) -> bool:
        """Compared before it is made a double, so that no size is too big to be refused."""
        above = value > self.low if self.is_above else value >= self.low
        return above and value <= self.high and not (self.is_whole and value != int(value))

    def __str__(self) -> str:
        kind = "a whole number" if self.is_whole else "a number"
        low = "above" if self.is_above else "of at least"
        return f"{kind} {low} {self.low:g} and at most {self.high:g}"

    def sentence(self, path: str) -> str:
        return f"{path} must be {self}: it is {self.about}."


class Judged(Protocol):
    """A section that knows what its fields must be together."""

    def together(self) -> Iterator[tuple[str, str]]:
        """Fields that are wrong beside others, and how each must be."""


def number(default: float, low: float, high: float, about: str, above: bool = False) -> float:
    """A field of a section, a double."""
    return field(default=default, metadata={"bound": Bound(about, low, high, above)})


def whole(default: int, low: int, high: int, about: str) -> int:
    """A field of a section, a whole number."""
    bound = Bound(about, low, high, is_whole=True)
    return field(default=default, metadata={"bound": bound})


def weights_fault(section: object, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """That these fields sum to one, told of the first."""
    total = math.fsum(getattr(section, name) for name in names)
    if abs(total - 1) > WEIGHTS_TOLERANCE:
        yield names[0], f"such that it sums to 1 with {', '.join(names[1:])}, not to {total:g}"


def order_fault(section: object, lower: str, higher: str) -> Iterator[tuple[str, str]]:
    """That one field is below another."""
    if getattr(section, lower) >= getattr(section, higher):
        yield lower, f"below {higher}, which is {getattr(section, higher):g}"


def read(kind: type[Section], given: object) -> Section:
    """The section that plain dicts describe; what is left out has its default.

    Raises TermsRefused with every fault.
    """
    made, faults = _section(kind, given, "")
    if faults or made is None:
        raise TermsRefused(tuple(faults))
    return made


def written(section: object) -> dict[str, Any]:
    """As plain nested dicts of numbers, which `read` takes back."""
    values = {one.name: getattr(section, one.name) for one in fields(cast(Any, section))}
    return {
        name: written(value) if is_dataclass(value) else value for name, value in values.items()
    }


def _section(
    kind: type[Section], given: object, path: str
) -> tuple[Section | None, list[tuple[str, str]]]:
    if not isinstance(given, Mapping):
        return None, [(path, f"{path or 'A strategy'} must be a section of names and values.")]
    known = {one.name: one for one in fields(cast(Any, kind))}
    faults = [
        (_under(path, str(name)), f"{_under(path, str(name))} is not known.")
        for name in given
        if name not in known
    ]
    values: dict[str, object] = {}
    for name, one in known.items():
        if name in given:
            values[name], wrong = _value(one, given[name], _under(path, name))
            faults += wrong
    if faults:
        return None, faults
    made = kind(**values)
    return made, list(_together(made, path))


def _together(section: object, path: str) -> Iterator[tuple[str, str]]:
    if hasattr(section, "together"):
        for name, must in cast(Judged, section).together():
            yield _under(path, name), f"{_under(path, name)} must be {must}."


def _value(one: Field[Any], given: object, path: str) -> tuple[object, list[tuple[str, str]]]:
    bound = one.metadata.get("bound")
    if bound is None:
        return _section(cast(type[object], one.type), given, path)
    assert isinstance(bound, Bound)
    if not _is_number(given) or not bound.holds(given):
        return None, [(path, bound.sentence(path))]
    return (int(given) if bound.is_whole else float(given)), []


def _is_number(value: object) -> TypeGuard[int | float | Decimal]:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return False
    return isinstance(value, int) or (
        value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)
    )


def _under(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
