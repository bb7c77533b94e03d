"""One run of ours or of a peer, for `sandpit bench simulate`."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from actors.own_tree import command
from actors.processors import cores_to_use
from sim.scenario.scenario import parse_scenario
from sim.stepping.world import SimulatedWorld
from storage.files.scenario_file import scenario_prices

PEERS_PYTHON = Path(sys.prefix) / "peers" / "bin" / "python"
PEERS_SCRIPT = Path(__file__).with_name("peers.py")
PEER_S_MAX = 120.0
RUN_S_MAX = 240.0
WARM_STEPS = 5
"""Before the clock runs: the first orders of a book and the kernels' last compiling."""


class PeerMissing(Exception):
    """The peers' environment is not there, or a peer failed. The message says which."""


class RunFailed(Exception):
    """A simulation of ours did not end well. The message is what it said."""


@dataclass(frozen=True)
class Work:
    """What was done in so many seconds: instructions or decisions."""

    count: int
    seconds: float

    @property
    def rate(self) -> float:
        """A second."""
        return self.count / max(self.seconds, 1e-9)


def alone(text: str, steps: int) -> tuple[SimulatedWorld, Work]:
    """So many steps in this process, after a few more; rows that strategies sent, CPU seconds."""
    scenario = parse_scenario(text)
    world = SimulatedWorld(scenario, scenario_prices(scenario))
    world.run(WARM_STEPS)
    before, began = world.orders, time.process_time()
    world.run(WARM_STEPS + steps)
    return world, Work(world.orders - before, time.process_time() - began)


def peer(name: str, counted: str, **wish: int | str) -> Work:
    """A run of a peer in its own environment. Raises PeerMissing."""
    if not PEERS_PYTHON.exists():
        raise PeerMissing("not installed: make peers")
    command = [str(PEERS_PYTHON), "-W", "ignore", str(PEERS_SCRIPT)]
    command.append(json.dumps({"peer": name, **wish}))
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PEER_S_MAX, check=False
        )
    except subprocess.TimeoutExpired:
        raise PeerMissing(f"no answer within {PEER_S_MAX:.0f} s") from None
    if done.returncode != 0:
        raise PeerMissing(done.stderr.strip().splitlines()[-1][:200])
    answer = json.loads(done.stdout.splitlines()[-1])
    return Work(answer[counted], answer["seconds"])


def command_run(scenario: str | Path, directory: Path, *options: object) -> dict[str, Any]:
    """`sandpit simulate --json` in a process of its own. Raises RunFailed."""
    out = ("--json", "--out", directory / "run")
    return _answer("actors.cli", "simulate", scenario, *out, *options)


def steady(scenario: Path, actors: int, warm: int, steps: int, windows: int) -> dict[str, Any]:
    """actors/bench/steady_run.py in a process of its own. Raises RunFailed."""
    return _answer("actors.bench.steady_run", scenario, actors, warm, steps, windows)


def _answer(module: str, *arguments: object) -> dict[str, Any]:
    kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    try:
        done = subprocess.run(
            command(module, *arguments),
            capture_output=True,
            text=True,
            env=kept,
            timeout=RUN_S_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RunFailed(f"no end within {RUN_S_MAX:.0f} s") from None
    if done.returncode != 0:
        raise RunFailed((done.stderr.strip().splitlines() or ["it said nothing"])[-1][:200])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def alternated(runs: int, *measures: Callable[[], float]) -> list[float]:
    """The median of each measure; they take turns, so that a busy moment meets all of them."""
    figures: list[list[float]] = [[] for _ in measures]
    for _ in range(runs):
        for found, measure in zip(figures, measures, strict=True):
            found.append(measure())
    return [median(found) for found in figures]


def machine() -> Mapping[str, Any]:
    """What the figures were read on."""
    model = ""
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    version = sys.version.split()[0]
    return {"processor": model, "cores": cores_to_use(), "memory_bytes": memory, "python": version}
