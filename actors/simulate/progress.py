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

from actors.shown import shown
from sim.printable import printable
from sim.report.text import clock
from sim.scenario.scenario import Scenario
from storage.runs.run_directory import REPORT

LINE_EVERY_S = 5.0
WIDE_COLUMNS = 100
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
        """Simulated time, and rates since the first call."""
        simulated = f"{clock(step * self._scenario.step_us)} simulated"
        if self._first is None:
            self._first = (step, orders, fills)
            self._began = time.monotonic()
            return simulated
        passed = max(time.monotonic() - self._began, 1e-3)
        rates = [
            compact((now - before) / passed)
            for now, before in zip((step, orders, fills), self._first, strict=True)
        ]
        return f"{simulated}, {rates[0]} steps/s, {rates[1]} orders/s, {rates[2]} fills/s"


class Lines(Progress):
    """For files and pipes: standard error, so that results stay alone on standard output."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self._console = Console(stderr=True)
        self._said_at = time.monotonic()

    def say(self, sentence: str) -> None:
        typer.echo(printable(sentence), err=True)

    def show(self, step: int, orders: int, fills: int) -> None:
        line = self._line(step, orders, fills)
        if time.monotonic() - self._said_at >= LINE_EVERY_S:
            self._said_at = time.monotonic()
            share = 100 * step // self._scenario.steps
            self.say(f"{share} %: {line}{self._left(step)}")

    def _left(self, step: int) -> str:
        """How long it will take, where the run has gone far enough to tell."""
        first = self._first[0] if self._first else 0
        passed = time.monotonic() - self._began
        if step <= first or passed < 1:
            return ""
        left_s = passed * (self._scenario.steps - step) / (step - first)
        return f", {clock(round(left_s * SECOND_US))} left"

    def summary(self, summary: Mapping[str, Any], directory: Path) -> None:
        console = Console(highlight=False, soft_wrap=True)
        if not console.is_terminal:
            console.width = max(console.width, WIDE_COLUMNS)
        for name in ("scenario", "seed", "state_hash"):
            console.print(f"{name.replace('_', ' ')}: {summary[name]}")
        for name in ("steps", "orders", "fills"):
            console.print(f"{name}: {summary[name]:,}")
        rate, seconds = summary["orders_per_second"], summary["wall_seconds"]
        console.print(f"{seconds} s, {rate:,} orders/s, {summary['actors']}")
        console.print(_table(summary), soft_wrap=False)
        for line in (*shock_lines(summary), *chain_lines(summary), *fact_lines(summary)):
            console.print(shown(line))
        if summary.get("recording"):
            console.print(recorded_line(summary["recording"]))
        console.print(f"report: {shown(str(directory / REPORT))}")
        if summary["steps"] < summary["steps_planned"]:
            step_us = self._scenario.step_us
            done, planned = (clock(summary[n] * step_us) for n in ("steps", "steps_planned"))
            console.print(
                f"interrupted at {done} of {planned}; go on with --resume {shown(str(directory))}"
            )


class LiveBar(Lines):
    """For a terminal."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        columns = (BarColumn(None), TaskProgressColumn(), TextColumn("{task.description}"))
        left = TimeRemainingColumn(elapsed_when_finished=True)
        self._bar = Bar(*columns, left, console=self._console, expand=True)
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
        if self._first is None:  # a resumed run has not done in no time what stands behind it
            self._bar.reset(self._task, completed=step)
        line = self._line(step, orders, fills)
        if self._console.width < WIDE_COLUMNS:
            line = line.replace(" simulated", "")
        self._bar.update(self._task, completed=step, description=line)


def progress_for(scenario: Scenario, quiet: bool) -> Progress:
    """A bar where a person looks, lines where nobody does, nothing where it would disturb."""
    if quiet:
        return Progress(scenario)
    return LiveBar(scenario) if sys.stderr.isatty() else Lines(scenario)


def compact(rate: float) -> str:
    """A rate in at most six characters up to a billion: 812, 15.3k, 2.41M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if rate >= size * 0.9995:
            scaled = rate / size
            return f"{scaled:.{0 if scaled >= 99.95 else 1}f}{letter}"
    return f"{rate:.0f}"


def recorded_line(figures: Mapping[str, Any]) -> str:
    """Where trades went, and whether the run had to wait for it."""
    waited = ""
    if figures["waits"]:
        seconds = figures["waited_seconds"]
        waited = f"; the run waited {figures['waits']:,} times for a recorder, {seconds} s in all"
    said = f"recorded to {figures['to']}: {figures['trades']:,} trades of {figures['run']}{waited}"
    return f"{said}\nlook inside: {figures['look_inside']}" if figures["look_inside"] else said


def chain_lines(summary: Mapping[str, Any]) -> list[str]:
    """Pools and droids, where there is a chain."""
    chain = summary["chain"]
    if chain is None:
        return []
    lines = [
        f"pool {one['pool']}: {one['name']} at {one['price']:,.2f}, {one['swaps']:,} swaps,"
        f" {one['arbitrages']:,} of them arbitrageurs'"
        for one in chain["pools"]
        if one["price"] is not None
    ]
    return lines + [
        f"droid {one['name']}: worth {amount(Decimal(one['aum']))}, held"
        f" {amount(Decimal(one['held']))}, fees {amount(Decimal(one['fees']))}, gas"
        f" {amount(Decimal(one['gas']))}"
        for one in chain["droids"]
    ]


def fact_lines(summary: Mapping[str, Any]) -> list[str]:
    """How many stylised facts hold in each market, and in the real trades it is compared with."""
    alike: dict[str, list[str]] = {}
    for one in summary["stylised_facts"]:
        alike.setdefault(_counts(one), []).append(one["name"])
    lines = [f"facts: {', '.join(names)} {said}" for said, names in alike.items()]
    compared = summary["compared"]
    if compared is not None:
        whom = ", ".join(compared["markets"])
        lines.append(f"facts: {compared['file']} {_counts(compared)}; compared with {whom}")
    return lines


def _counts(facts: Mapping[str, Any]) -> str:
    if facts["not_judged"] == len(facts["facts"]):
        reasons = dict.fromkeys(one["why"] for one in facts["facts"])
        return f"none can be judged: {'; '.join(reasons)}"
    said = f"{facts['holding']} of {len(facts['facts'])} hold"
    return said + (f", {facts['not_judged']} cannot be judged" if facts["not_judged"] else "")


def _table(summary: Mapping[str, Any]) -> Table:
    """Results by strategy, then of others; the exact amounts are in the JSON object."""
    table = Table("strategy")
    for heading in ("traders", "profit", "fees", "volume", "liquidated"):
        table.add_column(heading, justify="right", overflow="fold")
    for strategy in summary["strategies"]:
        amounts = (amount(Decimal(strategy[name])) for name in ("pnl", "fees", "volume"))
        counts = (f"{strategy[name]:,}" for name in ("traders", "liquidated_traders"))
        traders, liquidated = counts
        table.add_row(strategy["name"], traders, *amounts, liquidated)
    others = [one for one in summary["others"] if Decimal(one["pnl"]) or Decimal(one["volume"])]
    table.add_section()
    for other in others:
        volume = amount(Decimal(other["volume"])) if Decimal(other["volume"]) else ""
        table.add_row(other["name"], "", amount(Decimal(other["pnl"])), "", volume, "")
    everybody = [*summary["strategies"], *others]
    total = sum((Decimal(one["pnl"]) for one in everybody), Decimal(0))
    table.add_row("sum", "", amount(total), "", "", "")
    return table


def shock_lines(summary: Mapping[str, Any]) -> list[str]:
    """What was done of each shock that the run came to."""
    return [
        f"{'bought' if one['side'] == 'buy' else 'sold'} {one['traded']} of {one['quantity']} in"
        f" {one['market']} from {clock(round(one['at_seconds'] * SECOND_US))}{_until(one)}"
        for one in summary["shocks"]
        if one["at_seconds"] < summary["simulated_seconds"]
    ]


def _until(shock: Mapping[str, Any]) -> str:
    if shock["until_seconds"] is None:
        return ""
    return f" to {clock(round(shock['until_seconds'] * SECOND_US))}"


def amount(units: Decimal) -> str:
    """To the cent, from a million on to the unit."""
    return f"{units:,.{0 if abs(units) >= 1_000_000 else 2}f}"
