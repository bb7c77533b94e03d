"""A pool that swaps fast: made of a plain one, and made into one again for whatever is no swap."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.fast_pool.arrays import DONE, REASONS, SwapBatch
from sim.fast_pool.converting import arrays_of, integers, signed, table, tell_swaps
from sim.fast_pool.swapping import swap_all
from sim.pool.pool import Pool, copied
from sim.pool.swapping import Order
from sim.pool.words import Pair, wrapped


@dataclass(frozen=True, slots=True)
class AskedSwap:
    """A swap, and the time of its block; `pay` as of Pool."""

    time_s: int
    order: Order
    pay: Pair | None = None


@dataclass(frozen=True, slots=True)
class Swapped:
    """What came of a swap: the amounts, positive into the pool, or the revert's reason; and price,
    liquidity and tick after it."""

    revert: str | None
    amounts: Pair
    sqrt_price_x96: int
    liquidity: int
    tick: int


def batch_of(swaps: Sequence[AskedSwap]) -> SwapBatch:
    """Swaps as the kernel reads them."""
    orders, length = [one.order for one in swaps], len(swaps)
    return SwapBatch(
        times_s=np.array([wrapped(one.time_s, 32) for one in swaps], np.int64),
        zero_for_one=np.array([one.zero_for_one for one in orders], np.bool_),
        specified=table([one.amount_specified for one in orders]),
        limits_x96=table([one.sqrt_price_limit_x96 for one in orders]),
        is_paid=np.array([one.pay is not None for one in swaps], np.bool_),
        paid=table([paid for one in swaps for paid in one.pay or (0, 0)]),
        outcomes=np.full(length, DONE, np.int64),
        amounts=np.zeros((2 * length, 4), np.uint64),
        after=np.zeros((2 * length, 4), np.uint64),
        ticks=np.zeros(length, np.int64),
    )


def answers_of(batch: SwapBatch) -> list[Swapped]:
    """What the kernel has written."""
    reverts = [REASONS[outcome] for outcome in batch.outcomes.tolist()]
    amounts, after = signed(batch.amounts), integers(batch.after)
    pairs = list(zip(amounts[::2], amounts[1::2], strict=True))
    told = zip(reverts, pairs, after[::2], after[1::2], batch.ticks.tolist(), strict=True)
    return [Swapped(*one) for one in told]


class FastPool:
    """A pool of two tokens. It shares nothing with the plain one that it is made of."""

    def __init__(self, pool: Pool) -> None:
        self._rest = copied(pool)
        self._arrays = arrays_of(pool)

    def swap(self, batch: SwapBatch) -> None:
        """Swaps one after the other, and writes what comes of each into the batch."""
        swap_all(self._arrays, batch)

    def plain(self) -> Pool:
        """The pool as it is now."""
        pool = copied(self._rest)
        tell_swaps(self._arrays, pool)
        return pool
