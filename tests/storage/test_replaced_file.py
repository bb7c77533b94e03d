"""A file in the place of another has the mode that it had, and is whole or not there."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sim.pool.replaying import replayed
from storage.files.answers_file import write_answers
from storage.files.replaced_file import replaced
from storage.runs.run_directory import RunDirectory


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def answers(path: Path) -> None:
    write_answers(path, replayed({"sequences": []}))


WRITERS: dict[str, Callable[[Path], Any]] = {
    "told.json": answers,
    "told.json.gz": answers,
    "summary.json": lambda path: RunDirectory(path.parent).write_summary({}),
    "report.html": lambda path: RunDirectory(path.parent).write_report("page"),
    "checkpoint.bin": lambda path: RunDirectory(path.parent).write_checkpoint(b"bytes"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_private_file_stays_private(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    assert mode(path) == 0o644
    path.chmod(0o600)
    WRITERS[name](path)
    assert mode(path) == 0o600
    path.chmod(0o440)
    WRITERS[name](path)
    assert mode(path) == 0o440
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_what_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path, new = tmp_path / "told", tmp_path / "told.new"
    path.write_text("before")

    def write_half() -> None:
        with replaced(path, new) as file:
            file.write(b"half")
            raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        write_half()
    assert path.read_text() == "before"
    assert not new.exists()


def test_a_link_that_waits_in_the_place_of_the_new_file_is_not_followed(tmp_path: Path) -> None:
    path, new, other = tmp_path / "told", tmp_path / "told.new", tmp_path / "other"
    other.write_text("somebody's")
    new.symlink_to(other)
    with replaced(path, new) as file:
        file.write(b"ours")
    assert (path.read_text(), other.read_text()) == ("ours", "somebody's")
