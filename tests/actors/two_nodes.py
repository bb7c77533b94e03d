"""A Ray cluster of two nodes of this machine, in a process of its own, for others to join."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.waiting import eventually, within

ROOT = Path(__file__).parents[2]
END_S_MAX = 10.0
SIMULATED = "ray::Simulated"
SOON_MISSED = {"RAY_health_check_period_ms": "200", "RAY_health_check_failure_threshold": "2"}
"""A node that is gone is taken for lost within half a second. One that is slow still has Ray's ten
seconds for each answer."""

PROGRAM = """
    import json, sys
    from pathlib import Path
    from actors.cluster.ours import start_local_ray, stop_ray
    from actors.cluster.head import lean_head

    directory, resources = json.loads(sys.argv[1])
    address = start_local_ray(Path(directory), cpus=1, object_store_mb=80)
    from ray._private.node import Node
    from ray._private.parameter import RayParams

    with lean_head():
        second = Node(
            RayParams(
                gcs_address=address,
                redis_address=address,
                num_cpus=1,
                num_gpus=0,
                resources=resources,
                node_ip_address="127.0.0.1",
                object_store_memory=80 << 20,
                min_worker_port=0,
                max_worker_port=0,
                include_log_monitor=False,
                node_manager_port=0,
            ),
            head=False,
            shutdown_at_exit=False,
            spawn_reaper=False,
        )
    import psutil

    raylets = [one.pid for one in psutil.Process().children() if one.name() == "raylet"]
    print(json.dumps({"address": address, "raylets": raylets}), flush=True)
    sys.stdin.readline()
    second.kill_all_processes(check_alive=False, allow_graceful=False)
    stop_ray()
"""


@dataclass(frozen=True)
class TwoNodes:
    """address of GCS; the raylets of the head and of the second node, by process id."""

    address: str
    token: Path
    raylets: list[int]
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to be let in."""
        token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(self.token)}
        return {**os.environ, **token, **self.variables}

    def actors(self, node: int) -> list[str]:
        """The actors of simulations that a node has, by the names of their processes."""
        return [name for name in map(_title, self._workers(node)) if name.startswith(SIMULATED)]

    def end_node(self, node: int) -> None:
        """Kill all processes of a node at one blow, as a lost machine does."""
        processes = self._workers(node)
        for process in (psutil.Process(self.raylets[node]), *processes):
            process.kill()

    def _workers(self, node: int) -> list[psutil.Process]:
        try:
            below = psutil.Process(self.raylets[node]).children(recursive=True)
            return list(below)
        except psutil.NoSuchProcess:
            return []


@contextmanager
def two_nodes(directory: Path, resources: Mapping[str, float] | None = None) -> Iterator[TwoNodes]:
    """One CPU each; `resources` are the second node's own."""
    told = json.dumps([str(directory), resources])
    program = [sys.executable, "-c", textwrap.dedent(PROGRAM), told]
    inherited = {**os.environ, **SOON_MISSED}
    with subprocess.Popen(
        program,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=inherited,
    ) as process:
        assert process.stdout is not None
        started: dict[str, Any] = json.loads(within(process.stdout.readline))
        nodes = TwoNodes(started["address"], directory / "ray.token", started["raylets"])
        try:
            yield nodes
            process.communicate("stop\n", timeout=END_S_MAX)
        finally:
            process.kill()
    eventually(lambda: not any(map(psutil.pid_exists, nodes.raylets)))


def _title(process: psutil.Process) -> str:
    try:
        return str(process.cmdline()[0]).strip()
    except (psutil.Error, IndexError):
        return ""
