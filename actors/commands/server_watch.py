"""Watches a server that we have started: by its answers, for a process that hangs lives as well."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from actors.shown import shown
from actors.silence import Silence
from storage.settings import ConfigurationError

SERVER_SILENT_S_MAX = 45.0
"""Without an answer; whoever recovers or is too busy answers that."""

ASK_EVERY_S = 2.0
PAUSE_S = 0.5
"""Between two starts."""


class Server(Protocol):
    """EmbeddedPostgres and EmbeddedValkey alike."""

    def is_alive(self) -> bool: ...
    def answers(self) -> bool: ...
    def restart(self) -> str: ...


class ServerWatch:
    """One server's. `watch` is called a few times a second and is held up by restarts only."""

    def __init__(self, name: str, server: Server, say: Callable[[str], None]) -> None:
        self._name, self._server, self._say = name, server, say
        self._pool = ThreadPoolExecutor(1)
        self._question: Future[bool] | None = None
        self._asked_at = self._restarted_at = time.monotonic()
        self._silence = Silence(self._asked_at)

    def watch(self) -> None:
        """Start the server again where it has ended, or hangs."""
        now = time.monotonic()
        if now - self._restarted_at < PAUSE_S:
            return
        if not self._server.is_alive():
            self._restart("has ended")
        elif self._hangs(now):
            self._restart("does not answer")

    def close(self) -> None:
        """Ask no more; a question under way ends by itself."""
        self._pool.shutdown(wait=False)

    def _hangs(self, now: float) -> bool:
        if self._question is not None and self._question.done():
            if self._question.result():
                self._silence.heard(now)
            self._question = None
        if self._question is None and now - self._asked_at >= ASK_EVERY_S:
            self._asked_at = now
            self._question = self._pool.submit(self._server.answers)
        return self._silence.listened(now) > SERVER_SILENT_S_MAX

    def _restart(self, why: str) -> None:
        self._say(f"  {self._name} {why}; it is started again")
        try:
            self._server.restart()
        except (ConfigurationError, OSError) as error:  # its disk is full, say
            self._say(f"  {shown(str(error))}")
        self._restarted_at = time.monotonic()
        self._silence.heard(self._restarted_at)
