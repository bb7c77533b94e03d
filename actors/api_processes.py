"""The API's processes: they share one listening socket and are started again when they end."""

import ctypes
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import structlog

from actors.own_tree import command
from storage.settings import ADDRESSES, ConfigurationError, Settings

BACKLOG = 1_024
STOP_S = 4.0
RESTART_PAUSE_S = 0.2
PR_SET_PDEATHSIG = 1
ADVICE = {
    errno.EADDRINUSE: "Stop what uses it or choose another --port",
    errno.EACCES: "Choose a --port of 1024 or more",
}

log = structlog.get_logger()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, bound before anything else starts. Raises ConfigurationError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:
        number = getattr(error, "errno", None) or 0
        advice = ADVICE.get(number, "Choose another --host")
        said = os.strerror(number) if number > 0 else getattr(error, "strerror", None) or error
        raise ConfigurationError(
            f"Port {port} on {host} cannot be used: {said}. {advice}."
        ) from None


def die_with_parent() -> None:
    """In a new child: be told to end when the process that started it is gone.

    Only Linux tells. Elsewhere the child looks for itself: api.server --owner.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class ApiProcesses:
    """A fixed number of uvicorn processes on one socket."""

    def __init__(self, settings: Settings, listener: socket.socket, log_dir: Path) -> None:
        self._count = settings.api_processes
        self._listener = listener
        self._log_dir = log_dir
        self._environment = environment(settings)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._restarted_at = 0.0

    @property
    def pids(self) -> list[int]:
        """Process ids of those that run."""
        return [process.pid for process in self._processes if process.poll() is None]

    def start(self) -> None:
        """Start all."""
        self._processes = [self._start_one(number) for number in range(self._count)]

    def watch(self) -> None:
        """Replace those that have ended."""
        for number, process in enumerate(self._processes):
            if process.poll() is None or time.monotonic() - self._restarted_at < RESTART_PAUSE_S:
                continue
            log.warning("api_process_ended", pid=process.pid, code=process.returncode)
            self._restarted_at = time.monotonic()
            self._processes[number] = self._start_one(number)

    def stop(self) -> None:
        """Let requests under way finish, then end."""
        for process in self._processes:
            process.terminate()
        deadline = time.monotonic() + STOP_S
        for process in self._processes:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start_one(self, number: int) -> subprocess.Popen[bytes]:
        descriptor = self._listener.fileno()
        with (self._log_dir / f"api-{number}.log").open("ab") as output:
            return subprocess.Popen(
                command("api.server", "--fd", descriptor, "--owner", os.getpid()),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment,
                pass_fds=(descriptor,),
                start_new_session=True,
                preexec_fn=die_with_parent,
            )


SECRETS = ("database_url", "engine_database_url", "api_database_url", "redis_url")
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
