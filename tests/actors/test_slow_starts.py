"""Real actors whose constructors are held back, under a real supervisor."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import actors.live.supervisor
from actors.cluster import remote
from actors.cluster.remote import RayCluster, Wanted, ask
from actors.live.supervisor import Supervisor
from tests.waiting import eventually

pytestmark = pytest.mark.ray
START_S_MAX, SILENT_S_MAX = 60.0, 3.0
HELD_S = 3.5
LOOK_S = 0.2
NAME = "slow"


class Slow:
    """Notes each start in a file, and takes its time while `held` is there."""

    def __init__(self, directory: str, run: bool = False) -> None:
        with open(os.path.join(directory, "starts"), "a") as file:
            file.write(f"{os.getpid()}\n")
        deadline = time.monotonic() + HELD_S
        while os.path.exists(os.path.join(directory, "held")) and time.monotonic() < deadline:
            time.sleep(0.05)

    def health(self) -> int:
        return os.getpid()

    def stop(self) -> None:
        return None


@pytest.fixture
def supervisor(
    ray_session: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Supervisor]:
    monkeypatch.setattr(actors.live.supervisor, "START_S_MAX", START_S_MAX)
    monkeypatch.setattr(actors.live.supervisor, "SILENT_S_MAX", SILENT_S_MAX)
    monkeypatch.setattr(actors.live.supervisor, "ROUND_S", 0.1)
    monkeypatch.setattr(remote, "actor_class", lambda kind: Slow)
    monkeypatch.setattr(remote, "RESOURCES", {"slow": {"num_cpus": 0}})
    wanted = Wanted("slow", NAME, {"directory": str(tmp_path)})
    (tmp_path / "held").touch()
    supervisor = Supervisor([wanted], RayCluster(look_s=LOOK_S), run=True)
    yield supervisor
    supervisor.stop()
    RayCluster().end([NAME])


def starts(directory: Path) -> list[int]:
    path = directory / "starts"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def health(supervisor: Supervisor) -> Any:
    return supervisor.health().get(NAME)


def test_a_held_start_is_waited_for_and_a_stopped_process_is_replaced_once(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    first = eventually(lambda: health(supervisor), 60)
    assert starts(tmp_path) == [first]
    os.kill(first, signal.SIGKILL)  # Ray starts another, which is held back as well
    second = eventually(lambda: health(supervisor) not in (None, first) and health(supervisor), 60)
    assert starts(tmp_path) == [first, second]
    os.kill(second, signal.SIGSTOP)
    third = eventually(
        lambda: health(supervisor) not in (None, first, second) and health(supervisor), 60
    )
    assert starts(tmp_path) == [first, second, third]
    assert ask(NAME, "health", 5) == third
