"""`sandpit bench agents`: cycles, rules, similar decisions, restarts."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import partial

import typer

from actors.bench import agents_cycle, agents_restart, agents_rules, agents_similar
from actors.bench.agents_house import Exchange, deployed
from actors.bench.simulate import show
from actors.bench.simulate_peers import Extent, Line
from actors.bench.simulate_runs import RunFailed, machine
from actors.command_line import tell

ALONE = ("rules",)
"""Parts that need no deployment; they come first, when none runs."""

PARTS = (*ALONE, "similar", "cycle", "restart")


def bench_agents(only: str | None, decisions: int, share: float, as_json: bool) -> int:
    """Measure, print a table or one JSON object; the exit code, 1 where a part failed.

    share   of the usual work: figures of less than 1 are for looking only
    """
    if only is not None and only not in PARTS:
        tell(f"--only: found {only!r}, allowed is one of {', '.join(PARTS)}.")
        return 1
    about = {**machine(), "runs": 1, "share": share, "decisions": decisions}
    lines: list[Line] = []
    wanted = [only] if only else list(PARTS)
    extent = Extent(1, share)
    for name in wanted:
        if name in ALONE:
            lines += measured(name, partial(agents_rules.rules, extent), as_json)
    served = [name for name in wanted if name not in ALONE]
    if served:
        with deployed() as exchange:
            parts = parts_of(exchange, extent, decisions)
            for name in served:
                lines += measured(name, parts[name], as_json)
    if as_json:
        typer.echo(json.dumps({"machine": about, "lines": [asdict(line) for line in lines]}))
    else:
        show(about, lines)
    return 1 if any(line.unit == "failed" for line in lines) else 0


def parts_of(
    exchange: Exchange, extent: Extent, decisions: int
) -> Mapping[str, Callable[[], Iterator[Line]]]:
    """Those that are measured beside a deployment."""
    return {
        "similar": partial(agents_similar.similarity, exchange, extent, decisions),
        "cycle": partial(agents_cycle.cycles, exchange.postgres, extent),
        "restart": partial(agents_restart.restarts, exchange, extent),
    }


def measured(name: str, part: Callable[[], Iterator[Line]], quiet: bool) -> list[Line]:
    """The lines of a part; one that says why, where it failed."""
    if not quiet:
        typer.echo(f"measuring {name}", err=True)
    try:
        return list(part())
    except RunFailed as error:
        return [Line(name, "", "failed", note=str(error))]
