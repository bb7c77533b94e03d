"""Files that take the place of others: all of it at once, or what was there stays."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replaced(path: Path, new: Path) -> Iterator[BinaryIO]:
    """A file to write in, which is `path` when all is written and `new`, beside it, until then.
    Raises OSError."""
    try:
        with os.fdopen(_begun(path, new), "wb") as file:
            yield file
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def begin(path: Path, new: Path) -> None:
    """Make `new`, for somebody else to write and to put in the place of `path`. Raises OSError."""
    os.close(_begun(path, new))


def _begun(path: Path, new: Path) -> int:
    """An empty file of its own that whoever may read `path` may read, and nobody else; where there
    is no such file, whoever may read new files of this user."""
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    with suppress(FileNotFoundError):
        os.fchmod(handle, stat.S_IMODE(path.stat().st_mode))
    return handle
