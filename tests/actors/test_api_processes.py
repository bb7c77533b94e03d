"""API processes: one that hangs is replaced, one that ends at once is started with pauses."""

import itertools
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

import actors.commands.api_processes
from actors.commands.api_processes import ApiProcesses, listen
from storage.settings import Settings
from tests.waiting import eventually

SILENT_S = 3.0
READ_S_MAX = 2.0
STARTS = 4


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with listen("127.0.0.1", 0) as bound:
        yield bound


@pytest.fixture
def api(
    settings: Settings, listener: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ApiProcesses]:
    monkeypatch.setattr(actors.commands.api_processes, "SILENT_S_MAX", SILENT_S)
    processes = ApiProcesses(settings, listener, tmp_path)
    processes.start()
    yield processes
    processes.stop()


def answers(listener: socket.socket) -> bool:
    """Whether /health is answered soon."""
    with socket.create_connection(listener.getsockname(), READ_S_MAX) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            return connection.recv(12) == b"HTTP/1.1 200"
        except TimeoutError:
            return False


def test_a_process_that_hangs_is_replaced_and_one_that_starts_is_not(
    api: ApiProcesses, listener: socket.socket
) -> None:
    def watched() -> bool:
        api.watch()
        return answers(listener)

    def replaced() -> bool:
        api.watch()
        return api.pids != [first]

    (first,) = api.pids
    eventually(watched, 60)
    assert api.pids == [first]
    os.kill(first, signal.SIGSTOP)
    eventually(replaced, 60)
    (second,) = api.pids
    eventually(watched, 60)
    assert api.pids == [second]
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


def test_a_log_that_cannot_be_written_is_no_reason_not_to_serve(
    settings: Settings, listener: socket.socket, tmp_path: Path
) -> None:
    (tmp_path / "api-0.log").symlink_to("/dev/full")
    for log_dir in (tmp_path, tmp_path / "none"):
        processes = ApiProcesses(settings, listener, log_dir)
        processes.start()
        eventually(lambda: answers(listener), 60)
        processes.stop()


def test_a_process_that_ends_at_once_is_started_less_and_less_often(
    settings: Settings, listener: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, starts = 0.0, list[float]()
    monkeypatch.setattr("sys.executable", "/bin/false")
    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr("actors.commands.api_processes.time", clock)
    processes = ApiProcesses(settings, listener, tmp_path)
    processes.start()
    with capture_logs() as logs:
        while len(starts) < STARTS:
            eventually(lambda: not processes.pids)
            now += 0.1
            processes.watch()
            starts += [now] * (len(logs) - len(starts))
    processes.stop()
    pauses = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert all(later > 1.5 * earlier for earlier, later in itertools.pairwise(pauses))
