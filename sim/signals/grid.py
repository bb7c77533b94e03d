"""Grids of strategies: some values of some of the terms, and each combination of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from math import prod
from typing import Any

from sim.signals.bounds import TermsRefused
from sim.signals.strategy import Strategy, merged, read_strategy

COMBINATIONS_MAX = 32
TWICE = "{path} has {value} twice."
NO_PATH = "{path!r} names no value of a strategy: a path is names with points between them."
TOO_MANY = "has {found} combinations, allowed are at most {most}"


@dataclass(frozen=True)
class Combination:
    """What it changes of the strategy by path, such as agents.technical.rsi_period, and what comes
    of that."""

    changes: Mapping[str, int | float | Decimal]
    strategy: Strategy


def combinations(
    base: Mapping[str, Any], grid: Mapping[str, Sequence[Any]]
) -> tuple[Combination, ...]:
    """Of the strategy that plain dicts describe; without a grid itself. The last path's values
    change first. Raises TermsRefused with every fault of every combination, each once."""
    count = prod(map(len, grid.values()))
    if count > COMBINATIONS_MAX:
        raise TermsRefused((("", TOO_MANY.format(found=count, most=COMBINATIONS_MAX)),))
    found: list[Combination] = []
    faults = dict.fromkeys(_faults_in(grid))
    wrong = {path for path, _ in faults}
    right = {path: values for path, values in grid.items() if path not in wrong}
    for values in product(*right.values()):
        changes = dict(zip(right, values, strict=True))
        try:
            found.append(Combination(changes, read_strategy(changed(base, changes))))
        except TermsRefused as refused:
            faults |= dict.fromkeys(refused.faults)
    if faults:
        raise TermsRefused(tuple(faults))
    return tuple(found)


def _faults_in(grid: Mapping[str, Sequence[Any]]) -> Iterator[tuple[str, str]]:
    """What is wrong with it whatever the strategy: a strategy's name is no term of it, for what is
    tried is numbers; and each is tried once, also where it is written in two ways."""
    for path, values in grid.items():
        if not all(path.split(".")):
            yield path, NO_PATH.format(path=path)
        elif not all(_is_number(one) for one in values):
            yield path, f"{path} must be a list of numbers."
        elif len(set(values)) < len(values):
            value = next(one for place, one in enumerate(values) if one in values[:place])
            yield path, TWICE.format(path=path, value=value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def changed(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """With other values at some paths."""
    values = dict(base)
    for path, value in changes.items():
        values = merged(values, nested(path, value))
    return values


def nested(path: str, value: Any) -> dict[str, Any]:
    """{"a": {"b": value}} of "a.b"."""
    name, dot, rest = path.partition(".")
    return {name: nested(rest, value) if dot else value}


def faults_of(
    refused: TermsRefused, grid: Mapping[str, object], strategy: str, called: str
) -> tuple[tuple[str, str, str], ...]:
    """The same as (field, strategy or grid, sentence), by the field of a request that it comes
    from.

    strategy, called   the fields of the strategy and of the grid
    """
    told = []
    for path, sentence in refused.faults:
        tried = _path_of(path, grid)
        where = strategy if tried is None else called
        at = path if tried is None else tried
        told.append((f"{where}.{at}" if at else where, where, sentence))
    return tuple(told)


def _path_of(path: str, grid: Mapping[str, object]) -> str | None:
    """Which of the grid's paths a fault comes from: the same, or one that leads through it."""
    if not path or path in grid:
        return path
    return next((one for one in grid if one.startswith(f"{path}.")), None)
