"""`sandpit simulate`: runs a scenario in this process or across actors, shows how far it is."""

import json
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import typer

from actors.simulate_progress import Progress, progress_for
from actors.simulation_actors import peak_memory_bytes
from sim.engine import warm_up
from sim.prices import ReferencePrice
from sim.run_record import RunRecord
from sim.scenario_fields import ScenarioError
from sim.simulation_scenario import RECORDS, Scenario
from sim.units import format_atoms
from sim.world import SimulatedWorld, Timing, read_checkpoint
from sim.world_state import StateUnreadable
from storage.run_directory import RunDirectory
from storage.scenario_file import load_scenario, scenario_prices
from storage.settings import ConfigurationError

ACTORS_MAX = 64
LOOK_EVERY_S = 0.2
HEADS_WORTH_ACTORS = 50_000
"""A step of fewer traders takes less time than the messages that would spread it."""

INTERRUPTED_EXIT_CODE = 130


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


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line."""

    scenario: str
    seed: int | None
    actors: str
    duration_s: int | None
    record: str | None
    out: Path | None
    resume: Path | None
    as_json: bool


def simulate(request: Request) -> int:
    """Run it; the exit code. Raises SimulateError before anything has started."""
    scenario, prices = _prepared(request)
    data = _checkpoint(request, scenario)
    spread, why = _actors(request.actors, scenario)
    if data is not None and spread:
        spread = read_checkpoint(scenario, data)["spread"]
    progress = progress_for(scenario, quiet=request.as_json)
    with _interruptible() as interrupted:
        progress.say(f"{scenario.world.name}, seed {scenario.world.seed}: {why}.")
        with _world(scenario, prices, spread, data) as world:
            record = _driven(world, progress, why, interrupted)
            out = RunDirectory(_directory(request, scenario))
            _keep_place(world, out)
    summary = summary_of(record)
    _write(out, record, summary)
    if request.as_json:
        typer.echo(json.dumps(summary))
    else:
        progress.summary(summary, out.path)
    return 0 if record.steps == record.steps_planned else INTERRUPTED_EXIT_CODE


def _prepared(request: Request) -> tuple[Scenario, list[ReferencePrice]]:
    try:
        if request.record not in (None, *RECORDS):
            known = ", ".join(RECORDS)
            raise SimulateError(f"--record: found {request.record!r}, allowed is one of {known}.")
        wanted = (request.seed, request.duration_s, request.record)
        scenario = load_scenario(request.scenario, *wanted)
        return scenario, scenario_prices(scenario)
    except ScenarioError as error:
        raise SimulateError(str(error)) from error


def _checkpoint(request: Request, scenario: Scenario) -> bytes | None:
    """The bytes to go on from. Raises SimulateError."""
    if request.resume is None:
        return None
    try:
        data = RunDirectory(request.resume).read_checkpoint()
        read_checkpoint(scenario, data)
    except FileNotFoundError as error:
        raise SimulateError(f"{request.resume} holds no checkpoint of a simulation.") from error
    except (OSError, StateUnreadable) as error:
        raise SimulateError(f"{request.resume} cannot be resumed: {error}.") from error
    return data


def _actors(wish: str, scenario: Scenario) -> tuple[int, str]:
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
def _world(
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


def _keep_place(world: Runnable, out: RunDirectory) -> None:
    """A checkpoint, where there is something left to go on with."""
    if world.done:
        out.forget_checkpoint()
    else:
        out.write_checkpoint(world.checkpoint())


def _driven(
    world: Runnable, progress: Progress, actors: str, interrupted: Callable[[], bool]
) -> RunRecord:
    """Run to the end or to Ctrl-C; the record up to there."""
    began = time.monotonic()
    with progress:
        looked_at = began

        def look() -> bool:
            nonlocal looked_at
            if time.monotonic() - looked_at >= LOOK_EVERY_S:
                looked_at = time.monotonic()
                progress.show(world.step_no, world.orders, world.fills)
            return interrupted()

        world.run(None, look)
    timing = Timing(time.monotonic() - began, actors, peak_memory_bytes())
    return world.record(timing)


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Inside, the first Ctrl-C is noted and answered by the callable; a second one ends us."""
    noted: list[int] = []

    def note(number: int, frame: object) -> None:
        if noted:
            raise KeyboardInterrupt
        noted.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(noted)
    finally:
        signal.signal(signal.SIGINT, before)


def _directory(request: Request, scenario: Scenario) -> Path:
    world = scenario.world
    default = Path("simulations") / f"{world.name}-{world.seed}"
    return request.out or request.resume or default


def summary_of(record: RunRecord) -> dict[str, Any]:
    """The object that --json prints. Amounts are decimal text."""
    return {
        "scenario": record.scenario,
        "seed": record.seed,
        "state_hash": record.state_hash,
        "actors": record.actors,
        "steps": record.steps,
        "steps_planned": record.steps_planned,
        "orders": record.orders,
        "fills": record.fills,
        "wall_seconds": round(record.wall_s, 3),
        "orders_per_second": round(record.orders / max(record.wall_s, 1e-9)),
        "peak_memory_bytes": record.peak_memory_bytes,
        "strategies": [
            {
                "name": strategy.name,
                "strategy": strategy.strategy,
                "traders": strategy.traders,
                "pnl": format_atoms(int(strategy.trader_pnl_atoms.sum())),
                "fees": format_atoms(_last(strategy.standings, "fees_atoms")),
                "volume": format_atoms(_last(strategy.standings, "volume_atoms")),
                "liquidated_traders": _last(strategy.standings, "liquidated_traders"),
            }
            for strategy in record.strategies
        ],
    }


def _last(standings: Any, name: str) -> int:
    return int(standings[name][-1]) if len(standings) else 0


def _write(out: RunDirectory, record: RunRecord, summary: dict[str, Any]) -> None:
    """Everything the run leaves behind; a full disk costs files, not the result."""
    try:
        out.write_summary(summary)
        out.write_record(record)
    except OSError as error:
        typer.echo(f"sandpit: {out.path} cannot be written: {error}", err=True)
