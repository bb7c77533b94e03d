"""Keeps the log directory small: every file in it, whoever writes it, is cut when it grows.

A log is copied aside and emptied under its writer, who appends and need not
know: so one rule holds for our processes, for PostgreSQL and for Valkey. Lines
written between the copy and the emptying are lost.
"""

import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

LOG_BYTES_MAX = 20_000_000
OLD_LOGS_MAX = 2
"""Of each log, NAME.log.1 being the youngest."""

SIMULATION_LOGS_MAX = 50
"""Each simulation of the queue has a log of its own; the oldest go."""

LOOK_S = 5.0
LOGS = "*.log"
LOGS_OF_SIMULATIONS = "simulation-*.log*"


class LogRoom:
    """One directory of logs."""

    def __init__(self, log_dir: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._log_dir = log_dir
        self._clock = clock
        self._looked_at = clock()

    def look(self) -> None:
        """Called often; looks every few seconds. Never raises for what a disk may do."""
        if self._clock() - self._looked_at < LOOK_S:
            return
        self._looked_at = self._clock()
        with suppress(OSError):
            keep_small(self._log_dir)


def keep_small(log_dir: Path) -> None:
    """Cut what is too large, and remove the logs of simulations that ended long ago."""
    for log in log_dir.glob(LOGS):
        if log.stat().st_size > LOG_BYTES_MAX:
            cut(log)
    of_simulations = sorted(log_dir.glob(LOGS_OF_SIMULATIONS), key=lambda log: log.stat().st_mtime)
    for log in of_simulations[:-SIMULATION_LOGS_MAX]:
        log.unlink(missing_ok=True)


def cut(log: Path) -> None:
    """Move the older ones on, copy this one, empty it. Where a copy has no room, none is kept."""
    aside = [log.with_name(f"{log.name}.{number}") for number in range(1, OLD_LOGS_MAX + 1)]
    for older, newer in zip(aside[:0:-1], aside[-2::-1], strict=True):
        if newer.exists():
            newer.replace(older)
    try:
        shutil.copyfile(log, aside[0])
        aside[0].chmod(0o600)
    except OSError:
        aside[0].unlink(missing_ok=True)
    os.truncate(log, 0)
