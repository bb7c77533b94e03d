"""No file that a person names is waited for: named pipes, devices and directories are refused."""

import os
import signal
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from types import FrameType

import pytest

from storage.files.scenario_file import load_scenario, scenario_prices
from storage.files.trades_file import read_trades
from storage.files.world_file import load_world
from storage.runs.run_directory import CHECKPOINT, SUMMARY, RunDirectory

NOT_REGULAR = "is not a regular file"
READERS: dict[str, Callable[[Path], object]] = {
    "trades": lambda path: read_trades(path, Decimal("0.1")),
    "a scenario": lambda path: load_scenario(str(path)),
    "a scenario's trades": lambda path: scenario_prices(load_scenario("replay", replay=path)),
    "a world": lambda path: load_world(str(path)),
}
SECONDS_MAX = 20


def too_long(_number: int, _frame: FrameType | None) -> None:
    pytest.fail("it waits for what nobody writes")  # no OSError, which a reader may take for one


@pytest.fixture(autouse=True)
def is_bounded() -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(SECONDS_MAX)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def pipe(directory: Path, name: str = "FIFO") -> Path:
    path = directory / name
    os.mkfifo(path)
    return path


@pytest.mark.parametrize("what", READERS)
@pytest.mark.parametrize("kind", ["pipe", "device", "directory"])
def test_what_is_no_regular_file_is_refused_at_once(what: str, kind: str, tmp_path: Path) -> None:
    path = {"pipe": pipe(tmp_path), "device": Path("/dev/zero"), "directory": tmp_path}[kind]
    with pytest.raises(ValueError, match=NOT_REGULAR) as refused:
        READERS[what](path)
    assert str(path) in str(refused.value)


def test_a_pipe_in_the_place_of_a_checkpoint_is_refused_and_of_a_summary_ignored(
    tmp_path: Path,
) -> None:
    run = RunDirectory(tmp_path)
    pipe(tmp_path, CHECKPOINT)
    pipe(tmp_path, SUMMARY)
    with pytest.raises(OSError, match=NOT_REGULAR):
        run.read_checkpoint()
    assert run.read_summary() == {}
