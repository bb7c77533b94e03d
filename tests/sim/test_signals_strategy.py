"""A strategy as people keep it: written and read back, merged, and described by its own bounds."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from sim.signals.bounds import TermsRefused
from sim.signals.strategy import (
    DESCRIPTION_MAX,
    Strategy,
    merged,
    read_strategy,
    strategy_schema,
    written_strategy,
)


def numbers_of(schema: dict[str, Any], *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, one in schema["properties"].items():
        if "properties" in one:
            yield from numbers_of(one, *path, name)
        elif "default" in one:
            yield (*path, name), one


NUMBERS = dict(numbers_of(strategy_schema()))


def having(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    for name in reversed(path):
        value = {name: value}
    found: dict[str, Any] = value
    return found


def test_what_is_written_is_read_as_the_same() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    for _ in range(50):
        path = draw.choice(list(NUMBERS))
        schema = NUMBERS[path]
        value = draw.uniform(schema["default"], schema["maximum"])
        given = having(path, round(value) if schema["type"] == "integer" else value)
        try:
            made = read_strategy({**given, "name": f"number {draw.random()}"})
        except TermsRefused:
            continue  # wrong beside others
        assert read_strategy(written_strategy(made)) == made


def test_the_schema_has_every_bound_that_is_read() -> None:
    assert len(NUMBERS) > 90
    for path, schema in NUMBERS.items():
        low = schema.get("exclusiveMinimum", schema.get("minimum"))
        beyond = [schema["maximum"] + 1, low if "exclusiveMinimum" in schema else low - 1, "1"]
        beyond += [low + 0.5] if schema["type"] == "integer" else []
        for value in beyond:
            with pytest.raises(TermsRefused) as refused:
                read_strategy(having(path, value))
            assert [at for at, _ in refused.value.faults] == [".".join(path)]


@pytest.mark.parametrize(
    ("texts", "path"),
    [
        ({"name": " "}, "name"),
        ({"name": "a" * 101}, "name"),
        ({"name": 7}, "name"),
        ({"name": "a\x1bb"}, "name"),
        ({"description": "a" * (DESCRIPTION_MAX + 1)}, "description"),
        ({"schema_version": 1.0}, "schema_version"),
    ],
)
def test_texts_have_bounds_too(texts: dict[str, Any], path: str) -> None:
    with pytest.raises(TermsRefused) as refused:
        read_strategy({**texts, "oracle": 1})
    assert [at for at, _ in refused.value.faults] == [path, "oracle"]


def test_of_two_the_later_wins_value_by_value() -> None:
    base = {"a": {"b": 1, "c": 2}, "d": 3, "e": {"f": 4}}
    assert merged(base, {"a": {"b": 5}, "e": 6, "g": {}}) == {
        "a": {"b": 5, "c": 2},
        "d": 3,
        "e": 6,
        "g": {},
    }
    assert base == {"a": {"b": 1, "c": 2}, "d": 3, "e": {"f": 4}}
    default = written_strategy(Strategy())
    assert merged(default, {}) == merged({}, default) == default
