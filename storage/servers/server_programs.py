"""The servers' programs, at a place where the user they run as can execute them."""

import hashlib
import importlib.util
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from storage.servers.server_identity import Identity
from storage.settings import ConfigurationError

SHELTER = Path("/var/lib/sandpit")
"""Where root keeps copies of programs that stand in a private directory: one for each place."""

NOT_NEEDED = shutil.ignore_patterns("include", "*.a")
PASSING, READING = 0o001, 0o005


def wheel(package: str) -> Path:
    """Where a wheel was unpacked. It is not imported: importing these has side effects."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(f"The package {package} is not installed: run make setup.")
    return Path(next(iter(spec.submodule_search_locations)))


@dataclass(frozen=True)
class ServerProgram:
    """A program of a wheel, and all that it needs beside it.

    root      what the wheel was unpacked into
    parts     folders below root that the program loads from; one may be absent
    program   the program's path below root
    """

    root: Path
    parts: tuple[str, ...]
    program: str

    @property
    def path(self) -> Path:
        """Where it is installed."""
        return self.root / self.program

    def within_reach(self, identity: Identity) -> Path:
        """Where the servers' user can execute it: in a copy, where its own place is private.

        Raises ConfigurationError.
        """
        if identity.kind != "drop" or is_open_to_all(self.path):
            return self.path
        try:
            return _copied(self) / self.program
        except OSError as error:
            raise ConfigurationError(
                f"The user {identity.name}, as whom PostgreSQL and Valkey run, cannot reach "
                f"{self.path}, and {SHELTER} cannot hold a copy ({error.strerror}): install "
                "sandpit where all may read, such as /opt, or run it as an ordinary user."
            ) from None


def is_open_to_all(path: Path) -> bool:
    """Whether every user may read and execute a file where it stands."""
    real = path.resolve()
    above = all(parent.stat().st_mode & PASSING for parent in real.parents)
    return above and real.stat().st_mode & READING == READING


def _copied(wanted: ServerProgram) -> Path:
    tree = (wanted.root / wanted.parts[0]).resolve()
    place = hashlib.sha256(os.fsencode(tree)).hexdigest()[:12]
    target = SHELTER / f"{place}-{tree.stat().st_mtime_ns:x}"
    if target.is_dir():
        return target
    SHELTER.mkdir(parents=True, exist_ok=True)
    SHELTER.chmod(0o755)
    building = Path(tempfile.mkdtemp(dir=SHELTER, prefix=f".{place}-"))
    try:
        for part in wanted.parts:
            if (wanted.root / part).is_dir():
                shutil.copytree(
                    wanted.root / part, building / part, symlinks=True, ignore=NOT_NEEDED
                )
        _open_to_all(building)
        for former in set(SHELTER.glob(f"{place}-*")) - {target}:
            shutil.rmtree(former, ignore_errors=True)
        if not target.is_dir():
            building.rename(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return target


def _open_to_all(tree: Path) -> None:
    for parent, _, files in os.walk(tree):
        os.chmod(parent, 0o755)
        for name in files:
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
