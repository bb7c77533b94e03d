"""Files that a person names: what could be waited for without end is not opened to be read."""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

NOT_REGULAR = "it is not a regular file"


def open_regular(path: Path) -> BufferedReader:
    """Raises OSError, at once also for a pipe that nobody writes to and for a device that never
    ends."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, NOT_REGULAR, str(path))
    return os.fdopen(handle, "rb")


def followed(path: Path) -> Path:
    """The path from the root, its links followed as far as they lead anywhere: whoever opens one
    that leads to itself is told so, where Path.resolve raises RuntimeError."""
    return Path(os.path.realpath(path))


def at_home(path: Path) -> Path:
    """With a ~ at its start followed to somebody's home; nobody's stays what it is, where
    Path.expanduser raises RuntimeError."""
    return Path(os.path.expanduser(path))
