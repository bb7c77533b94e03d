"""A pool that is asked fast: made of a plain one, and made into one again for whatever else."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from sim.fast_pool.arrays import (
    BURN,
    COLLECT,
    DONE,
    MINT,
    REASONS,
    SWAP,
    Integers,
    Operations,
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
    rows, length = [_row(one) for one in asked], len(asked)
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
        outcomes=np.full(length, DONE, np.int64),
        amounts=np.zeros((2 * length, 4), np.uint64),
        after=np.zeros((2 * length, 4), np.uint64),
        ticks=np.zeros(length, np.int64),
    )
    return Batch(operations, tuple(key for key in places if key is not None))


def answers_of(batch: Batch) -> list[Answer]:
    """What the kernel has written."""
    told = batch.operations
    reverts = [REASONS[outcome] for outcome in told.outcomes.tolist()]
    amounts, after = signed(told.amounts), integers(told.after)
    pairs = list(zip(amounts[::2], amounts[1::2], strict=True))
    rows = zip(reverts, pairs, after[::2], after[1::2], told.ticks.tolist(), strict=True)
    return [Answer(*row) for row in rows]


class FastPool:
    """A pool of two tokens. It shares nothing with the plain one that it is made of.

    A position once named, and its ticks, keep their room in the arrays when they are empty again.
    """

    def __init__(self, pool: Pool) -> None:
        self._arrays = arrays_of(pool)
        self._rows = {key: row for row, key in enumerate(pool.store.positions)}

    def operate(self, batch: Batch) -> None:
        """One operation after the other; what comes of each is written into the batch."""
        rows = self._rows_of(batch.keys)
        operate_all(self._arrays, batch.operations, rows)

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
