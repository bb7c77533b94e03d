"""Where a simulation runs: in this process, or across the actors of a Ray of its own."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from sim.engine import warm_up
from sim.prices import ReferencePrice
from sim.run_record import RunRecord
from sim.simulation_scenario import Scenario
from sim.world import SimulatedWorld, Timing, read_checkpoint
from storage.settings import ConfigurationError

ACTORS_MAX = 64
HEADS_WORTH_ACTORS = 50_000
"""A step of fewer traders takes less time than the messages that would spread it."""


class SimulateError(Exception):
    """Nothing was started. The message is one sentence."""


class Runnable(Protocol):
    """SimulatedWorld and SpreadWorld alike."""

    scenario: Scenario
    step_no: int

    @property
    def done(self) -> bool: ...

    @property
    def orders(self) -> int: ...

    @property
    def fills(self) -> int: ...

    def run(self, until: int | None = None, called: Callable[[], bool] | None = None) -> None: ...

    def resume(self, data: bytes) -> None: ...

    def checkpoint(self) -> bytes: ...

    def record(self, timing: Timing) -> RunRecord: ...


def chosen_actors(wish: str, scenario: Scenario) -> tuple[int, str]:
    """Into how many parts strategies are cut, 0 for one process without Ray; and why."""
    if wish != "auto":
        if not wish.isascii() or not wish.isdigit() or int(wish) > ACTORS_MAX:
            raise SimulateError(f"--actors: found {wish!r}, allowed is auto or 0 to {ACTORS_MAX}.")
        return int(wish), "one process" if wish == "0" else f"actors, {wish} a strategy at most"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if scenario.accounts < HEADS_WORTH_ACTORS or (cores or 1) < 2:
        return 0, f"one process, for {scenario.accounts} traders are fewer than messages pay for"
    return cores or 1, f"actors, for {scenario.accounts} traders give {cores} cores work"


@contextmanager
def opened_world(
    scenario: Scenario, prices: list[ReferencePrice], spread: int, data: bytes | None
) -> Iterator[Runnable]:
    """The world, where it stands; Ray lives as long as this context."""
    if spread == 0:
        warm_up()
        kept = 1 if data is None else read_checkpoint(scenario, data)["spread"]
        alone = SimulatedWorld(scenario, prices, kept)
        if data is not None:
            alone.resume(data)
        yield alone
        return
    with _ray() as spread_world:
        world = spread_world(scenario, prices, spread)
        if data is not None:
            world.resume(data)
        yield world


@contextmanager
def _ray() -> Iterator[Callable[..., Any]]:
    """Ray of our own while it lasts. Raises SimulateError."""
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")
    from actors.cluster import start_local_ray, stop_ray

    warm_up()
    with tempfile.TemporaryDirectory(prefix="sandpit-simulation-") as directory:
        try:
            start_local_ray(Path(directory))
        except ConfigurationError as error:
            raise SimulateError(str(error)) from error
        try:
            from actors.simulation import SpreadWorld

            yield SpreadWorld
        finally:
            stop_ray()
