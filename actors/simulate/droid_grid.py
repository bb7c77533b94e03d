"""Many droids on one log, in parallel on a Ray of their own, ranked by what they came to."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from actors.shown import shown
from actors.simulate.droid_progress import Counted
from actors.simulate.droid_results import figures_of
from actors.simulate.progress import WIDE_COLUMNS
from actors.simulate.worlds import own_ray
from sim.backtest.grid import Tried
from sim.backtest.log import PoolLog
from sim.backtest.result import Result, Setting
from sim.backtest.run import Backtest
from sim.chain.pool_host import DIGEST_BYTES, hashed
from sim.droid.spelling import SPELLED
from sim.record.run import Origin
from storage.runs.run_directory import GRID_CSV

ROWS_SHOWN_MAX = 50
RANKED_BY = "more_than_held"
COLUMNS = (RANKED_BY, "more_than_full_range", "aum", "fees", "gas", "impermanent_loss")


def tried(log: PoolLog, setting: Setting) -> dict[str, Any]:
    """Its figures and its hash."""
    return figures_with_hash(Backtest(log, setting).run())


def tried_until(
    log: PoolLog, setting: Setting, called: Callable[[int], bool]
) -> dict[str, Any] | None:
    """The same; None where `called`, told each block how many there were, has ended it."""
    result = Backtest(log, setting).run(called)
    return figures_with_hash(result) if result.blocks == log.blocks else None


def figures_with_hash(result: Result) -> dict[str, Any]:
    """A row of the table, but for its place and changes."""
    return {
        "state_hash": result.state_hash(),
        **figures_of(result),
        "note": result.note and result.note.value,
    }


def tried_all(
    log: PoolLog, all_: Sequence[Tried], workers: int, told: Counted
) -> list[dict[str, Any]]:
    """The figures of each, in order; in this process where there are no workers. Raises
    SimulateError."""
    found: dict[int, dict[str, Any]] = {}
    with _answers(log, [one.setting for one in all_], workers) as answers:
        for number, figures in answers:
            found[number] = figures
            told(len(found))
    return [found[number] for number in range(len(all_))]


@contextmanager
def _answers(
    log: PoolLog, settings: Sequence[Setting], workers: int
) -> Iterator[Iterator[tuple[int, dict[str, Any]]]]:
    if workers == 0 or len(settings) == 1:
        yield ((number, tried(log, one)) for number, one in enumerate(settings))
        return
    with own_ray():
        from actors.cluster.scattering import scattered

        yield scattered(tried, log, settings, workers)


def ranked(all_: Sequence[Tried], found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The best first; of equals the first of the grid."""
    rows = [
        {"changes": {SPELLED[name]: str(value) for name, value in one.changes.items()}, **figures}
        for one, figures in zip(all_, found, strict=True)
    ]
    ordered = sorted(rows, key=lambda row: -Decimal(row[RANKED_BY]))
    return [{"rank": place, **row} for place, row in enumerate(ordered, 1)]


def grid_summary(
    log: PoolLog,
    all_: Sequence[Tried],
    found: Sequence[Mapping[str, Any]],
    origin: Origin,
    wall_s: float,
) -> dict[str, Any]:
    """The object that --json prints, of what was found of the first of them. Its state_hash is of
    those of the combinations, in the grid's order."""
    setting = all_[0].setting
    hashes = tuple(one["state_hash"] for one in found)
    return {
        "log": log.name,
        "seed": setting.seed,
        "replays": setting.replays.value,
        "command": origin.command,
        "version": origin.version,
        "made_at": origin.made_at,
        "wall_seconds": round(wall_s, 3),
        "state_hash": hashed(bytes(DIGEST_BYTES), hashes).hex(),
        "ranked": ranked(all_[: len(found)], found),
    }


def grid_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """A line for each, in their order."""
    text = io.StringIO()
    names = [*rows[0]["changes"]]
    plain = [name for name, value in rows[0].items() if not isinstance(value, dict)]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["rank", *names, *plain[1:]])
    for row in rows:
        changes = [row["changes"][name] for name in names]
        writer.writerow([row["rank"], *changes, *(row[name] for name in plain[1:])])
    return text.getvalue()


def tell_grid(rows: Sequence[Mapping[str, Any]], directory: Path) -> None:
    """The ranked table."""
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = max(console.width, WIDE_COLUMNS + 40)
    table = Table("")
    for heading in (*rows[0]["changes"], *COLUMNS, "rebalances"):
        table.add_column(heading.replace("_", " "), justify="right", overflow="fold")
    for row in rows[:ROWS_SHOWN_MAX]:
        amounts = (f"{Decimal(row[name]):,.2f}" for name in COLUMNS)
        changes = map(shown, row["changes"].values())
        table.add_row(str(row["rank"]), *changes, *amounts, str(row["rebalances"]))
    console.print(table, soft_wrap=False)
    if len(rows) > ROWS_SHOWN_MAX:
        console.print(f"and {len(rows) - ROWS_SHOWN_MAX} more")
    console.print(f"all figures: {shown(str(directory / GRID_CSV))}")
