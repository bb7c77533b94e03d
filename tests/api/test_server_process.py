"""The process around the application: how it starts, how it refuses to, how it ends."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from api.flux.bench_route import BENCH_VARIABLE
from storage.settings import Settings
from tests.api.deployment import ROOT
from tests.waiting import eventually

AWAY = "postgresql://sandpit@127.0.0.1:1/away"


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "api.server", *arguments],
        env=os.environ | environment,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )


def refusal(process: subprocess.Popen[str]) -> str:
    _, said = process.communicate(timeout=20)
    assert process.returncode == 1
    return said


def test_without_a_database_address_it_says_so_and_ends(tmp_path: Path) -> None:
    said = refusal(start(SANDPIT_DATA_DIR=str(tmp_path)))
    assert said == "The API needs DATABASE_URL; `sandpit up` sets it.\n"


def test_without_the_process_that_started_it_it_ends_by_itself(tmp_path: Path) -> None:
    process = start(
        "--port", "0", "--owner", "1", DATABASE_URL=AWAY, SANDPIT_DATA_DIR=str(tmp_path)
    )
    assert process.wait(60) == 0
    process.communicate(timeout=20)


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refusal(start("--port", port, DATABASE_URL=AWAY, SANDPIT_DATA_DIR=str(tmp_path)))
    assert said == f"Cannot listen on 127.0.0.1:{port}: Address already in use.\n"


def test_it_serves_before_the_database_is_there_and_stops_on_sigterm(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = start("--port", str(port), DATABASE_URL=AWAY, SANDPIT_DATA_DIR=str(tmp_path))
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as http:
        eventually(lambda: answers(http), 20)
        assert http.get("/health").status_code == 503
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    process.communicate(timeout=20)


def answers(http: httpx.Client) -> bool:
    try:
        return http.get("/time").status_code == 200
    except httpx.TransportError:
        return False


def test_the_secret_is_its_owners_and_stays(tmp_path: Path) -> None:
    settings = Settings.load(database_url=AWAY, data_dir=tmp_path / "new")
    first = create_app(settings).state.services.tokens
    again = create_app(settings).state.services.tokens
    assert again.verify(first.issue(1_000)) is not None
    assert settings.auth_secret_file.stat().st_mode & 0o777 == 0o600


def test_the_benchmarks_route_is_there_only_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.load(database_url=AWAY, data_dir=tmp_path)

    def paths() -> set[str]:
        return {getattr(route, "path", "") for route in create_app(settings).routes}

    assert "/bench/noop" not in paths()
    monkeypatch.setenv(BENCH_VARIABLE, "1")
    assert "/bench/noop" in paths()


def test_the_desk_knows_nothing_of_http() -> None:
    for source in (ROOT / "api" / "desk").glob("*.py"):
        assert "fastapi" not in source.read_text()
        assert "starlette" not in source.read_text()
