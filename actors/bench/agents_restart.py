"""Part of `sandpit bench agents`: how soon all agents are back, and what they weigh."""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from statistics import median

import psutil

from actors.bench.agents_house import Exchange
from actors.bench.simulate_peers import Extent, Line
from actors.bench.simulate_runs import RunFailed
from sim.signals.agents import AGENTS, ORCHESTRATOR, RISK_AGENT
from storage.agents.presence import ACTIVE
from storage.postgres.database import connect

NAMES = (*AGENTS, ORCHESTRATOR, RISK_AGENT)
CLASSES = ("ray::SignalAgent", "ray::Orchestrator", "ray::RiskAgent")
KILLS = 3
POLL_S, BACK_S_MAX = 0.05, 90.0
MEGABYTE = 1_000_000
ARRIVED = f"SELECT name, started_at_us FROM agents WHERE status = '{ACTIVE}'"


def restarts(exchange: Exchange, extent: Extent) -> Iterator[Line]:
    """Every process of an agent, of the orchestrator and of the risk agent is killed at once; until
    each is at work again under its name."""
    before = awaited(exchange, {})
    found = processes(exchange)
    if len(found) != len(NAMES):
        raise RunFailed(f"{len(NAMES)} processes of agents were expected, there are {len(found)}")
    weights = [one.memory_full_info().pss / MEGABYTE for one in found]
    yield Line("restart", "an agent's memory, PSS", "MB", median(weights))
    yield Line("restart", f"all {len(found)} of them", "MB", sum(weights))
    seconds = []
    for _ in range(extent.of(KILLS)):
        killed = processes(exchange)
        began = time.monotonic()
        for process in killed:
            process.kill()
        before = awaited(exchange, before)
        seconds.append(time.monotonic() - began)
    told = f"{len(seconds)} times, the slowest after {max(seconds):.1f} s"
    yield Line("restart", f"{len(NAMES)} killed, all active", "s", median(seconds), note=told)


def processes(exchange: Exchange) -> list[psutil.Process]:
    """Those of agents."""
    found = []
    for one in psutil.Process(exchange.deployment.process.pid).children(recursive=True):
        with suppress(psutil.Error):
            if " ".join(one.cmdline()).startswith(CLASSES):
                found.append(one)
    return found


def awaited(exchange: Exchange, before: Mapping[str, int]) -> dict[str, int]:
    """When each of them has come, once all have come after `before`. Raises RunFailed."""
    end = time.monotonic() + BACK_S_MAX
    with connect(exchange.urls.owner, "bench") as connection:
        while time.monotonic() < end:
            rows = connection.execute(ARRIVED).fetchall()
            came = {str(name): int(str(at_us)) for name, at_us in rows}
            if all(came.get(name, 0) > before.get(name, 0) for name in NAMES):
                return came
            time.sleep(POLL_S)
    raise RunFailed(f"not all agents were active after {BACK_S_MAX:.0f} s")
