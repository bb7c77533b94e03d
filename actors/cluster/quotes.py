"""A pool's quotes in a process of their own, asked over Ray."""

from typing import Any

import ray

from actors.live.quotes import PoolQuotes
from sim.fast_pool.arrays import Outcomes
from sim.fast_pool.engine import Batch

ANSWER_TIMEOUT_S = 60.0
"""The first answer waits for the kernel, which may have to be compiled."""


class RemoteQuotes:
    """PoolQuotes over Ray; it ends with `end`, or with the process that has made it."""

    def __init__(self, saved: bytes) -> None:
        self._actor: Any = ray.remote(num_cpus=0)(PoolQuotes).remote(saved)

    def follow(self, happened: Batch) -> Outcomes:
        """See PoolQuotes. Raises Ray's errors."""
        return self._answer("follow", happened)

    def quote(self, swaps: Batch) -> Outcomes:
        """See PoolQuotes. Raises Ray's errors."""
        return self._answer("quote", swaps)

    def end(self) -> None:
        ray.kill(self._actor)

    def _answer(self, method: str, batch: Batch) -> Outcomes:
        asked = getattr(self._actor, method).remote(batch)
        told: Outcomes = ray.get(asked, timeout=ANSWER_TIMEOUT_S)
        return told
