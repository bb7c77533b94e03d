"""The user that the embedded servers run as: never root, and without a capability."""

import json
import os
import pwd
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from storage.settings import ConfigurationError

LAUNCHER = Path(__file__).with_name("launcher.py")
PROBE_TIMEOUT_S = 10
SYSTEM_USERS = ("sandpit", "nobody")
"""Who the servers of root run as where no setting says it: the first of these that there is."""

WHERE_IT_STANDS = "/proc/self/cwd"


@dataclass(frozen=True)
class Identity:
    """How a server runs: as we are, as a name for us in a namespace, or as another user."""

    kind: Literal["same", "map", "drop"]
    uid: int = -1
    gid: int = -1
    name: str = ""

    @property
    def owner(self) -> tuple[int, int]:
        """uid and gid that its files have to have."""
        return (self.uid, self.gid) if self.kind == "drop" else (os.geteuid(), os.getegid())

    def own_name_of(self, home: Path) -> str:
        """What a server that stands in its home directory calls it.

        The directories above may be closed to another user; Linux lets a process reach where it
        stands without passing through them.
        """
        is_linux = sys.platform == "linux"
        return WHERE_IT_STANDS if self.kind == "drop" and is_linux else str(home)


AS_WE_ARE = Identity("same")


def server_identity(user: str | None = None) -> Identity:
    """Who the servers run as.

    user   a name, for a sandpit that is run as root; None: the first of SYSTEM_USERS

    Raises ConfigurationError where this machine offers nobody.
    """
    if os.geteuid() == 0:
        return _another_user(user)
    if _has_a_name(os.geteuid()):
        return AS_WE_ARE
    return _a_name_for_us()


def _another_user(user: str | None) -> Identity:
    found = _entry(user) if user else next(filter(None, map(_entry, SYSTEM_USERS)), None)
    if found is None and user:
        raise ConfigurationError(f"SANDPIT_SERVERS_USER: there is no user {user} on this machine.")
    if found is None:
        raise ConfigurationError(
            "PostgreSQL and Valkey do not run as root, and there is no user nobody: add one "
            "(useradd --system sandpit), or run sandpit as an ordinary user."
        )
    if found.pw_uid == 0:
        raise ConfigurationError(f"SANDPIT_SERVERS_USER: {user} is root; name another user.")
    identity = Identity("drop", found.pw_uid, found.pw_gid, found.pw_name)
    if not _may_be(identity):
        raise ConfigurationError(
            f"PostgreSQL and Valkey do not run as root, and this root may not become "
            f"{found.pw_name}: run sandpit as an ordinary user, or set DATABASE_URL and REDIS_URL."
        )
    return identity


def _a_name_for_us() -> Identity:
    """PostgreSQL wants its user to have a name: a namespace can give one."""
    named = [entry for entry in pwd.getpwall() if entry.pw_uid != 0]
    if named:
        identity = Identity("map", named[0].pw_uid, named[0].pw_gid, named[0].pw_name)
        if _may_be(identity):
            return identity
    raise ConfigurationError(
        f"PostgreSQL does not run as user {os.geteuid()}, who has no name, and this machine allows "
        "no user namespace: run sandpit as a user of this machine, or set DATABASE_URL."
    )


def _entry(user: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(user)
    except KeyError:
        return None


def _has_a_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def launch(
    argv: list[str],
    identity: Identity,
    *,
    cwd: Path | str = "/",
    stdin: Path | str = os.devnull,
    stop_signal: signal.Signals = signal.SIGKILL,
    stop_timeout_s: float = 1.0,
    **how: object,
) -> "subprocess.Popen[bytes]":
    """The launcher with its plan; the pipe to its standard input keeps the server alive."""
    plan = {
        "argv": argv,
        "identity": identity.kind,
        "uid": identity.uid,
        "gid": identity.gid,
        "cwd": str(cwd),
        "stdin": str(stdin),
        "stop_signal": int(stop_signal),
        "stop_timeout_s": stop_timeout_s,
    }
    command = [sys.executable, "-I", "-S", str(LAUNCHER), json.dumps(plan)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, **how)  # type: ignore[call-overload, no-any-return]


def _may_be(identity: Identity) -> bool:
    """Tries it on a process that does nothing else."""
    probe = launch([], identity, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return probe.wait(PROBE_TIMEOUT_S) == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        assert probe.stdin is not None
        probe.stdin.close()
        probe.wait()


def give(directory: Path, identity: Identity) -> None:
    """Hands a directory with all that is in it to the user the server runs as.

    The directory itself changes hands last: what is interrupted is begun anew.
    """
    uid, gid = identity.owner
    if os.geteuid() != 0 or directory.stat().st_uid == uid:
        return
    for parent, folders, files in os.walk(directory, topdown=False):
        for name in (*files, *folders):
            os.chown(os.path.join(parent, name), uid, gid, follow_symlinks=False)
    os.chown(directory, uid, gid, follow_symlinks=False)
