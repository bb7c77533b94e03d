"""What `sandpit up` says when it cannot start: one sentence, a code that is not 0, nothing left."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil

REFUSED_S_MAX = 60
SECRET = "planted-password"


def refused(directory: Path, *arguments: str, **variables: str) -> str:
    """The one sentence on standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "actors.cli", "up", "--data-dir", str(directory), *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=REFUSED_S_MAX,
        check=False,
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert SECRET not in done.stderr + done.stdout
    assert not [one for one in psutil.process_iter() if str(directory) in command_line(one)]
    return done.stderr


def command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def test_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"Port {port}" in refused(tmp_path / "data", "--port", port)


def test_an_unknown_world_names_those_there_are(tmp_path: Path) -> None:
    assert "default, quiet" in refused(tmp_path / "data", "--world", "nowhere", "--port", "0")


def test_a_bad_setting_is_named(tmp_path: Path) -> None:
    said = refused(tmp_path / "data", "--port", "0", SANDPIT_ORDER_RATE="fast")
    assert "order_rate" in said


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    url = f"postgresql://someone:{SECRET}@127.0.0.1:1/x"
    said = refused(tmp_path / "data", "--port", "0", DATABASE_URL=url)
    assert "DATABASE_URL" in said


def test_a_directory_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    assert "not a sandpit data directory" in refused(tmp_path, "--port", "0")


def test_a_data_directory_of_another_layout(tmp_path: Path) -> None:
    (tmp_path / "version").write_text("99")
    assert "layout 99" in refused(tmp_path, "--port", "0")


def test_a_replay_that_is_not_there(tmp_path: Path) -> None:
    said = refused(tmp_path / "data", "--port", "0", "--replay", str(tmp_path / "no.csv"))
    assert "no.csv" in said
