"""The indexer: the chain's blocks become rows that people look up."""

import threading

import structlog

from actors.loop import Loop
from storage.chain.indexing import CONFIRMATIONS, index_step
from storage.errors import CorruptState, DatabaseUnavailable, Superseded, first_line
from storage.postgres.database import Link

IDLE_S = 0.25
RETRY_S = 0.5
CORRUPT_S = 5.0
"""How long until blocks that contradict each other are looked at again: the chain may replace
them."""

STOP_WAIT_S = 3.0

log = structlog.get_logger()


class Indexer:
    """One per deployment. It has nothing of its own: a second one finds the cursor moved, looks
    again and goes on from there."""

    def __init__(
        self, database_url: str, confirmations: int = CONFIRMATIONS, run: bool = False
    ) -> None:
        self._link = Link(database_url, "indexer")
        self._confirmations = confirmations
        self._loop = Loop("indexer", self._run)
        self._held = threading.Event()
        self._changed, self._failures = 0, 0
        if run:
            self.start()

    def start(self) -> None:
        """Begin to work. A second call does nothing."""
        self._loop.start()

    def stop(self) -> None:
        """Finish the transaction under way and end."""
        self._loop.stop(STOP_WAIT_S)
        self._link.close()

    def hold(self) -> None:
        """Index nothing until it is released: what is indexed is shown as before, and is late."""
        self._held.set()

    def release(self) -> None:
        """Go on."""
        self._held.clear()

    def health(self) -> dict[str, int]:
        """Blocks added or taken back, and failures, since it started."""
        return {"changed": self._changed, "failures": self._failures}

    def _run(self) -> None:
        while not self._loop.stopping.is_set():
            self._loop.beat()
            self._loop.stopping.wait(self._round())

    def _round(self) -> float:
        """A step, and how long to wait after it, in seconds."""
        if self._held.is_set():
            return IDLE_S
        try:
            return 0.0 if self.step() else IDLE_S
        except (DatabaseUnavailable, Superseded) as error:
            log.warning("indexer_waits", error=first_line(error))
            return RETRY_S
        except CorruptState as error:
            self._failures += 1
            log.error("block_not_indexed", error=first_line(error))
            return CORRUPT_S

    def step(self) -> int:
        """Add the next blocks or take the last one back; how many blocks were changed.

        Raises StorageError.
        """
        changed = index_step(self._link(), self._confirmations)
        self._changed += changed
        return changed
