"""A server of ours that hangs is started again, and so is one that has ended."""

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

import actors.commands.server_watch
import storage.servers.valkey
from actors.commands.server_watch import ServerWatch
from storage.servers.embedded import EmbeddedValkey
from tests.waiting import eventually


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedValkey]:
    monkeypatch.setattr(actors.commands.server_watch, "SERVER_SILENT_S_MAX", 1.0)
    monkeypatch.setattr(actors.commands.server_watch, "ASK_EVERY_S", 0.1)
    monkeypatch.setattr(storage.servers.valkey, "ANSWER_S_MAX", 0.5)
    server = EmbeddedValkey(tmp_path / "data")
    server.start()
    yield server
    server.stop()


def pid_of(data_dir: Path) -> int:
    """Of the server that works in a directory; its launcher does not."""
    (server,) = [
        one.pid
        for one in psutil.Process().children(recursive=True)
        if one.status() != psutil.STATUS_ZOMBIE and one.cwd() == str(data_dir / "valkey")
    ]
    return int(server)


def is_told(watch: ServerWatch, said: list[str], words: str) -> bool:
    watch.watch()
    return any(words in one for one in said)


def test_a_server_that_hangs_or_has_ended_is_started_again(
    server: EmbeddedValkey, tmp_path: Path
) -> None:
    said: list[str] = []
    watch = ServerWatch("Valkey", server, said.append)
    for number, told in ((signal.SIGSTOP, "does not answer"), (signal.SIGKILL, "has ended")):
        os.kill(pid_of(tmp_path / "data"), number)
        eventually(partial(is_told, watch, said, told), 60)
        assert server.answers()
    assert len(said) == 2
    watch.close()
