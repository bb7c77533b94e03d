"""All rooms and the tests are typed alike, and nobody is excused."""

import tomllib
from typing import Any

from tests.test_house_rules import ROOMS, ROOT

CHECKED = [*ROOMS, "tests"]


def mypy() -> dict[str, Any]:
    settings: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    return settings


def test_every_room_and_the_tests_are_read_strictly() -> None:
    assert mypy()["packages"] == CHECKED
    (strict,) = [one for one in mypy()["overrides"] if one.get("disallow_untyped_defs")]
    assert strict["module"] == [f"{room}.*" for room in CHECKED]


def test_nobody_is_excused() -> None:
    assert [one["module"] for one in mypy()["overrides"] if one.get("ignore_errors")] == []
