"""A log of what failed that nobody can fill a disk with: so many traces a minute, then a count."""

import time
from collections.abc import Callable

import structlog

TRACES_A_MINUTE_MAX = 60
MINUTE_S = 60.0

log = structlog.get_logger("sandpit.api")


class CrashLog:
    """Writes the trace of an exception that is being handled, unless there are too many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._minute_began = clock()
        self._written = 0
        self._left_out = 0

    def crashed(self, request_id: str) -> bool:
        """One line with the trace, and how many were left out before; False where it is left
        out."""
        now = self._clock()
        if now - self._minute_began >= MINUTE_S:
            self._minute_began, self._written = now, 0
        if self._written >= TRACES_A_MINUTE_MAX:
            self._left_out += 1
            return False
        self._written += 1
        counted = {"left_out_before": self._left_out} if self._left_out else {}
        self._left_out = 0
        log.exception("request failed", request_id=request_id, **counted)
        return True
