"""An actor's own thread: it works until told to stop, and a bug in it ends the process."""

import os
import threading
import time
from collections.abc import Callable
from weakref import WeakSet

import structlog

SILENT_S_MAX = 45.0
"""A loop that has begun no round for so long hangs. Each wait inside a round has a limit below:
a statement has ten seconds, a connection five, a strategy's call thirty."""

log = structlog.get_logger()
_started: "WeakSet[Loop]" = WeakSet()


class Loop:
    """Runs `work` in a thread. `work` returns soon after `stopping` is set; once it has beaten it
    beats in every round.

    silent_s_max   a round that takes longer is taken for one that never ends
    """

    def __init__(
        self, name: str, work: Callable[[], None], silent_s_max: float = SILENT_S_MAX
    ) -> None:
        self.stopping = threading.Event()
        self._name = name
        self._work = work
        self._silent_s_max = silent_s_max
        self._thread: threading.Thread | None = None
        self._beaten_at: float | None = None
        self._returned = False

    def start(self) -> None:
        """Begin. A second call does nothing."""
        if self._thread is None:
            _started.add(self)
            self._thread = threading.Thread(target=self._guarded, name=self._name, daemon=True)
            self._thread.start()

    def beat(self) -> None:
        """Called by `work` in every round: it gets somewhere."""
        self._beaten_at = time.monotonic()

    def stall(self) -> str | None:
        """Why nothing more comes of it; None while it works, and when its work is done."""
        if self._thread is None or self._returned or self.stopping.is_set():
            return None
        if not self._thread.is_alive():
            return f"{self._name} has ended"
        silent_s = time.monotonic() - (self._beaten_at or time.monotonic())
        if silent_s > self._silent_s_max:
            return f"{self._name} has been at one thing for {silent_s:.0f} s"
        return None

    def stop(self, wait_s_max: float) -> bool:
        """Ask it to end, and wait for what is under way. False where it did not end in time."""
        self.stopping.set()
        if self._thread is None:
            return True
        self._thread.join(wait_s_max)
        return not self._thread.is_alive()

    def _guarded(self) -> None:
        """A process that was superseded, or has a bug, must not go on: Ray starts a fresh one."""
        try:
            self._work()
            self._returned = True
        except BaseException:
            try:
                log.exception("loop_failed", loop=self._name)
            finally:
                os._exit(1)


def stall_of_process() -> str | None:
    """Why one of this process's loops gets nowhere; None while all work."""
    return next((stall for stall in (loop.stall() for loop in list(_started)) if stall), None)
