"""`sandpit simulate droid`: a droid, or a grid of them, on the log of a real pool."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from actors.command_line import tell
from actors.processors import cores_to_use
from actors.shown import shown
from actors.simulate.droid_grid import grid_csv, grid_summary, tell_grid, tried_all
from actors.simulate.droid_progress import counted
from actors.simulate.droid_results import droid_summary, write_droid_results
from actors.simulate.options import refuse_unwritable
from actors.simulate.run_origin import command_line, origin_of
from actors.simulate.worlds import ACTORS_MAX, ACTORS_TEXT, SimulateError
from sim.backtest.grid import GridError, Tried, combinations
from sim.backtest.gwei import base_fee_wei
from sim.backtest.log import PoolLog
from sim.backtest.market import Replays
from sim.backtest.result import Setting
from sim.backtest.run import Backtest
from sim.scenario.fields import ScenarioError
from storage.files.droid_file import DroidFile, read_droid
from storage.files.shipped_logs import shipped_log, shipped_logs
from storage.files.swap_log_file import SwapLogError, read_swap_log
from storage.runs.run_directory import REPORT, RunDirectory

AUTO = "auto"
LINES = {
    "worth": ("first_aum", "aum"),
    "beside": ("held", "halves", "full_range"),
    "earned and lost": ("fees", "gas", "impermanent_loss"),
    "done": ("rebalances", "failed_transactions"),
}
"""What is told of a summary."""


@dataclass(frozen=True)
class DroidRequest:
    """What was asked for on the command line.

    swaps   the name of a log that ships, or a file
    """

    swaps: str
    droid: Path
    seed: int
    as_called: bool
    base_fee: str
    grid: str | None
    actors: str
    out: Path | None
    as_json: bool


def simulate_droid(request: DroidRequest) -> int:
    """Run it; the exit code. Raises SimulateError before anything has started."""
    workers = _workers(request.actors)
    log, droid = _read(request)
    settings = _settings(request, droid, log)
    name = log.name if request.grid is None else f"{log.name}-grid"
    out = RunDirectory(request.out or Path("simulations") / f"droid-{name}-{request.seed}")
    refuse_unwritable(out)
    if request.grid is None:
        return _one(request, log, settings[0].setting, out)
    return _grid(log, settings, workers, out, as_json=request.as_json)


def _read(request: DroidRequest) -> tuple[PoolLog, DroidFile]:
    swaps = shipped_log(request.swaps) or Path(request.swaps)
    if "." not in request.swaps and not swaps.exists():
        found, known = repr(request.swaps)[:40], ", ".join(shipped_logs())
        raise SimulateError(f"--swaps: found {found}, allowed is a file or one of {known}.")
    try:
        return read_swap_log(swaps), read_droid(request.droid)
    except (SwapLogError, ScenarioError) as error:
        raise SimulateError(str(error)) from error


def _settings(request: DroidRequest, droid: DroidFile, log: PoolLog) -> list[Tried]:
    """Of the grid, or the one."""
    replays = Replays.CALLS if request.as_called else Replays.PRICE
    base_fee_wei = _base_fee_wei(request.base_fee)
    try:
        grid = [{}] if request.grid is None else combinations(request.grid)
        return [
            Tried(
                changes,
                Setting(droid.config(log.pool.terms, changes), request.seed, replays, base_fee_wei),
            )
            for changes in grid
        ]
    except GridError as error:
        raise SimulateError(f"--grid: {error}.") from error
    except ScenarioError as error:
        raise SimulateError(str(error)) from error


def _base_fee_wei(text: str) -> int:
    try:
        return base_fee_wei(text)
    except ValueError as error:
        raise SimulateError(f"--base-fee: found {text[:40]!r}, allowed is {error}.") from None


def _workers(actors: str) -> int:
    """Processes that a grid gets; 0 for this one alone."""
    if actors == AUTO:
        return cores_to_use()
    if not ACTORS_TEXT.fullmatch(actors) or int(actors) > ACTORS_MAX:
        allowed = f"auto or 0 to {ACTORS_MAX}"
        raise SimulateError(f"--actors: found {actors[:40]!r}, allowed is {allowed}.")
    return int(actors)


def _one(request: DroidRequest, log: PoolLog, setting: Setting, out: RunDirectory) -> int:
    began = time.monotonic()
    with counted(log.blocks, "blocks", quiet=request.as_json) as told:
        result = Backtest(log, setting).run(told)
    origin = origin_of(command_line())
    summary = droid_summary(result, origin, time.monotonic() - began)
    write_droid_results(out, result, summary, origin)
    if request.as_json:
        typer.echo(json.dumps(summary))
    else:
        tell_droid(summary, out.path)
    return 0


def _grid(
    log: PoolLog, all_: list[Tried], workers: int, out: RunDirectory, *, as_json: bool
) -> int:
    began = time.monotonic()
    with counted(len(all_), "backtests", quiet=as_json) as told:
        found = tried_all(log, all_, workers, told)
    summary = grid_summary(log, all_, found, origin_of(command_line()), time.monotonic() - began)
    rows = summary["ranked"]
    try:
        out.write_grid(grid_csv(rows), summary)
    except OSError as error:
        tell(f"{out.path} cannot be written: {error}")
    if as_json:
        typer.echo(json.dumps(summary))
    else:
        tell_grid(rows, out.path)
    return 0


def tell_droid(summary: Mapping[str, Any], directory: Path) -> None:
    """What came out, for people."""
    console = Console(highlight=False, soft_wrap=True)
    for name in ("log", "pool", "seed", "replays", "state_hash"):
        console.print(f"{name.replace('_', ' ')}: {shown(str(summary[name]))}")
    console.print(
        f"{summary['blocks']:,} blocks, {summary['swaps']:,} swaps, {summary['wall_seconds']} s"
    )
    for heading, names in LINES.items():
        console.print(f"{heading}: {', '.join(_figure(summary, name) for name in names)}")
    if summary["note"]:
        console.print(f"the droid waits: {summary['note']}")
    console.print(f"report: {shown(str(directory / REPORT))}")


def _figure(summary: Mapping[str, Any], name: str) -> str:
    value = summary[name]
    said = f"{value:,}" if isinstance(value, int) else f"{Decimal(value):,.2f}"
    return f"{name.replace('_', ' ')} {said}"
