"""Where a simulation runs: in this process, or across actors, on a Ray of its own or a cluster."""

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
from threading import Timer
from typing import TYPE_CHECKING, Any, Protocol

from actors.ctrl_c import ends_at_once
from actors.processors import cores_to_use
from sim.book.engine import warm_up
from sim.joint.opening import world_of
from sim.prices.processes import ReferencePrice
from sim.record.run import RunRecord
from sim.scenario.scenario import Scenario
from sim.scenario.work import decisions_a_step
from sim.stepping.checkpoint import StateUnreadable
from sim.stepping.rehearsal import rehearse
from sim.stepping.world import Timing, read_checkpoint
from storage.settings import ConfigurationError

if TYPE_CHECKING:
    from actors.simulate.placement import Joined

ACTORS_TEXT, ACTORS_MAX = re.compile(r"[0-9]{1,9}"), 64
DECISIONS_WORTH_ACTORS = 20_000
"""A step of fewer decisions takes less time than the messages that would spread it."""

COMPILES_AFTER_S = 2.0
"""Kernels that are compiled already are read in less."""


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


def chosen_actors(
    wish: str, scenario: Scenario, cluster: "Joined | None" = None
) -> tuple[int, str]:
    """How many actors markets and strategies each get at most, 0 for one process; and why."""
    if wish != "auto":
        if not ACTORS_TEXT.fullmatch(wish) or int(wish) > ACTORS_MAX:
            raise SimulateError(
                f"--actors: found {wish[:40]!r}, allowed is auto or 0 to {ACTORS_MAX}."
            )
        if scenario.chain is not None and int(wish) > 0:
            raise SimulateError(
                f"--actors: found {wish}, allowed is auto or 0: a scenario with a chain runs in one"
                " process."
            )
        if cluster is not None and int(wish) == 0:
            raise SimulateError("--actors 0 is this process alone: leave out --address.")
        return int(wish), "one process" if int(wish) == 0 else _told(int(wish), cluster)
    if scenario.chain is not None:
        return 0, "one process, as its chain wants it"
    if cluster is not None:
        count = max(1, min(cluster.cpus, ACTORS_MAX))
        return count, _told(count, cluster)
    cores = cores_to_use()
    decisions = decisions_a_step(scenario)
    if decisions < DECISIONS_WORTH_ACTORS or cores < 2:
        return 0, f"one process, for {decisions} decisions a step are fewer than messages pay for"
    return cores, f"actors, for {decisions} decisions a step give {cores} cores work"


def _told(actors: int, cluster: "Joined | None") -> str:
    most = f"actors, at most {actors} for markets and {actors} for strategies"
    if cluster is None:
        return most
    return f"{most}, on {cluster.nodes} nodes with {cluster.cpus} CPUs of {cluster.address}"


@contextmanager
def joined(address: str | None) -> Iterator["Joined | None"]:
    """The cluster at this address while it lasts; None without an address. Raises SimulateError.

    Actors belong to this process's job: Ray ends them with it, however it ends.
    """
    if address is None:
        yield None
        return
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")
    from actors.cluster.ours import stop_ray
    from actors.simulate.placement import join_cluster

    try:
        with _remarks_apart():
            yield join_cluster(address)
    except ConfigurationError as error:
        raise SimulateError(str(error)) from error
    finally:
        stop_ray()


LOADING = "loading the kernels; the first run after an installation compiles them"


def prepare(scenario: Scenario, say: Callable[[str], None]) -> None:
    """Have all kernels ready, so that a run is timed and not its compiler."""
    compiling = Timer(COMPILES_AFTER_S, say, [LOADING])
    compiling.start()
    try:
        with ends_at_once():
            warm_up()
            rehearse(scenario)
    finally:
        compiling.cancel()


@contextmanager
def opened_world(
    scenario: Scenario,
    prices: list[ReferencePrice],
    actors: int,
    data: bytes | None,
    cluster: "Joined | None" = None,
) -> Iterator[Runnable]:
    """The world, where it stands; Ray of our own lives as long as this context."""
    spread = max(actors, 1) if data is None else read_checkpoint(scenario, data)["spread"]
    if actors == 0:
        world: Any = world_of(scenario, prices, spread)
        _resume(world, data)
        yield world
        return
    with nullcontext() if cluster is not None else own_ray():
        world = _spread_world(scenario, prices, spread, actors, cluster)
        _resume(world, data)
        yield world


def _resume(world: Runnable, data: bytes | None) -> None:
    """Raises SimulateError where the checkpoint, whole as it is, is of other code."""
    try:
        if data is not None:
            world.resume(data)
    except StateUnreadable as error:
        raise SimulateError(f"The run cannot be resumed: {error}.") from error


def _spread_world(
    scenario: Scenario,
    prices: list[ReferencePrice],
    spread: int,
    actors: int,
    cluster: "Joined | None",
) -> Any:
    """Across actors; on a cluster, when all of them run."""
    from actors.simulate.spread_world import SpreadWorld

    if cluster is None:
        return SpreadWorld(scenario, prices, spread, actors=actors)
    from actors.simulate.placement import await_actors, placed

    world = SpreadWorld(scenario, prices, spread, actors=actors, place=placed)
    await_actors([*world.markets, *world.parts])
    return world


@contextmanager
def own_ray() -> Iterator[None]:
    """Ray of our own while it lasts. Raises SimulateError."""
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")
    from actors.cluster.ours import start_local_ray, stop_ray
    from actors.simulate.folders import temporary_folder

    with temporary_folder() as directory:
        try:
            start_local_ray(directory)
        except ConfigurationError as error:
            raise SimulateError(str(error)) from error
        try:
            with _remarks_apart():
                yield
        finally:
            stop_ray()


def _remarks_apart() -> AbstractContextManager[object]:
    """Ray prints warnings about nodes and processes to stdout, where --json has one object."""
    return redirect_stdout(sys.stderr)
