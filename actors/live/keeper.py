"""The keeper: packs what has become old, and prunes what is kept no longer."""

import os
import time

import structlog

from actors.loop import Loop
from storage.errors import StorageError, first_line
from storage.market.journal_packing import pack_next
from storage.market.markets import load_specs
from storage.postgres.database import Link, now_us
from storage.upkeep.kept import Kept
from storage.upkeep.notes import note_failure, note_sizes, note_success, upkeep_errors
from storage.upkeep.pruning import prune
from storage.upkeep.strategy_ledger import sum_up

ROUND_S = 20.0
PRUNE_EVERY_S = 3_600.0
PRUNE_FIRST_S = 120.0
"""After a start others have more urgent work."""

PACKS_A_ROUND_MAX = 20
PAUSE_S = 0.05
"""Between two transactions of its own."""

NICENESS = 10
STOP_WAIT_S = 3.0

log = structlog.get_logger()


class Keeper:
    """One per deployment. What it cannot do is logged and told in /metrics, and tried again."""

    def __init__(self, database_url: str, kept: Kept, run: bool = False) -> None:
        self._link = Link(database_url, "keeper")
        self._kept = kept
        self._loop = Loop("keeper", self._run)
        self._prune_at = time.monotonic() + PRUNE_FIRST_S
        self._packed, self._failures = 0, 0
        if run:
            os.nice(NICENESS)
            self.start()

    def start(self) -> None:
        """Begin to work. A second call does nothing."""
        self._loop.start()

    def stop(self) -> None:
        """Finish the transaction under way and end."""
        self._loop.stop(STOP_WAIT_S)
        self._link.close()

    def health(self) -> dict[str, int]:
        """Batches packed, and failures, since it started."""
        return {"packed": self._packed, "failures": self._failures}

    def _run(self) -> None:
        while not self._loop.stopping.wait(ROUND_S):
            self.tidy(now_us())
            if time.monotonic() >= self._prune_at:
                self._prune_at = time.monotonic() + PRUNE_EVERY_S
                self.prune(now_us())

    def tidy(self, at_us: int) -> None:
        """Sum up strategies' entries, and pack every market's old batches."""
        try:
            with upkeep_errors():
                sum_up(self._link(), at_us)
                market_ids = list(load_specs(self._link()))
        except StorageError as error:
            self._failed("tidy", at_us, error)
            return
        for market_id in market_ids:
            try:
                with upkeep_errors():
                    self._pack(market_id, at_us)
            except StorageError as error:
                self._failed("pack", at_us, error)

    def _pack(self, market_id: str, at_us: int) -> None:
        for _ in range(PACKS_A_ROUND_MAX):
            count = pack_next(self._link(), market_id, at_us)
            self._packed += count
            if not count or self._loop.stopping.wait(PAUSE_S):
                return

    def prune(self, at_us: int) -> None:
        """Take away what is kept no longer."""
        try:
            with upkeep_errors():
                done = prune(self._link(), at_us, self._kept, self._pause)
                if not self._loop.stopping.is_set():
                    note_success(self._link(), at_us)
                    note_sizes(self._link(), at_us)
            log.info("pruned", **done)
        except StorageError as error:
            self._failed("prune", at_us, error)

    def _pause(self) -> bool:
        return self._loop.stopping.wait(PAUSE_S)

    def _failed(self, what: str, at_us: int, error: Exception) -> None:
        """Never fatal: the exchange goes on, and so does the next round."""
        self._failures += 1
        log.error(f"{what}_failed", error=first_line(error))
        try:
            with upkeep_errors():
                note_failure(self._link(), at_us, f"{what}: {first_line(error)}")
        except StorageError as second:
            log.warning("failure_not_noted", error=first_line(second))
