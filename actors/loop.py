"""An actor's own thread: it works until told to stop, and a bug in it ends the process."""

import os
import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger()


class Loop:
    """Runs `work` in a thread. `work` returns soon after `stopping` is set."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self.stopping = threading.Event()
        self._name = name
        self._work = work
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin. A second call does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._guarded, name=self._name, daemon=True)
            self._thread.start()

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
        except Exception:
            log.exception("loop_failed", loop=self._name)
            os._exit(1)
