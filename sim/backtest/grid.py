"""Grids: some values of some of a droid's fields, and each combination of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from itertools import product
from math import prod

from sim.backtest.result import Setting
from sim.droid.spelling import SPELLED
from sim.units import DECIMAL_TEXT

COMBINATIONS_MAX = 1_000
WORD_CHARACTERS_MAX = 32
FIELDS = {spelled: name for name, spelled in SPELLED.items() if name != "pool_id"}


@dataclass(frozen=True)
class Tried:
    """A combination: what it changes of the droid, and all that it is made with."""

    changes: Mapping[str, object]
    setting: Setting


class GridError(ValueError):
    """One sentence's end: what was found, and what is allowed."""


def combinations(text: str) -> list[Mapping[str, object]]:
    """Of "A=3,5;B=5,10,20" the six, with fields as droids' owners spell them; here they have their
    names of sim/droid/config.py. The last field's values change first. Raises GridError."""
    axes: dict[str, list[object]] = {}
    for part in text.split(";"):
        spelled, _, values = (one.strip() for one in part.partition("="))
        name = _field(spelled)
        if name in axes:
            raise GridError(f"{spelled} stands in it twice, allowed is once")
        axes[name] = [_value(one.strip(), spelled) for one in values.split(",")]
    return combined(axes)


def combined(axes: Mapping[str, Sequence[object]]) -> list[Mapping[str, object]]:
    """Each combination of values of the fields, in the order above. Raises GridError."""
    count = prod(map(len, axes.values()))
    if count > COMBINATIONS_MAX:
        raise GridError(f"found {count} combinations, allowed are at most {COMBINATIONS_MAX}")
    return [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]


def _field(spelled: str) -> str:
    if spelled in FIELDS:
        return FIELDS[spelled]
    nearest = get_close_matches(spelled, FIELDS, 1)
    hint = f" (nearest: {nearest[0]})" if nearest else ""
    raise GridError(
        f"found {spelled[:WORD_CHARACTERS_MAX]!r}, allowed is FIELD=VALUE,VALUE;… with fields of"
        f" {', '.join(FIELDS)}{hint}"
    )


def _value(text: str, spelled: str) -> object:
    match = DECIMAL_TEXT.fullmatch(text)
    if match is not None:
        return Decimal(text) if match[2] else int(text)
    if text.isascii() and 0 < len(text) <= WORD_CHARACTERS_MAX:
        return text
    shown = text[:WORD_CHARACTERS_MAX]
    raise GridError(f"{spelled}: found {shown!r}, allowed is a number or a word")
