"""Temporary folders of simulations that start a Ray of their own, and what killed ones left."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from actors.cluster.ours import RAY_FOLDER, RAY_LOCK
from storage.servers.data_directory import is_held, short_directory
from storage.settings import ConfigurationError

PREFIX = "sandpit-simulation-"
ABANDONED_AFTER_S = 600.0
"""By then whoever made a folder holds its lock, or is gone."""


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder as long as this context; those whose makers were killed go on the way."""
    sweep(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=PREFIX) as directory:
        yield Path(directory)


def sweep(place: Path) -> None:
    """Take away the abandoned folders in it, Ray's own ones first, which stand elsewhere."""
    for folder in place.glob(f"{PREFIX}*"):
        if _is_abandoned(folder):
            try:
                shutil.rmtree(short_directory(folder.resolve(), RAY_FOLDER), ignore_errors=True)
            except (ConfigurationError, OSError):
                continue
            shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path) -> bool:
    """Ours, old, and nobody's any more: a lock lasts no longer than its process."""
    try:
        status = folder.lstat()
    except OSError:
        return False
    if folder.is_symlink() or not folder.is_dir() or status.st_uid != os.geteuid():
        return False
    is_old = time.time() - status.st_mtime > ABANDONED_AFTER_S
    return is_old and not is_held(folder / RAY_LOCK)
