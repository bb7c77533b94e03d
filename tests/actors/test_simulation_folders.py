"""What a killed simulation leaves in the temporary directory, the next one takes away."""

import os
import shutil
import time
from pathlib import Path

import pytest

from actors.cluster.ours import RAY_FOLDER, RAY_LOCK
from actors.simulate.folders import ABANDONED_AFTER_S, PREFIX, sweep, temporary_folder
from storage.servers.data_directory import Hold, short_directory


def folder(place: Path, name: str, age_s: float) -> tuple[Path, Path]:
    """A simulation's and its Ray's, last changed so long ago."""
    made = place / f"{PREFIX}{name}"
    made.mkdir()
    (made / RAY_LOCK).touch()
    of_ray = short_directory(made.resolve(), RAY_FOLDER)
    (of_ray / "r").mkdir()
    os.utime(made, (time.time() - age_s,) * 2)
    return made, of_ray


def test_folders_of_the_dead_go_and_those_of_the_living_and_the_new_stay(tmp_path: Path) -> None:
    old_s = ABANDONED_AFTER_S + 60
    dead, living = folder(tmp_path, "dead", old_s), folder(tmp_path, "living", old_s)
    new, others = folder(tmp_path, "new", 5), tmp_path / "sandpit-other"
    others.mkdir()
    hold = Hold(living[0] / RAY_LOCK)
    hold.take()
    try:
        sweep(tmp_path)
        assert [path.exists() for path in (*dead, *living, *new, others)] == [False] * 2 + [
            True
        ] * 5
        hold.release()
        sweep(tmp_path)
        assert not living[0].exists()
    finally:
        hold.release()
        for _, of_ray in (dead, living, new):
            shutil.rmtree(of_ray, ignore_errors=True)


def test_a_link_of_somebody_is_not_followed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    link = tmp_path / f"{PREFIX}link"
    link.symlink_to(kept)
    os.utime(link, (0, 0), follow_symlinks=False)
    sweep(tmp_path)
    assert kept.exists()
    assert link.is_symlink()


def test_a_new_simulation_sweeps_before_it_makes_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead, _ = folder(tmp_path, "dead", ABANDONED_AFTER_S + 60)
    with temporary_folder() as own:
        assert (own.is_dir(), own.parent, dead.exists()) == (True, tmp_path, False)
    assert not own.exists()
