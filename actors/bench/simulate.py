"""`sandpit bench simulate`: our simulations beside those of others, and against their own aims."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from actors.bench import simulate_peers, simulate_sizes
from actors.bench.simulate_peers import Extent, Line
from actors.bench.simulate_runs import RunFailed, machine
from actors.command_line import tell
from sim.book.engine import warm_up

WIDTH = 120
"""Of a table that goes into a file."""

Part = Callable[[Extent], Iterator[Line]]

PARTS: Mapping[str, Part] = {
    "bourse": simulate_peers.bourse,
    "pams": simulate_peers.pams,
    "rmsc04": simulate_peers.trading_day,
    "spread": simulate_sizes.spread,
    "recording": simulate_sizes.recording,
    "million": simulate_sizes.million,
    "actors": simulate_sizes.actor_calls,
}


def bench_simulate(only: str | None, runs: int, share: float, as_json: bool) -> int:
    """Measure, print a table or one JSON object; the exit code, 1 where a part failed.

    share   of the usual work: figures of less than 1 are for looking only
    """
    if only is not None and only not in PARTS:
        tell(f"--only: found {only!r}, allowed is one of {', '.join(PARTS)}.")
        return 1
    warm_up()
    about = {**machine(), "runs": runs, "share": share}
    lines: list[Line] = []
    for name in [only] if only else list(PARTS):
        lines += measured(name, Extent(runs, share), as_json)
    if as_json:
        typer.echo(json.dumps({"machine": about, "lines": [asdict(line) for line in lines]}))
    else:
        show(about, lines)
    return 1 if any(line.unit == "failed" for line in lines) else 0


def measured(name: str, extent: Extent, quiet: bool) -> list[Line]:
    """The lines of a part; one that says why, where it failed."""
    if not quiet:
        typer.echo(f"measuring {name}", err=True)
    try:
        return list(PARTS[name](extent))
    except RunFailed as error:
        return [Line(name, "", "failed", note=str(error))]


def show(about: Mapping[str, Any], lines: list[Line]) -> None:
    """The table, with the machine above it and the notes below."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    memory = about["memory_bytes"] / 2**30
    console.print(
        f"{about['cores']} cores of {about['processor']}, {memory:.0f} GiB, Python"
        f" {about['python']}; medians of {about['runs']}",
        soft_wrap=True,
    )
    table = Table("part", "what")
    for heading in ("ours", "theirs", "unit", "ratio", "aim", ""):
        table.add_column(heading, justify="right")
    for line in lines:
        ratio = "" if line.ratio is None else f"{line.ratio:.2f} ×"
        met = {None: "", True: "met", False: "missed"}[line.met]
        table.add_row(
            line.part,
            line.what,
            figure(line.ours),
            figure(line.theirs),
            line.unit,
            ratio,
            line.aim,
            met,
        )
    console.print(table)
    for line in lines:
        if line.note:
            console.print(f"{line.part}: {line.note}", soft_wrap=True)


def figure(value: float | None) -> str:
    """Three digits that mean something."""
    if value is None:
        return ""
    if value >= 1e5:
        return f"{value / 1e6:.3g}M"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
