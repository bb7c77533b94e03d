"""All rooms and the tests are typed alike; what is not yet has its name on a list."""

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


def test_whoever_is_excused_is_a_test_that_exists() -> None:
    (excused,) = [one["module"] for one in mypy()["overrides"] if one.get("ignore_errors")]
    assert excused == sorted(set(excused))
    assert [name for name in excused if not name.startswith("tests.")] == []
    gone = [name for name in excused if not (ROOT / f"{name.replace('.', '/')}.py").is_file()]
    assert gone == []
