"""The directory one deployment keeps: who may hold it, its secrets, its sockets."""

import errno
import fcntl
import hashlib
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.regular_file import at_home, followed
from storage.settings import ConfigurationError

LAYOUT_VERSION = "1"
SECRET_BYTES = 32
TEMPORARY = Path("/tmp")
HOLD_GRACE_S = 1.0
HOLD_POLL_S = 0.05
# sun_path holds 108 bytes with its final zero; the longest name we put behind the
# directory is PostgreSQL's "/.s.PGSQL.5432".
SOCKET_DIRECTORY_BYTES_MAX = 107 - len("/.s.PGSQL.5432")


def prepare(data_dir: Path) -> Path:
    """Makes the directory, private to this user, and refuses one of another layout.

    Returns its absolute path. Raises ConfigurationError.
    """
    path = followed(at_home(data_dir))
    with _usable(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_what_is_not_ours(path)
        if not (path / "version").exists():
            write_private(path / "version", LAYOUT_VERSION.encode())
    return path


def look_at(path: Path) -> None:
    """Whether `prepare` would take the directory; changes nothing. Raises ConfigurationError."""
    with _usable(path):
        there = next(place for place in (path, *path.parents) if place.exists())
        if not there.is_dir():
            raise FileExistsError
        if not os.access(there, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, f"{there} is not writable")
        if there == path:
            _refuse_what_is_not_ours(path)
    if is_held(path / "up.lock"):
        raise ConfigurationError(
            f"Another sandpit runs in {path}: stop it, or choose another --data-dir."
        )


@contextmanager
def _usable(path: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise ConfigurationError(f"The data directory {path} is not a directory.") from None
    except OSError as error:
        raise ConfigurationError(
            f"The data directory {path} cannot be used: {error.strerror}."
        ) from None


def _refuse_what_is_not_ours(path: Path) -> None:
    """Another layout; or files and no marker: then it is somebody's, and nothing goes into it."""
    marker = path / "version"
    found = marker.read_text().strip() if marker.exists() else LAYOUT_VERSION
    if found != LAYOUT_VERSION:
        raise ConfigurationError(
            f"The data directory {path} has layout {found} and this sandpit reads layout "
            f"{LAYOUT_VERSION}: use the sandpit that made it, or another --data-dir."
        )
    if marker.exists():
        return
    if any(entry.name != "lost+found" for entry in path.iterdir()):
        raise ConfigurationError(
            f"The directory {path} holds other files and is not a sandpit data directory: "
            "choose an empty or a new one."
        )


def write_private(path: Path, content: bytes) -> None:
    """Writes a file only its owner may read; a reader sees all of it or no file."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(name, path)
    except FileExistsError:
        pass  # another process was first: its content stands
    finally:
        os.unlink(name)


def secret(path: Path) -> bytes:
    """The 32 random bytes kept in a file, made on first use. Raises ConfigurationError."""
    try:
        if not path.exists():
            write_private(path, secrets.token_hex(SECRET_BYTES).encode())
        if path.stat().st_mode & 0o077:
            raise ConfigurationError(f"{path} can be read by others: chmod 600 it or delete it.")
        value = bytes.fromhex(path.read_text())
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:
        value = b""
    if len(value) < SECRET_BYTES:
        raise ConfigurationError(f"{path} does not hold {SECRET_BYTES} bytes in hex: delete it.")
    return value


def _locked(handle: int) -> bool:
    """Waits a moment: a process that was just killed still holds its files."""
    deadline = time.monotonic() + HOLD_GRACE_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(HOLD_POLL_S)
        else:
            return True


def is_held(path: Path) -> bool:
    """Whether somebody has this hold at the moment."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


class Hold:
    """An exclusive hold on a file for as long as this process lives."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def take(self, what: str = "") -> None:
        """Raises ConfigurationError when another process has it."""
        if self._handle is not None:
            return
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _locked(handle):
            os.close(handle)
            who = f"Another sandpit runs {what}" if what else "Another sandpit runs"
            raise ConfigurationError(
                f"{who} in {self._path.parent}: stop it, or choose another --data-dir."
            )
        self._handle = handle

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def short_directory(data_dir: Path, purpose: str) -> Path:
    """A private directory with a short name, the same one for the same data directory.

    It stands in the system's temporary directory because socket paths are limited.
    """
    return private_directory(f"{purpose}-{_digest(data_dir)}")


def private_directory(name: str) -> Path:
    """A directory of this user's alone in the system's temporary one. Raises ConfigurationError."""
    path = TEMPORARY / f"sandpit-{name}"
    path.mkdir(mode=0o700, exist_ok=True)
    _refuse_others(path, os.geteuid())
    return path


def _digest(data_dir: Path) -> str:
    return hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]


def _refuse_others(path: Path, *owners: int) -> None:
    status = path.lstat()
    if path.is_symlink() or status.st_uid not in owners or status.st_mode & 0o077:
        raise ConfigurationError(f"{path} belongs to someone else: remove it.")


def socket_directory(data_dir: Path) -> Path:
    """Where the servers put their sockets: in the data directory if its path is short enough.

    The servers of root are another user's, who cannot reach into root's data directory.
    """
    path = data_dir / "run"
    if os.geteuid() == 0 or len(os.fsencode(path)) > SOCKET_DIRECTORY_BYTES_MAX:
        return TEMPORARY / f"sandpit-run-{_digest(data_dir)}"
    return path


def make_socket_directory(data_dir: Path, owner: tuple[int, int]) -> Path:
    """The same, made for a server that runs as this uid and gid. Raises ConfigurationError."""
    path = socket_directory(data_dir)
    path.mkdir(mode=0o700, exist_ok=True)
    _refuse_others(path, os.geteuid(), owner[0])
    os.chown(path, *owner)
    return path


def leave_socket_directory(data_dir: Path) -> None:
    """Takes away what make_socket_directory made elsewhere, once the last server has left it."""
    path = socket_directory(data_dir)
    if path.parent != data_dir and path.is_dir() and not any(path.iterdir()):
        path.rmdir()
