"""A pool's actor: what blocks ask of it, and how it comes back."""

import threading
import time
from collections.abc import Sequence

import structlog

from actors.loop import Loop
from sim.chain.pool_host import PoolAnswer, PoolCall, PoolHost, PoolStand, Purses
from sim.pool.saving import pool_bytes
from storage.chain.pools import catch_up, keep_snapshot, recovered
from storage.errors import DatabaseUnavailable, patiently
from storage.postgres.database import Link

SNAPSHOT_EVERY_S = 60.0
LOOK_EVERY_S = 0.5
STOP_WAIT_S = 4.0

log = structlog.get_logger()


class PoolActor:
    """One a pool. Constructing it rebuilds the pool from PostgreSQL.

    It writes nothing but snapshots: what it was asked stands in blocks, so a second one beside it
    does no harm.
    """

    def __init__(self, pool_id: int, database_url: str, run: bool = False) -> None:
        self._pool_id = pool_id
        self._link = Link(database_url, f"pool-{pool_id}")
        self._lock = threading.Lock()
        self._host = patiently(lambda: recovered(self._link(), pool_id))
        self._snapshot_number = self._host.number
        self._snapshot_at = time.monotonic()
        self._loop = Loop(f"pool {pool_id}", self._run)
        log.info("pool_ready", pool=pool_id, block=self._host.number)
        if run:
            self.start()

    def start(self) -> None:
        """Keep snapshots now and then. A second call does nothing."""
        self._loop.start()

    def stop(self) -> None:
        """Keep a last snapshot."""
        self._loop.stop(STOP_WAIT_S)
        self._keep_snapshot()
        self.end()

    def end(self) -> None:
        """Give the connection back; what is not kept is read again by whoever comes next."""
        self._link.close()

    def health(self) -> dict[str, int]:
        """The newest block that it knows, and its positions."""
        return {"block": self._host.number, "positions": len(self._host.pool.store.positions)}

    def settled(self) -> PoolStand:
        """How it is after the newest block."""
        with self._lock:
            self._host.settled()
            self._catch_up(self._host)
            return self._host.stand()

    def begin(self, number: int, state_hash: bytes) -> None:
        """See PoolHost.begin; what it has missed it reads first."""
        with self._lock:
            if (number, state_hash) != (self._host.number + 1, self._host.state_hash):
                log.warning("pool_rebuilt", pool=self._pool_id, block=self._host.number)
                self._host = recovered(self._link(), self._pool_id)
            self._host.begin(number, state_hash)

    def run(self, time_s: int, purses: Purses, calls: Sequence[PoolCall]) -> list[PoolAnswer]:
        """See PoolHost.run."""
        with self._lock:
            return self._host.run(time_s, purses, calls)

    def stand(self) -> PoolStand:
        """See PoolHost.stand."""
        with self._lock:
            return self._host.stand()

    def keep(self, number: int) -> None:
        """See PoolHost.keep."""
        with self._lock:
            self._host.keep(number)

    def state(self, number: int) -> bytes | None:
        """All of it after a block (sim.pool.saving); None where it is not there."""
        with self._lock:
            self._host.settled()
            return pool_bytes(self._host.pool) if self._host.number == number else None

    def _catch_up(self, host: PoolHost) -> None:
        catch_up(self._link(), self._pool_id, host)

    def _run(self) -> None:
        while not self._loop.stopping.wait(LOOK_EVERY_S):
            self._loop.beat()
            if time.monotonic() - self._snapshot_at > SNAPSHOT_EVERY_S:
                self._keep_snapshot()

    def _keep_snapshot(self) -> None:
        self._snapshot_at = time.monotonic()
        with self._lock:
            if self._host.number == self._snapshot_number:
                return
            try:
                keep_snapshot(self._link(), self._pool_id, self._host)
            except DatabaseUnavailable as error:
                log.warning("snapshot_waits", pool=self._pool_id, error=str(error))
                return
            self._snapshot_number = self._host.number
