"""A disk that can be filled: a file system in memory of its own, where this user may mount one."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.waiting import PROGRAM_S_MAX

MEGABYTES = 600
TRIES = 20


@contextmanager
def small_disk(path: Path) -> Iterator[bool]:
    """A directory, and whether it is a file system of its own."""
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m,mode=0700", "tmpfs", str(path)]
    is_mounted = (
        subprocess.run(command, capture_output=True, check=False, timeout=PROGRAM_S_MAX).returncode
        == 0
    )
    try:
        yield is_mounted
    finally:
        if is_mounted:
            subprocess.run(["umount", "--lazy", str(path)], check=True, timeout=PROGRAM_S_MAX)


@contextmanager
def filled(path: Path) -> Iterator[None]:
    """Nothing can be written there any more, not even a line."""
    filler = path / "filler"
    with filler.open("wb") as file:
        for _ in range(TRIES):
            with suppress(OSError):  # somebody was faster with the last of it
                free = shutil.disk_usage(path).free
                os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, max(free, 1))
    try:
        yield
    finally:
        filler.unlink()
