"""A pool that is asked fast: made of a plain one, and made into one again for whatever else."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from sim.fast_pool.arrays import (
    BURN,
    COLLECT,
    MINT,
    REASONS,
    SWAP,
    Integers,
    Operations,
    Outcomes,
    PoolArrays,
)
from sim.fast_pool.converting import (
    arrays_of,
    integers,
    plain_of,
    signed,
    table,
    with_positions,
)
from sim.fast_pool.operating import operate_all
from sim.pool.pool import Pool
from sim.pool.positions import PositionKey
from sim.pool.swapping import Order
from sim.pool.words import Pair, wrapped


@dataclass(frozen=True, slots=True)
class AskedSwap:
    """A swap, and the time of its block; `pay` as of Pool."""

    time_s: int
    order: Order
    pay: Pair | None = None


@dataclass(frozen=True, slots=True)
class AskedMint:
    """As of Pool."""

    time_s: int
    key: PositionKey
    liquidity: int
    pay: Pair | None = None


@dataclass(frozen=True, slots=True)
class AskedBurn:
    """As of Pool; of 0 it brings the fees owed up to date."""

    time_s: int
    key: PositionKey
    liquidity: int


@dataclass(frozen=True, slots=True)
class AskedCollect:
    """As of Pool."""

    key: PositionKey
    requested: Pair


CHANGED_BY_SWAPS = (
    *("numbers", "words", "ticks", "tick_grown", "observations", "seconds_per_liquidity"),
)
NO_ROWS = np.zeros(0, np.int64)

Asked: TypeAlias = AskedSwap | AskedMint | AskedBurn | AskedCollect


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an operation: the amounts that the plain pool answers, or the revert's reason;
    and price, liquidity and tick after it."""

    revert: str | None
    amounts: Pair
    sqrt_price_x96: int
    liquidity: int
    tick: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Operations as the kernel reads them.

    keys   the positions that they name, each once
    """

    operations: Operations
    keys: tuple[PositionKey, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    """An operation, as wide as all of them."""

    code: int
    asked: Pair
    time_s: int = 0
    zero_for_one: bool = False
    key: PositionKey | None = None
    pay: Pair | None = None


def _row(asked: Asked) -> _Row:
    match asked:
        case AskedSwap(time_s, order, pay):
            numbers = order.amount_specified, order.sqrt_price_limit_x96
            return _Row(SWAP, numbers, time_s, order.zero_for_one, pay=pay)
        case AskedMint(time_s, key, liquidity, pay):
            return _Row(MINT, (liquidity, 0), time_s, key=key, pay=pay)
        case AskedBurn(time_s, key, liquidity):
            return _Row(BURN, (liquidity, 0), time_s, key=key)
        case AskedCollect(key, requested):
            return _Row(COLLECT, requested, key=key)


def batch_of(asked: Sequence[Asked]) -> Batch:
    """Operations for any pool."""
    rows = [_row(one) for one in asked]
    places: dict[PositionKey | None, int] = {None: -1}
    for row in rows:
        places.setdefault(row.key, len(places) - 1)
    operations = Operations(
        codes=np.array([row.code for row in rows], np.int64),
        times_s=np.array([wrapped(row.time_s, 32) for row in rows], np.int64),
        zero_for_one=np.array([row.zero_for_one for row in rows], np.bool_),
        keys=np.array([places[row.key] for row in rows], np.int64),
        asked=table([number for row in rows for number in row.asked]),
        is_paid=np.array([row.pay is not None for row in rows], np.bool_),
        paid=table([paid for row in rows for paid in row.pay or (0, 0)]),
    )
    return Batch(operations, tuple(key for key in places if key is not None))


def answers_of(told: Outcomes) -> list[Answer]:
    """What the kernel has written."""
    reverts = [REASONS[outcome] for outcome in told.outcomes.tolist()]
    amounts, after = signed(told.amounts), integers(told.after)
    pairs = list(zip(amounts[::2], amounts[1::2], strict=True))
    rows = zip(reverts, pairs, after[::2], after[1::2], told.ticks.tolist(), strict=True)
    return [Answer(*row) for row in rows]


def _operated(pool: PoolArrays, batch: Batch, rows: Integers) -> Outcomes:
    length = len(batch.operations.codes)
    told = Outcomes(
        outcomes=np.zeros(length, np.int64),
        amounts=np.zeros((2 * length, 4), np.uint64),
        after=np.zeros((2 * length, 4), np.uint64),
        ticks=np.zeros(length, np.int64),
    )
    operate_all(pool, _writable(batch.operations), told, rows)
    return told


def _writable(operations: Operations) -> Operations:
    """Arrays that Ray has handed over may be read only, which is another type to numba: it would
    compile the kernel once more for them."""
    return Operations._make(np.require(array, requirements="W") for array in operations)


class FastPool:
    """A pool of two tokens. It shares nothing with the plain one that it is made of.

    A position once named, and its ticks, keep their room in the arrays when they are empty again.
    """

    def __init__(self, pool: Pool) -> None:
        self._arrays = arrays_of(pool)
        self._rows = {key: row for row, key in enumerate(pool.store.positions)}

    def operate(self, batch: Batch) -> Outcomes:
        """One operation after the other; what comes of each."""
        rows = self._rows_of(batch.keys)
        return _operated(self._arrays, batch, rows)

    def foreseen(self, swaps: Batch) -> Outcomes:
        """What would come of swaps alone, one after the other, if they were asked now."""
        assert not swaps.keys, "only swaps are foreseen"
        kept = {name: getattr(self._arrays, name).copy() for name in CHANGED_BY_SWAPS}
        return _operated(self._arrays._replace(**kept), swaps, NO_ROWS)

    def plain(self) -> Pool:
        """The pool as it is now."""
        return plain_of(self._arrays, self._rows)

    def _rows_of(self, keys: Sequence[PositionKey]) -> Integers:
        """Where they stand in the arrays, which grow for those that are new."""
        new = [key for key in keys if key not in self._rows]
        if new:
            self._arrays = with_positions(self._arrays, new)
            self._rows.update({key: row for row, key in enumerate(new, len(self._rows))})
        return np.array([self._rows[key] for key in keys], np.int64)
