"""What a pool would give: a compiled pool that follows one as it is, and foresees swaps."""

from sim.fast_pool.arrays import Outcomes
from sim.fast_pool.engine import Batch, FastPool
from sim.pool.saving import pool_of


class PoolQuotes:
    """Of one pool. Whoever asks sends operations as arrays, many at a time.

    saved   the pool where this begins, as sim.pool.saving tells it
    """

    def __init__(self, saved: bytes) -> None:
        self._pool = FastPool(pool_of(saved))

    def follow(self, happened: Batch) -> Outcomes:
        """Does what the pool has done; what came of it there."""
        return self._pool.operate(happened)

    def quote(self, swaps: Batch) -> Outcomes:
        """What swaps alone would come to, one after the other. Nothing happens."""
        return self._pool.foreseen(swaps)
