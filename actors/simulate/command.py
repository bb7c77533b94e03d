"""`sandpit simulate`: runs a scenario in this process or across actors, shows how far it is."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from actors.command_line import tell
from actors.ctrl_c import interruptible
from actors.simulate.hosts import peak_memory_bytes
from actors.simulate.options import (
    earlier_wall_s,
    reference_of,
    refuse_unwritable,
    seconds_of,
)
from actors.simulate.progress import Progress, progress_for
from actors.simulate.recording import DESTINATIONS, Recording, opened_recording, run_name
from actors.simulate.results import summary_of, write_results
from actors.simulate.run_origin import command_line, origin_of
from actors.simulate.worlds import (
    Runnable,
    SimulateError,
    chosen_actors,
    joined,
    opened_world,
    prepare,
)
from sim.facts.of_run import run_facts
from sim.prices.processes import ReferencePrice
from sim.record.run import RunRecord
from sim.scenario.fields import ScenarioError
from sim.scenario.scenario import RECORDS, Scenario
from sim.scenario.unreached import unreached
from sim.stepping.checkpoint import StateUnreadable
from sim.stepping.world import Timing, read_checkpoint
from storage.files.scenario_file import load_scenario, scenario_prices
from storage.runs.run_directory import RunDirectory

LOOK_EVERY_S = 0.2
INTERRUPTED_EXIT_CODE = 130
COMPARED_RECORD = "all"
"""What is recorded of a run that is compared with real trades, unless the command line says
otherwise: a sample of the trades says nothing of neighbouring ones."""


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line."""

    scenario: str
    seed: int | None
    actors: str
    duration: str | None
    record: str | None
    out: Path | None
    resume: Path | None
    as_json: bool
    to: str | None = None
    data_dir: Path | None = None
    replay: Path | None = None
    address: str | None = None
    compare: Path | None = None


def simulate(request: Request) -> int:
    """Run it; the exit code. Raises SimulateError before anything has started."""
    scenario, prices = _prepared(request)
    data = _checkpoint(request, scenario)
    reference = reference_of(request.compare, [one.spec for one in scenario.world.markets])
    progress = progress_for(scenario, quiet=request.as_json)
    out = RunDirectory(_directory(request, scenario))
    refuse_unwritable(out)
    stores = (request.to, scenario, out.path, request.data_dir)
    with interruptible() as interrupted:
        with joined(request.address) as cluster:
            actors, why = chosen_actors(request.actors, scenario, cluster)
            progress.say(f"{scenario.world.name}, seed {scenario.world.seed}: {why}.")
            _warn_of_unreached(scenario)
            place = (actors, data, cluster)
            prepare(scenario, progress.say)
            with (
                opened_recording(*stores) as recording,
                opened_world(scenario, prices, *place) as world,
            ):
                record = _driven(world, progress, why, interrupted, recording)
                _keep_place(world, out, recording, record)
        record.wall_s += earlier_wall_s(request.resume)
        facts = run_facts(record)
        summary = summary_of(record, facts, reference)
        if recording is not None:
            summary["recording"] = recording.figures
        write_results(out, record, summary, facts, reference)
    if recording is not None and recording.failure:
        raise SimulateError(
            f"--to {request.to}: {recording.failure}; go on with --resume {out.path}."
        )
    if request.as_json:
        typer.echo(json.dumps(summary))
    else:
        progress.summary(summary, out.path)
    return 0 if record.steps == record.steps_planned else INTERRUPTED_EXIT_CODE


def _prepared(request: Request) -> tuple[Scenario, list[ReferencePrice]]:
    try:
        _refuse_unknown("--record", request.record, RECORDS)
        _refuse_unknown("--to", request.to, DESTINATIONS)
        record = request.record or (COMPARED_RECORD if request.compare is not None else None)
        wanted = (request.seed, seconds_of(request.duration), record, request.replay)
        scenario = load_scenario(request.scenario, *wanted)
        return scenario, scenario_prices(scenario)
    except ScenarioError as error:
        raise SimulateError(str(error)) from error


def _refuse_unknown(option: str, word: str | None, known: Sequence[str]) -> None:
    if word is not None and word not in known:
        allowed = ", ".join(known)
        raise SimulateError(f"{option}: found {word!r}, allowed is one of {allowed}.")


def _warn_of_unreached(scenario: Scenario) -> None:
    """On standard error, also beside --json."""
    for sentence in unreached(scenario.happenings, scenario.steps, scenario.step_us):
        tell(f"{sentence}.")


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
        said = getattr(error, "strerror", None) or str(error)
        raise SimulateError(f"{request.resume} cannot be resumed: {said}.") from error
    return data


def _keep_place(
    world: Runnable, out: RunDirectory, recording: Recording | None, record: RunRecord
) -> None:
    """A checkpoint, where there is something left to go on with; then the recording's end."""
    if not world.done:
        out.write_checkpoint(world.checkpoint())
    if recording is not None:
        recording.finish(record)
    if world.done and recording is not None and recording.failure:
        out.write_checkpoint(world.checkpoint())
    elif world.done:
        out.forget_checkpoint()


def _driven(
    world: Runnable,
    progress: Progress,
    actors: str,
    interrupted: Callable[[], bool],
    recording: Recording | None,
) -> RunRecord:
    """Run to the end, to Ctrl-C or to where it cannot be recorded; the record up to there."""
    if recording is not None:
        recording.begin(world)
    began = time.monotonic()
    with progress:
        looked_at = began

        def look() -> bool:
            nonlocal looked_at
            if time.monotonic() - looked_at >= LOOK_EVERY_S:
                looked_at = time.monotonic()
                progress.show(world.step_no, world.orders, world.fills)
            return interrupted() or (recording is not None and recording.look(world))

        world.run(None, look)
        progress.show(world.step_no, world.orders, world.fills)
        if recording is not None:
            recording.settle()
    origin = origin_of(command_line())
    timing = Timing(time.monotonic() - began, actors, peak_memory_bytes(), origin=origin)
    return world.record(timing)


def _directory(request: Request, scenario: Scenario) -> Path:
    return request.out or request.resume or Path("simulations") / run_name(scenario)
