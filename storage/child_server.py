"""Servers that die with us, and the user they run as."""

import importlib.util
import json
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from storage.settings import ConfigurationError

LAUNCHER = Path(__file__).with_name("launcher.py")
PROBE_TIMEOUT_S = 10
ORPHAN_POLL_S = 0.05
ORPHAN_STOP_S = 8.0
ORPHAN_KILL_S = 4.0
LOG_TAIL_BYTES = 8_192
ENVIRONMENT_KEPT = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")


@dataclass(frozen=True)
class Identity:
    """How a server runs: as we are, as another name for us in a namespace, or as another user."""

    kind: Literal["same", "map", "drop"]
    uid: int = -1
    gid: int = -1


AS_WE_ARE = Identity("same")


class ChildServer:
    """One server under its launcher; the pipe that this object holds keeps it alive."""

    def __init__(self, name: str, launcher: subprocess.Popen[bytes], log: Path, stop_s: float):
        self._name = name
        self._launcher = launcher
        self._log = log
        self._stop_s = stop_s

    @classmethod
    def launch(
        cls,
        name: str,
        argv: Sequence[str | Path],
        *,
        log: Path,
        identity: Identity = AS_WE_ARE,
        stop_signal: signal.Signals = signal.SIGTERM,
        stop_timeout_s: float = 8.0,
    ) -> "ChildServer":
        plan = {
            "argv": [str(part) for part in argv],
            "identity": identity.kind,
            "uid": identity.uid,
            "gid": identity.gid,
            "stop_signal": int(stop_signal),
            "stop_timeout_s": stop_timeout_s,
        }
        kept = {key: os.environ[key] for key in ENVIRONMENT_KEPT if key in os.environ}
        log.write_bytes(b"")
        with log.open("ab") as output:  # appended to, so that it may be emptied under the server
            launcher = subprocess.Popen(
                [sys.executable, "-I", "-S", str(LAUNCHER), json.dumps(plan)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**kept, "LC_ALL": "C", "TZ": "UTC"},
                cwd="/",
                start_new_session=True,
            )
        return cls(name, launcher, log, stop_timeout_s)

    def is_alive(self) -> bool:
        return self._launcher.poll() is None

    def wait(self, timeout_s: float) -> int:
        """The exit code of a command that ends by itself; stops it at the time limit."""
        try:
            code = self._launcher.wait(timeout_s)
            self.stop()
            return code
        except subprocess.TimeoutExpired:
            self.stop()
            raise ConfigurationError(
                f"{self._name} took more than {timeout_s:.0f} s: see {self._log}."
            ) from None

    def stop(self) -> None:
        """Asks, waits, and kills: never takes longer than the stop time and two seconds."""
        assert self._launcher.stdin is not None
        self._launcher.stdin.close()
        try:
            self._launcher.wait(self._stop_s + 2)
        except subprocess.TimeoutExpired:
            self._launcher.kill()
            self._launcher.wait()

    def last_words(self) -> str:
        """The line of the log that says best what went wrong."""
        lines = self._log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace").splitlines()
        told = [line for line in lines if "FATAL" in line or "rror" in line]
        return (told or lines or ["it left no message"])[-1].strip()


def wheel(package: str) -> Path:
    """Where a wheel was unpacked. It is not imported: importing these has side effects."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(f"The package {package} is not installed: run make setup.")
    return Path(spec.submodule_search_locations[0])


def unprivileged() -> Identity:
    """A user other than root that has a name, as PostgreSQL demands.

    Raises ConfigurationError when this machine offers no way.
    """
    uid = os.geteuid()
    if uid != 0 and any(entry.pw_uid == uid for entry in pwd.getpwall()):
        return AS_WE_ARE
    named = [entry for entry in pwd.getpwall() if entry.pw_uid != 0]
    if not named:
        raise ConfigurationError("PostgreSQL does not run as root: add any other user first.")
    kinds: tuple[Literal["map", "drop"], ...] = ("map", "drop") if uid == 0 else ("map",)
    for kind in kinds:
        identity = Identity(kind, named[0].pw_uid, named[0].pw_gid)
        if _works(identity):
            return identity
    raise ConfigurationError(
        "PostgreSQL does not run as root, and this machine lets root neither make a user "
        "namespace nor become another user: run sandpit as an ordinary user, or set DATABASE_URL."
    )


def _works(identity: Identity) -> bool:
    """Tries it on a process that reads this file, which may stand in a private directory."""
    program = f"import os; open({str(LAUNCHER)!r}); raise SystemExit(os.geteuid() == 0)"
    plan = {
        "argv": [sys.executable, "-I", "-S", "-c", program],
        "identity": identity.kind,
        "uid": identity.uid,
        "gid": identity.gid,
        "stop_signal": int(signal.SIGKILL),
        "stop_timeout_s": 1,
    }
    probe = subprocess.Popen(
        [sys.executable, "-I", "-S", str(LAUNCHER), json.dumps(plan)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        return probe.wait(PROBE_TIMEOUT_S) == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        assert probe.stdin is not None
        probe.stdin.close()
        probe.wait()


def end_orphans(home: Path, main_pid: int | None, stop_signal: signal.Signals) -> None:
    """Ends the servers that a killed owner left working in a directory that we now hold."""
    for number, limit_s in ((stop_signal, ORPHAN_STOP_S), (signal.SIGKILL, ORPHAN_KILL_S)):
        orphans = _working_in(home)
        gentle = [pid for pid in orphans if pid == main_pid]
        for pid in gentle or orphans:
            _signal(pid, number)
        deadline = time.monotonic() + limit_s
        while orphans and time.monotonic() < deadline:
            time.sleep(ORPHAN_POLL_S)
            orphans = _working_in(home)
        if not orphans:
            return
    raise ConfigurationError(f"Process {orphans[0]} still works in {home} and cannot be ended.")


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _working_in(home: Path) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if os.readlink(entry / "cwd") == str(home):
                found.append(int(entry.name))
        except OSError:
            continue  # it has ended, or is not ours
    return sorted(found)
