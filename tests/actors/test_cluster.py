"""Ray for real, in processes of its own: private, loopback only, and gone when it should be."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from storage.servers.data_directory import short_directory
from tests.waiting import eventually, within

pytestmark = [pytest.mark.ray, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
END_S_MAX = 10
NOT_OURS = "127.0.0.1:1"
"""A cluster that a Ray of our own must not look for, though the environment names it."""

DRIVER = """
    import json, sys
    from pathlib import Path
    from actors.cluster.ours import start_local_ray, stop_ray
    address = start_local_ray(Path(sys.argv[1]))
    import psutil, ray

    class Counter:
        def add(self):
            return 1

    counter = ray.remote(num_cpus=0)(Counter).options(name="counter").remote()
    assert ray.get(counter.add.remote()) == 1
    names = [entry["name"] for entry in ray.util.list_named_actors(all_namespaces=True)]
    pids = [child.pid for child in psutil.Process().children(recursive=True)]
    print(json.dumps({"address": address, "pids": pids, "names": names}), flush=True)
    sys.stdin.readline()
    stop_ray()
"""
VISITOR = """
    import sys
    from ray._raylet import GcsClient
    print(GcsClient(address=sys.argv[1]).internal_kv_keys(b"", None, 5))
"""


@pytest.fixture
def private_dir() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="sandpit-test-"))
    yield path
    shutil.rmtree(path)


@contextmanager
def driver(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    program = [sys.executable, "-c", textwrap.dedent(DRIVER), str(data_dir)]
    environment = {**os.environ, "HOME": "/nonexistent", "RAY_ADDRESS": NOT_OURS}
    with subprocess.Popen(
        program,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
    ) as process:
        assert process.stdout is not None
        try:
            yield process, json.loads(within(process.stdout.readline))
        finally:
            process.kill()
    shutil.rmtree(short_directory(data_dir, "ray"))


def alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if psutil.pid_exists(pid)]


def listeners(pids: list[int]) -> set[str]:
    return {
        connection.laddr.ip.removeprefix("::ffff:")
        for pid in pids
        for connection in psutil.Process(pid).net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }


def test_it_listens_on_loopback_and_leaves_nothing_behind(private_dir: Path) -> None:
    with driver(private_dir) as (process, told):
        assert listeners(told["pids"]) == {"127.0.0.1"}
        assert private_dir.stat().st_mode & 0o777 == 0o700
        assert (private_dir / "ray.token").stat().st_mode & 0o777 == 0o600
        directories = [path for path in Path("/tmp").glob("sandpit-ray-*") if path.is_dir()]
        assert all(path.stat().st_mode & 0o077 == 0 for path in directories)
        process.communicate("stop\n", timeout=END_S_MAX)
        assert process.returncode == 0
        assert not alive(told["pids"])


def test_it_starts_two_processes_and_two_small_agents(private_dir: Path) -> None:
    with driver(private_dir) as (_, told):
        lines = [" ".join(psutil.Process(pid).cmdline()) for pid in told["pids"]]
    for unwanted in ("/dashboard/", "monitor.py", "log_monitor", "runtime_env/agent"):
        own = [line for line in lines if "/raylet/raylet" not in line and unwanted in line]
        assert own == [], "Ray has changed what actors/cluster/head.py replaces"
    assert sum("cluster/agent.py" in line.partition("raylet_socket")[0] for line in lines) == 2


def test_nothing_survives_a_driver_that_is_killed(private_dir: Path) -> None:
    with driver(private_dir) as (process, told):
        process.kill()
        process.wait(END_S_MAX)
        eventually(lambda: not alive(told["pids"]), END_S_MAX)
    with driver(private_dir) as (_, again):
        assert again["names"] == ["counter"]


def test_two_instances_do_not_see_each_other(private_dir: Path) -> None:
    with driver(private_dir / "a") as (_, one), driver(private_dir / "b") as (_, other):
        assert one["address"] != other["address"]
        assert one["names"] == other["names"] == ["counter"]


def test_only_the_token_opens_the_door(private_dir: Path) -> None:
    with driver(private_dir) as (_, told):
        nothing: dict[str, str] = {}
        guess = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64}
        token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(private_dir / "ray.token")}
        assert "AuthenticationError" in visit(told["address"], nothing)
        assert "AuthenticationError" in visit(told["address"], guess)
        assert "session_name" in visit(told["address"], token)


def visit(address: str, variables: dict[str, str]) -> str:
    program = [sys.executable, "-c", textwrap.dedent(VISITOR), address]
    environment = {"PATH": os.environ["PATH"], **variables}
    visit = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=60)
    return visit.stdout + visit.stderr
