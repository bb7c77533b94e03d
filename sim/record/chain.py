"""What a chain beside books leaves of a simulation."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

BLOCK: np.dtype[np.void] = np.dtype(
    [
        ("time_us", "<i8"),
        ("price", "<f8"),
        ("book_price", "<f8"),
        ("swaps", "<i8"),
        ("arbitrages", "<i8"),
    ]
)
"""A pool at a block's end: its price, the middle of the book (NaN where a side was empty), swaps of
the block, and how many of them were arbitrageurs'."""

DROID: np.dtype[np.void] = np.dtype(
    [
        ("time_us", "<i8"),
        ("aum_atoms", "<i8"),
        ("fees_atoms", "<i8"),
        ("gas_atoms", "<i8"),
        ("impermanent_loss_atoms", "<i8"),
        ("held_atoms", "<i8"),
        ("rungs", "<i8"),
    ]
)
"""A droid at a block's end, in atoms of the quote at the pool's price of then; fees and gas are all
so far, held is what it began with."""


@dataclass
class PoolRecord:
    """blocks   BLOCK rows"""

    pool_id: int
    name: str
    blocks: npt.NDArray[np.void]


@dataclass
class DroidRecord:
    """standings   DROID rows
    bands          (begin, end) in µs, (lowest, highest) price of each rung that it had
    """

    name: str
    pool_id: int
    status: str
    note: str
    plans: int
    standings: npt.NDArray[np.void]
    bands: tuple[tuple[int, int, float, float], ...]


@dataclass
class ChainRecord:
    """traded_lots   on the book for arbitrageurs, bought and sold"""

    market_id: str
    blocks: int
    transactions: int
    traded_lots: tuple[int, int]
    state_hash: bytes
    pools: list[PoolRecord]
    droids: list[DroidRecord]


def rows_of(rows: list[tuple[Any, ...]], kind: np.dtype[np.void]) -> npt.NDArray[np.void]:
    return np.array(rows, kind)
