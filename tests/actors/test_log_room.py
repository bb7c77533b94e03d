"""Logs are bounded in size and number, under writers that know nothing of it."""

import os
from pathlib import Path

import pytest

from actors import log_room
from actors.log_room import OLD_LOGS_MAX, LogRoom, keep_small

SMALL_BYTES = 100


@pytest.fixture(autouse=True)
def small_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_room, "LOG_BYTES_MAX", SMALL_BYTES)


def test_a_log_that_grows_for_ever_takes_so_much_and_no_more(tmp_path: Path) -> None:
    with (tmp_path / "api-0.log").open("ab", buffering=0) as writer:
        for number in range(50):
            writer.write(b"line %03d of a request that failed\n" % number)
            writer.write(b"." * SMALL_BYTES)
            keep_small(tmp_path)
        writer.write(b"the last line\n")
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(kept) == {"api-0.log", "api-0.log.1", "api-0.log.2"}
    assert len(kept) == 1 + OLD_LOGS_MAX
    assert kept["api-0.log"] == b"the last line\n"
    assert kept["api-0.log.1"].startswith(b"line 049")
    assert kept["api-0.log.2"].startswith(b"line 048")


def test_a_small_log_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "up.log").write_bytes(b"ready\n")
    keep_small(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["up.log"]
    assert (tmp_path / "up.log").read_bytes() == b"ready\n"


def test_the_oldest_logs_of_simulations_go_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_room, "SIMULATION_LOGS_MAX", 2)
    for age, name in enumerate(
        ["market-BTC-PERP.log", "simulation-1.log", "simulation-2.log", "simulation-3.log"]
    ):
        (tmp_path / name).write_text("x")
        os.utime(tmp_path / name, (age, age))
    keep_small(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "market-BTC-PERP.log",
        "simulation-2.log",
        "simulation-3.log",
    ]


def test_looking_often_looks_seldom_and_a_directory_that_is_gone_is_no_error(
    tmp_path: Path,
) -> None:
    now = [0.0]
    room = LogRoom(tmp_path, lambda: now[0])
    (tmp_path / "api-0.log").write_bytes(b"." * 2 * SMALL_BYTES)
    room.look()
    assert (tmp_path / "api-0.log").stat().st_size == 2 * SMALL_BYTES
    now[0] += log_room.LOOK_S
    room.look()
    assert (tmp_path / "api-0.log").stat().st_size == 0
    now[0] += log_room.LOOK_S
    LogRoom(tmp_path / "gone", lambda: now[0]).look()
