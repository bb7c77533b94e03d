"""An actor in a process of its own."""

from pathlib import Path

import pytest
import structlog

from actors.remote import hosted


class Impossible:
    """An actor that can never be made."""

    def __init__(self, run: bool) -> None:
        raise ValueError(f"no such world, run or not: {run}")


def test_an_actor_that_cannot_be_made_leaves_its_reason_in_its_log(tmp_path: Path) -> None:
    try:
        with pytest.raises(ValueError, match="no such world"):
            hosted(Impossible)(str(tmp_path), "info", "impossible:1", {})
    finally:
        structlog.reset_defaults()
    (line,) = (tmp_path / "impossible-1.log").read_text().splitlines()
    assert '"event": "actor_not_started"' in line
    assert "ValueError: no such world, run or not: True" in line
