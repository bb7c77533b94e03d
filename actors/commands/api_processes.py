"""The API's processes: they share one listening socket and are replaced when they end or hang."""

import errno
import json
import os
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import structlog

from actors.own_tree import command
from actors.silence import SILENT_S_MAX, START_S_MAX, Silence
from storage.process_limits import die_with_parent
from storage.settings import ADDRESSES, ConfigurationError, Settings

STOP_S = 4.0
PAUSE_S_MIN, PAUSE_S_MAX = 0.2, 30.0
"""Between two starts of one process; doubles while it ends before it has answered."""

HEARTBEATS_READ_MAX = 4_096
ADVICE = {
    errno.EADDRINUSE: "Stop what uses it or choose another --port",
    errno.EACCES: "Choose a --port of 1024 or more",
}

log = structlog.get_logger()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, bound before anything else starts. Raises ConfigurationError.

    How many connections wait there is said by each API process, when it listens too.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:
        number = getattr(error, "errno", None) or 0
        advice = ADVICE.get(number, "Choose another --host")
        said = os.strerror(number) if number > 0 else getattr(error, "strerror", None) or error
        raise ConfigurationError(
            f"Port {port} on {host} cannot be used: {said}. {advice}."
        ) from None


class ApiProcess:
    """One process, and the pipe by which its event loop says that it turns.

    Processes that share a socket cannot be asked one by one: each speaks for itself.
    """

    def __init__(self, command: Sequence[str], descriptor: int, log: Path, **more: Any) -> None:
        self._heartbeats, theirs = os.pipe()
        os.set_blocking(self._heartbeats, False)
        try:
            with appended(log) as output:
                self.popen = subprocess.Popen(
                    [*command, "--heartbeat-fd", str(theirs)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    pass_fds=(descriptor, theirs),
                    start_new_session=True,
                    preexec_fn=die_with_parent,
                    **more,
                )
        except OSError:
            self.forget()
            raise
        finally:
            os.close(theirs)
        self.has_answered = False
        self._silence = Silence(time.monotonic())

    def hangs(self, now: float) -> bool:
        """Whether it has been silent for longer than its start, or a turn, may take."""
        if self._has_spoken():
            self.has_answered = True
            self._silence.heard(now)
        limit_s = SILENT_S_MAX if self.has_answered else START_S_MAX
        return self._silence.listened(now) > limit_s

    def _has_spoken(self) -> bool:
        try:
            return bool(os.read(self._heartbeats, HEARTBEATS_READ_MAX))
        except BlockingIOError:
            return False

    def end(self) -> None:
        """Not gently: what hangs hears no signal."""
        self.popen.kill()
        self.popen.wait()
        self.forget()

    def forget(self) -> None:
        """Close the pipe of a process that has ended."""
        os.close(self._heartbeats)


def appended(log: Path) -> IO[bytes]:
    """A log file open at its end; nowhere, where it cannot be made."""
    try:
        return log.open("ab")
    except OSError:
        return open(os.devnull, "ab")


class ApiProcesses:
    """A fixed number of uvicorn processes on one socket."""

    def __init__(self, settings: Settings, listener: socket.socket, log_dir: Path) -> None:
        self._count = settings.api_processes
        self._listener = listener
        self._log_dir = log_dir
        self._environment = environment(settings)
        self._processes: list[ApiProcess] = []
        self._pauses_s = [PAUSE_S_MIN] * self._count
        self._starts_from = [0.0] * self._count

    @property
    def pids(self) -> list[int]:
        """Process ids of those that run."""
        return [one.popen.pid for one in self._processes if one.popen.poll() is None]

    def start(self) -> None:
        """Start all."""
        self._processes = [self._start_one(number) for number in range(self._count)]

    def watch(self) -> None:
        """Replace those that have ended, or hang. Called a few times a second."""
        now = time.monotonic()
        for number, process in enumerate(self._processes):
            if process.popen.poll() is None and not process.hangs(now):
                continue
            if now >= self._starts_from[number]:
                self._replace(number, process, now)

    def _replace(self, number: int, process: ApiProcess, now: float) -> None:
        code = process.popen.poll()
        log.warning("api_process_is_replaced", pid=process.popen.pid, code=code, hung=code is None)
        pause_s = PAUSE_S_MIN if process.has_answered else 2 * self._pauses_s[number]
        self._pauses_s[number] = min(pause_s, PAUSE_S_MAX)
        self._starts_from[number] = now + self._pauses_s[number]
        try:
            replacement = self._start_one(number)
        except OSError as error:  # no room for another process, say
            log.warning("api_process_not_started", error=str(error))
            return
        process.end()
        self._processes[number] = replacement

    def stop(self) -> None:
        """Let requests under way finish, then end."""
        for process in self._processes:
            process.popen.terminate()
        deadline = time.monotonic() + STOP_S
        for process in self._processes:
            with suppress(subprocess.TimeoutExpired):
                process.popen.wait(max(0.1, deadline - time.monotonic()))
            process.end()

    def _start_one(self, number: int) -> ApiProcess:
        descriptor = self._listener.fileno()
        line = command("api.server", "--fd", descriptor, "--owner", os.getpid())
        log_file = self._log_dir / f"api-{number}.log"
        return ApiProcess(line, descriptor, log_file, env=self._environment)


SECRETS = (
    *("database_url", "engine_database_url", "api_database_url", "redis_url"),
    "llm_api_key",
)
"""Settings that an API process is not told as they stand: it knows its own addresses alone."""


def environment(settings: Settings) -> Mapping[str, str]:
    """The settings as the variables that an API process reads them from."""
    assert settings.database_url is not None
    assert settings.redis_url is not None
    given = settings.model_dump(mode="json", exclude_none=True, exclude={*SECRETS})
    variables = {f"SANDPIT_{name.upper()}": spelled(value) for name, value in given.items()}
    variables.pop("SANDPIT_RAY_ADDRESS", None)
    variables["DATABASE_URL"] = settings.database_url.get_secret_value()
    if settings.limits_redis_url is None:
        variables["REDIS_URL"] = settings.redis_url.get_secret_value()
    inherited = {name: value for name, value in os.environ.items() if name not in ADDRESSES}
    return {**inherited, **variables}


def spelled(value: object) -> str:
    """A setting's value as pydantic-settings reads it from a variable."""
    return value if isinstance(value, str) else json.dumps(value)
