"""Folders of a user that are called like ours are never loaded in their place.

An exchange beside them is started in test_default_world.
"""

import os
import subprocess
from pathlib import Path

import pytest

from tests.actors.foreign_rooms import COMMAND, foreign_rooms
from tests.simulations import SMALL

pytestmark = [pytest.mark.ray, pytest.mark.slow]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with rooms of its own."""
    monkeypatch.setenv("CANARY", str(tmp_path / "canary"))
    return foreign_rooms(tmp_path / "work")


def test_a_simulation_across_actors_beside_them_loads_none(elsewhere: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(SMALL)
    wish = ["simulate", str(tmp_path / "tiny.toml"), "--actors", "2", "--duration", "1s"]
    ended = subprocess.run(
        [COMMAND, *wish, "--to", "parquet", "--record", "all", "--out", str(tmp_path / "out")],
        cwd=elsewhere,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ended.returncode == 0, ended.stderr
    assert not (tmp_path / "canary").exists()


def test_where_a_folder_would_still_be_taken_for_ours_one_sentence_says_so(
    elsewhere: Path, tmp_path: Path
) -> None:
    for room in ("actors", "sim", "storage"):
        (elsewhere / room).rename(elsewhere / f"no_{room}")
    ended = subprocess.run(
        [COMMAND, "up", "--data-dir", str(tmp_path / "data")],
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(elsewhere)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    [line] = ended.stderr.splitlines()
    assert line.startswith(f"sandpit: {elsewhere / 'api'} would be taken for sandpit's own api")
    assert not (tmp_path / "data").exists()
