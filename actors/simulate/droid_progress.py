"""How far something is of which there is a number: a bar where a person looks, lines where nobody
does."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from actors.simulate.progress import LINE_EVERY_S

Counted = Callable[[int], None]
"""Told how many are done."""

SHOWN_EVERY_S = 0.1


@contextmanager
def counted(total: int, what: str, *, quiet: bool) -> Iterator[Counted]:
    """Inside, whoever is told how many are done shows it, on standard error."""
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        columns = (BarColumn(None), TaskProgressColumn(), TextColumn("{task.description}"))
        left = TimeRemainingColumn(elapsed_when_finished=True)
        with Progress(*columns, left, console=Console(stderr=True), expand=True) as bar:
            task = bar.add_task(what, total=total)
            yield _now_and_then(SHOWN_EVERY_S, lambda done: bar.update(task, completed=done))
            bar.update(task, completed=total)
    else:
        yield _now_and_then(
            LINE_EVERY_S,
            lambda done: typer.echo(f"{100 * done // total} %: {done:,} {what}", err=True),
        )


def _now_and_then(every_s: float, show: Counted) -> Counted:
    shown_at = time.monotonic()

    def told(done: int) -> None:
        nonlocal shown_at
        if time.monotonic() - shown_at >= every_s:
            shown_at = time.monotonic()
            show(done)

    return told
