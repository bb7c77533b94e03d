"""A simulation on the Ray cluster of others: two nodes of this machine, joined as anybody would."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.cluster.ours import cluster_of_this_machine
from actors.simulate.placement import Joined, fitting
from actors.simulate.spread_world import SpreadWorld
from actors.simulate.worlds import SimulateError, chosen_actors
from sim.scenario.scenario import Scenario
from tests.actors.two_nodes import ROOT, TwoNodes, two_nodes
from tests.sim.scenario_texts import (
    BTC,
    ETH,
    EVERYONE,
    HEAD,
    MAKERS,
    prices_of,
    scenario_of,
    world_of,
)
from tests.waiting import eventually, within

pytestmark = [pytest.mark.ray, pytest.mark.slow]

COMMAND = [str(Path(sys.executable).with_name("sandpit")), "simulate"]
"""As installed, and started elsewhere: Ray lends workers the driver's directories."""

RUN_COMMAND = "from actors.cli import app; app()"

SEED, SHORT_S, LONG_S = 5, 6, 3_600
START_S_MAX, RUN_S_MAX = 60.0, 120.0
KILLED_S, CHECKPOINT_STEPS = 20, 20
CALLED_STEPS = 30
MARKET = "ray::SimulatedMarketActor"

DRIVER = """
    import json, sys
    from itertools import pairwise
    from actors.simulate.spread_world import SpreadWorld
    from actors.simulate.placement import placed
    from actors.simulate.worlds import joined
    from tests.sim.scenario_texts import prices_of, scenario_of

    address, seed, duration_s, checkpoint_steps = sys.argv[1], *map(int, sys.argv[2:])
    scenario = scenario_of(seed=seed, duration_s=duration_s)
    seen = []

    def look():
        if world.step_no == checkpoint_steps * 5 // 2 and world.step_no not in seen:
            print("under way", file=sys.__stdout__, flush=True)
            sys.stdin.readline()
        seen.append(world.step_no)

    with joined(address):
        world = SpreadWorld(scenario, prices_of(scenario), 2, checkpoint_steps, place=placed)
        world.run(None, look)
        back = [after for before, after in pairwise(seen) if after < before]
        told = json.dumps([world.state_hash(), world.restarts, back])
        print(told, file=sys.__stdout__, flush=True)
"""
OTHER_RAY = """
    import json, sys
    from ray._raylet import GcsClient
    gcs = GcsClient(address=sys.argv[1])
    told = json.loads(gcs.internal_kv_get(b"CLUSTER_METADATA", b"cluster", None))
    told["ray_version"] = sys.argv[2]
    gcs.internal_kv_put(b"CLUSTER_METADATA", json.dumps(told).encode(), True, b"cluster", None)
"""


@pytest.fixture(scope="module")
def private_dir() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="sandpit-test-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def nodes(private_dir: Path) -> Iterator[TwoNodes]:
    """The second node wants markets."""
    with two_nodes(private_dir / "grouped", {"market": 2}) as cluster:
        yield cluster


@pytest.fixture
def scenario_file(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(HEAD.format(seed=SEED, duration_s=SHORT_S) + EVERYONE)
    return path


def oracle(scenario: Scenario) -> str:
    world = world_of(scenario)
    world.run()
    return world.state_hash()


def started(
    nodes: TwoNodes, *arguments: object, command: list[str] = COMMAND
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*command, *map(str, arguments)],
        env=nodes.environment,
        cwd=nodes.token.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def sentence(nodes: TwoNodes, *arguments: object, command: list[str] = COMMAND) -> str:
    """What it says where it starts nothing."""
    with started(nodes, *arguments, command=command) as process:
        said, complaint = process.communicate(timeout=RUN_S_MAX)
    assert (process.returncode, said, complaint.count("\n")) == (1, "", 1)
    return complaint


def nothing_is_left(nodes: TwoNodes) -> bool:
    return nodes.actors(0) == nodes.actors(1) == []


def test_two_nodes_come_to_the_hash_of_one_process(nodes: TwoNodes, scenario_file: Path) -> None:
    where = ("--address", nodes.address, "--out", scenario_file.parent / "out")
    with started(nodes, scenario_file, *where, "--actors", 2, "--json") as process:
        eventually(lambda: nodes.actors(1).count(MARKET) == 2, START_S_MAX)
        eventually(lambda: nodes.actors(0), START_S_MAX)
        assert not [name for name in nodes.actors(0) if name.startswith(MARKET)]
        summary: dict[str, Any] = json.loads(process.communicate(timeout=RUN_S_MAX)[0])
    assert summary["state_hash"] == oracle(scenario_of(seed=SEED, duration_s=SHORT_S))
    assert "on 2 nodes with 2 CPUs" in summary["actors"]
    eventually(lambda: nothing_is_left(nodes))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_actor_outlives_its_driver(
    nodes: TwoNodes, scenario_file: Path, number: signal.Signals
) -> None:
    out = scenario_file.parent / "out"
    where = ("--address", nodes.address, "--out", out, "--duration", LONG_S)
    with started(nodes, scenario_file, *where) as process:
        eventually(lambda: nodes.actors(0) and nodes.actors(1), START_S_MAX)
        process.send_signal(number)
        process.communicate(timeout=RUN_S_MAX)
    assert process.returncode == (130 if number == signal.SIGINT else -number)
    assert (out / "checkpoint.bin").exists() == (number == signal.SIGINT)
    eventually(lambda: nothing_is_left(nodes))


def test_a_lost_node_changes_nothing(private_dir: Path) -> None:
    scenario = scenario_of(seed=SEED, duration_s=KILLED_S)
    with two_nodes(private_dir / "lost") as nodes:
        told = [nodes.address, SEED, KILLED_S, CHECKPOINT_STEPS]
        program = [sys.executable, "-c", textwrap.dedent(DRIVER), *map(str, told)]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            program, env=nodes.environment, cwd=ROOT, stdin=pipe, stdout=pipe, text=True
        ) as process:
            assert process.stdout is not None
            assert within(process.stdout.readline) == "under way\n"
            assert nodes.actors(0)
            assert nodes.actors(1)
            nodes.end_node(1)
            said = process.communicate("go on\n", timeout=RUN_S_MAX)[0]
    state_hash, restarts, back = json.loads(said)
    assert state_hash == oracle(scenario)
    assert restarts >= 1
    assert min(back) == CHECKPOINT_STEPS * 2, "it goes on from a checkpoint, not from the beginning"


def test_what_cannot_be_joined_is_one_sentence(nodes: TwoNodes, scenario_file: Path) -> None:
    nowhere = "127.0.0.1:1"
    assert f"Nothing answers at --address {nowhere}" in sentence(
        nodes, scenario_file, "--address", nowhere
    )
    nodes = TwoNodes(nodes.address, nodes.token, nodes.raylets, {"RAY_ADDRESS": nowhere})
    assert f"Nothing answers at RAY_ADDRESS={nowhere}" in sentence(
        nodes, scenario_file, "--address", "auto"
    )
    assert "does not read like HOST:PORT" in sentence(nodes, scenario_file, "--address", "there")


def test_auto_finds_the_cluster_of_this_machine(nodes: TwoNodes) -> None:
    host, _, port = cluster_of_this_machine().rpartition(":")
    assert host
    assert port.isdecimal()


def test_another_version_of_ray_is_one_sentence(nodes: TwoNodes, scenario_file: Path) -> None:
    import ray

    pretend(nodes, "1.0.0")
    try:
        said = sentence(nodes, scenario_file, "--address", nodes.address)
    finally:
        pretend(nodes, ray.__version__)
    assert f"started with: Ray: 1.0.0 Python: {sys.version.split()[0]}" in said


def pretend(nodes: TwoNodes, version: str) -> None:
    """The cluster says that it was started by this version of Ray."""
    program = [sys.executable, "-c", textwrap.dedent(OTHER_RAY), nodes.address, version]
    subprocess.run(program, env=nodes.environment, check=True, timeout=RUN_S_MAX)


ANOTHER_VERSION = "cluster.FORMATIVE = ()"
MOVED = "cluster.fingerprint.__qualname__ = 'imprint'; cluster.imprint = cluster.fingerprint"


@pytest.mark.parametrize(
    ("change", "said"),
    [(ANOTHER_VERSION, "has another version of sandpit"), (MOVED, "cannot load sandpit")],
)
def test_nodes_with_another_sandpit_are_one_sentence(
    nodes: TwoNodes, scenario_file: Path, change: str, said: str
) -> None:
    """Another than the driver's: nodes of this machine would find the driver's own."""
    program = f"from actors.simulate import placement as cluster; {change}; {RUN_COMMAND}"
    command = [sys.executable, "-P", "-c", program, "simulate"]
    where = (scenario_file, "--address", nodes.address)
    assert said in sentence(nodes, *where, command=command)


class Counted:
    """An actor's handle, or a method of one, that notes each call."""

    def __init__(self, handle: Any, calls: list[str]) -> None:
        self._handle, self._calls = handle, calls

    def __getattr__(self, name: str) -> "Counted":
        return Counted(getattr(self._handle, name), self._calls)

    def options(self, **options: Any) -> "Counted":
        return Counted(self._handle.options(**options), self._calls)

    def remote(self, *arguments: Any) -> Any:
        self._calls.append(repr(self._handle))
        return self._handle.remote(*arguments)


def test_a_step_costs_the_driver_one_call_an_actor(ray_session: str) -> None:
    scenario = scenario_of(BTC + ETH + MAKERS + MAKERS.replace("makers", "others"), SEED)
    for actors in (1, 2):
        world = SpreadWorld(scenario, prices_of(scenario), 1, actors=actors)
        world.run(5)
        calls, handles = list[str](), (world.markets, world.parts)
        world.markets, world.parts = ([Counted(one, calls) for one in of] for of in handles)
        world.run(5 + CALLED_STEPS)
        world.markets, world.parts = handles
        world.stop()
        assert len(world.markets) == len(world.parts) == actors
        assert len(calls) == CALLED_STEPS * 2 * actors


@pytest.mark.parametrize(
    ("amounts", "count", "each"),
    [([2.0], 2, 1.0), ([1.0, 1.0], 3, 0.5), ([4.0], 6, 0.5), ([3.0], 7, 0.3333), ([0.5], 1, 0.5)],
)
def test_actors_share_what_the_nodes_offer(amounts: list[float], count: int, each: float) -> None:
    assert fitting(amounts, count) == each
    assert sum(int(amount / each + 1e-9) for amount in amounts) >= count


def test_a_cluster_is_used_up_to_its_cpus() -> None:
    scenario = scenario_of()
    cluster = Joined("127.0.0.1:1", nodes=3, cpus=12)
    assert chosen_actors("auto", scenario, cluster)[0] == 12
    assert chosen_actors("3", scenario, cluster)[0] == 3
    with pytest.raises(SimulateError, match="leave out --address"):
        chosen_actors("0", scenario, cluster)
