"""How far a simulation is: a live bar on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from sim.simulation_scenario import Scenario

LINE_EVERY_S = 5.0
SECOND_US = 1_000_000


class Progress:
    """Says nothing; what the others are made from."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario, self._began = scenario, time.monotonic()
        self._first: tuple[int, int, int] | None = None

    def __enter__(self) -> "Progress":
        self._began = time.monotonic()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def say(self, sentence: str) -> None:
        """A remark."""

    def show(self, step: int, orders: int, fills: int) -> None:
        """Totals so far."""

    def summary(self, summary: Mapping[str, Any], directory: Path) -> None:
        """What came out."""

    def _line(self, step: int, orders: int, fills: int) -> str:
        """Simulated time and rates since this process began."""
        if self._first is None:
            self._first = (step, orders, fills)
            self._began = time.monotonic()
        passed = max(time.monotonic() - self._began, 1e-3)
        rates = [
            (now - before) / passed
            for now, before in zip((step, orders, fills), self._first, strict=True)
        ]
        clock = step * self._scenario.step_us // SECOND_US
        return (
            f"{clock // 3600}:{clock // 60 % 60:02}:{clock % 60:02} simulated,"
            f" {rates[0]:,.0f} steps/s, {rates[1]:,.0f} orders/s, {rates[2]:,.0f} fills/s"
        )


class Lines(Progress):
    """For files and pipes: standard error, so that results stay alone on standard output."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self._console = Console(stderr=True)
        self._said_at = time.monotonic()

    def say(self, sentence: str) -> None:
        typer.echo(sentence, err=True)

    def show(self, step: int, orders: int, fills: int) -> None:
        line = self._line(step, orders, fills)
        if time.monotonic() - self._said_at >= LINE_EVERY_S:
            self._said_at = time.monotonic()
            share = 100 * step // self._scenario.steps
            left_s = self._left_s(step)
            self.say(f"{share} %: {line}, {left_s:,.0f} s left")

    def _left_s(self, step: int) -> float:
        first = self._first[0] if self._first else 0
        passed = time.monotonic() - self._began
        return passed * (self._scenario.steps - step) / max(1, step - first)

    def summary(self, summary: Mapping[str, Any], directory: Path) -> None:
        console = Console()
        for name in ("scenario", "seed", "state_hash", "steps", "orders", "fills"):
            console.print(f"{name.replace('_', ' ')}: {summary[name]}", highlight=False)
        rate, seconds = summary["orders_per_second"], summary["wall_seconds"]
        console.print(f"{seconds} s, {rate:,} orders/s, {summary['actors']}", highlight=False)
        console.print(_table(summary))
        if summary["steps"] < summary["steps_planned"]:
            console.print(f"interrupted; go on with --resume {directory}", highlight=False)
        else:
            console.print(f"written to {directory}", highlight=False)


class LiveBar(Lines):
    """For a terminal."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.description}"))
        self._bar = Bar(*columns, TimeRemainingColumn(), console=self._console)
        self._task = self._bar.add_task("starting", total=scenario.steps)

    def __enter__(self) -> "LiveBar":
        super().__enter__()
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def show(self, step: int, orders: int, fills: int) -> None:
        line = self._line(step, orders, fills)
        self._bar.update(self._task, completed=step, description=line)


def progress_for(scenario: Scenario, quiet: bool) -> Progress:
    """A bar where a person looks, lines where nobody does, nothing where it would disturb."""
    if quiet:
        return Progress(scenario)
    return LiveBar(scenario) if sys.stderr.isatty() else Lines(scenario)


def _table(summary: Mapping[str, Any]) -> Table:
    """Results by strategy; amounts to the cent, the exact ones are in the JSON object."""
    table = Table("strategy")
    for heading in ("traders", "profit", "fees", "volume", "liquidated"):
        table.add_column(heading, justify="right")
    for strategy in summary["strategies"]:
        amounts = (f"{Decimal(strategy[name]):,.2f}" for name in ("pnl", "fees", "volume"))
        counts = (f"{strategy[name]:,}" for name in ("traders", "liquidated_traders"))
        traders, liquidated = counts
        table.add_row(strategy["name"], traders, *amounts, liquidated)
    return table
