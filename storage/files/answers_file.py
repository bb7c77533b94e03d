"""Pools' lives with their answers (`sim.pool.replaying`) as JSON text: a step a line, told as they
are answered. Nothing is seen of them before all of them are there.
"""

import gzip
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from sim.pool.replaying import AnsweredLife, AnsweredLives
from storage.files.replaced_file import replaced
from storage.files.sequences_file import CONTENT_BYTES_MAX, SequencesFileError
from storage.regular_file import followed

KEPT_IN_MEMORY_BYTES_MAX = 1 << 24
"""More of what is to be printed waits in a temporary file."""


def write_answers(path: Path, answers: AnsweredLives) -> None:
    """The whole file or none of it; gzipped if its name ends so. Raises SequencesFileError, and
    SequenceError where a step cannot be answered."""
    try:
        with _opened(followed(path)) as file:
            if path.suffix == ".gz":
                with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                    _write(cast(IO[bytes], packed), answers)
            else:
                _write(file, answers)
    except OSError as error:
        raise SequencesFileError(f"{path} cannot be written: {error.strerror}.") from error


@contextmanager
def answers_of(answers: AnsweredLives) -> Iterator[IO[bytes]]:
    """The whole text, to be read from its start. Raises as `write_answers` does."""
    with tempfile.SpooledTemporaryFile(KEPT_IN_MEMORY_BYTES_MAX) as file:
        try:
            _write(file, answers)
        except OSError as error:
            where = tempfile.gettempdir()
            raise SequencesFileError(f"{where} cannot be written: {error.strerror}.") from error
        file.seek(0)
        yield file


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """A file appears at once; a device or pipe of this name stays what it is, and gets all of it
    in the end."""
    if path.exists() and not path.is_file():
        with tempfile.SpooledTemporaryFile(KEPT_IN_MEMORY_BYTES_MAX) as kept:
            yield kept
            kept.seek(0)
            with path.open("wb") as device:
                shutil.copyfileobj(kept, device)
        return
    with replaced(path, path.with_name(f".{path.name}.{os.getpid()}")) as file:
        yield file


def _write(file: IO[bytes], answers: AnsweredLives) -> None:
    size = 0
    for piece in text_of(answers):
        content = piece.encode()
        size += len(content)
        if size > CONTENT_BYTES_MAX:
            raise SequencesFileError(
                f"The answers are larger than {CONTENT_BYTES_MAX} bytes: ask for less in one file."
            )
        file.write(content)


def text_of(answers: AnsweredLives) -> Iterator[str]:
    """Piece by piece."""
    yield "{" + "".join(f"{field},\n" for field in _fields(answers.fields)) + '"sequences":[\n'
    between = ""
    for life in answers.sequences:
        yield between
        yield from _life(life)
        between = ",\n"
    yield "\n]}\n"


def _life(life: AnsweredLife) -> Iterator[str]:
    yield "{" + "".join(f"{field}," for field in _fields(life.fields)) + '"steps":[\n'
    between = ""
    for step in life.steps:
        yield between + _compact(step)
        between = ",\n"
    yield "\n]}"


def _fields(fields: dict[str, object]) -> Iterator[str]:
    return (f"{_compact(name)}:{_compact(it)}" for name, it in fields.items())


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
