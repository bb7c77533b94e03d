"""Folders of a user that are called like ours are never loaded in their place."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.deployment import Deployment
from tests.simulations import SMALL
from tests.waiting import eventually

pytestmark = [pytest.mark.ray, pytest.mark.slow]
COMMAND = str(Path(sys.executable).with_name("sandpit"))
MODULES = (
    *("actors/__init__", "actors/market", "actors/remote", "actors/recorder_process"),
    *("api/__init__", "api/server", "sim/__init__", "sim/engine", "storage/__init__"),
    *("storage/settings", "storage/database"),
)
CANARY = "open(__import__('os').environ['CANARY'], 'a').write(__name__ + chr(10))\n"
ORDER = {
    "marketId": "ETH-PERP",
    "side": "BUY",
    "type": "LIMIT",
    "quantity": "0.01",
    "price": "100",
}


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with rooms of its own, each of whose modules tells when it is loaded."""
    for name in MODULES:
        path = tmp_path / "work" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CANARY)
    monkeypatch.setenv("CANARY", str(tmp_path / "canary"))
    return tmp_path / "work"


def test_an_exchange_started_beside_them_takes_orders_and_loads_none(
    elsewhere: Path, tmp_path: Path
) -> None:
    deployment = Deployment(tmp_path / "data", command=[COMMAND], cwd=elsewhere)
    try:
        token = deployment.trader()
        status, answer, _ = deployment.ask("POST", "/orders", ORDER, token)
        assert status == 202, answer
        path = f"/orders/{answer['orderId']}"
        eventually(lambda: deployment.ask("GET", path, token=token)[1]["status"] == "OPEN", 60)
        environments = environments_below(deployment.process.pid)
    finally:
        deployment.stop()
    assert not (tmp_path / "canary").exists()
    assert_each_knows_its_own(environments, tmp_path / "data")


def environments_below(pid: int) -> dict[str, dict[str, str]]:
    """What every process of a deployment has been told, by its command line."""
    return {
        " ".join(process.cmdline()): process.environ()
        for process in psutil.Process(pid).children(recursive=True)
        if process.status() != psutil.STATUS_ZOMBIE and "launcher" not in str(process.cmdline())
    }


def assert_each_knows_its_own(found: dict[str, dict[str, str]], data_dir: Path) -> None:
    """The API the API's user, and nobody another's: in its environment at least."""
    passwords = {
        role: (data_dir / f"postgres.sandpit_{role}.password").read_text()
        for role in ("owner", "engine", "api")
    }
    api = next(told for line, told in found.items() if "api.server" in line)
    assert passwords["api"] in api["DATABASE_URL"]
    assert "REDIS_URL" not in api
    for line, told in found.items():
        others = {"owner", "engine", "api"} - ({"api"} if "api.server" in line else set())
        assert not any(passwords[role] in str(told) for role in others), line


def test_a_simulation_across_actors_beside_them_loads_none(elsewhere: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(SMALL)
    wish = ["simulate", str(tmp_path / "tiny.toml"), "--actors", "2", "--duration", "1s"]
    ended = subprocess.run(
        [COMMAND, *wish, "--to", "parquet", "--record", "all", "--out", str(tmp_path / "out")],
        cwd=elsewhere,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ended.returncode == 0, ended.stderr
    assert not (tmp_path / "canary").exists()


def test_where_a_folder_would_still_be_taken_for_ours_one_sentence_says_so(
    elsewhere: Path, tmp_path: Path
) -> None:
    for room in ("actors", "sim", "storage"):
        (elsewhere / room).rename(elsewhere / f"no_{room}")
    ended = subprocess.run(
        [COMMAND, "up", "--data-dir", str(tmp_path / "data")],
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(elsewhere)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    [line] = ended.stderr.splitlines()
    assert line.startswith(f"sandpit: {elsewhere / 'api'} would be taken for sandpit's own api")
    assert not (tmp_path / "data").exists()
