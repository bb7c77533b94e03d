"""Waiting for processes that start: as long as something moves, and saying for what."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import psutil

STILL_S_MAX = 60.0
"""Nothing of ours has used the processor for so long: then nothing will come of it."""

WAIT_S_MAX = 900.0
TOLD_EVERY_S = 10.0
POLL_S = 0.1
MOVED_CPU_S = 0.5
"""Less is what processes use that only wait for each other."""


class Stuck(Exception):
    """The message is a clause that says what did not come and after how long."""


class Patience:
    """Waits for what is missing.

    say     prints a line
    check   is called between two looks, and may raise
    """

    def __init__(self, say: Callable[[str], Any], check: Callable[[], None]) -> None:
        self._say, self._check = say, check

    def wait(self, missing: Callable[[], Sequence[str]]) -> None:
        """Until nothing is missing. Raises Stuck, and whatever `missing` or the check raise."""
        began = moved_at = told_at = time.monotonic()
        spent, before = _cpu_s(), tuple(missing())
        while left := tuple(missing()):
            self._check()
            now, spent_now = time.monotonic(), _cpu_s()
            if left != before or spent_now - spent > MOVED_CPU_S or spent_now < spent:
                spent, before, moved_at = spent_now, left, now
            names = ", ".join(left)
            if now - moved_at > STILL_S_MAX:
                raise Stuck(f"{names} did not come up, and nothing moves since {STILL_S_MAX:.0f} s")
            if now - began > WAIT_S_MAX:
                raise Stuck(f"{names} did not come up within {WAIT_S_MAX:.0f} s")
            if now - told_at > TOLD_EVERY_S:
                told_at = now
                self._say(f"  still waiting for {names} ({now - began:.0f} s)")
            time.sleep(POLL_S)


def _cpu_s() -> float:
    """Processor time of the processes below this one."""
    spent = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            spent += sum(process.cpu_times()[:2])
        except psutil.Error:
            continue
    return spent
