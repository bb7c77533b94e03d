"""Servers that die with us."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from storage.servers.server_identity import AS_WE_ARE, Identity, launch
from storage.settings import ConfigurationError

ORPHAN_POLL_S = 0.05
ORPHAN_STOP_S = 8.0
ORPHAN_KILL_S = 4.0
LOG_TAIL_BYTES = 8_192
ENVIRONMENT_KEPT = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")


@dataclass(frozen=True)
class Stopping:
    """The signal that asks a server to stop, and how long it may take before it is killed."""

    asked_by: signal.Signals = signal.SIGTERM
    timeout_s: float = 8.0


BY_SIGTERM = Stopping()


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
        cwd: Path | str = "/",
        stdin: Path | str = os.devnull,
        stopping: Stopping = BY_SIGTERM,
    ) -> "ChildServer":
        """cwd, stdin   where it stands and what it reads: opened before it becomes another user"""
        kept = {key: os.environ[key] for key in ENVIRONMENT_KEPT if key in os.environ}
        log.write_bytes(b"")
        with log.open("ab") as output:  # appended to, so that it may be emptied under the server
            launcher = launch(
                [str(part) for part in argv],
                identity,
                cwd=cwd,
                stdin=stdin,
                stop_signal=stopping.asked_by,
                stop_timeout_s=stopping.timeout_s,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**kept, "LC_ALL": "C", "TZ": "UTC"},
                start_new_session=True,
            )
        return cls(name, launcher, log, stopping.timeout_s)

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
        return last_words(self._log)


def last_words(log: Path) -> str:
    """The line of a log that says best what went wrong."""
    text = log.read_bytes()[-LOG_TAIL_BYTES:] if log.exists() else b""
    lines = text.decode(errors="replace").splitlines()
    told = [line for line in lines if "FATAL" in line or "rror" in line]
    return (told or lines or ["it left no message"])[-1].strip()


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
    """Processes that we may look into and that stand in the directory."""
    found = psutil.process_iter(["cwd"])
    return sorted(process.pid for process in found if process.info["cwd"] == str(home))
