"""What is logged of a pool: how it stood before, and all that happened in it, in order."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from sim.chain.building import BLOCK_S
from sim.chain.known_pools import KnownPool
from sim.pool.positions import PositionKey
from sim.pool.swapping import Order


class Change(StrEnum):
    MINT = "mint"
    BURN = "burn"
    COLLECT = "collect"


@dataclass(frozen=True, slots=True)
class LoggedSwap:
    """The call that was made, and where it brought the price."""

    order: Order
    sqrt_price_x96: int


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """liquidity   that came or went; of a collect 0: it takes all that there is"""

    kind: Change
    key: PositionKey
    liquidity: int


@dataclass(frozen=True, slots=True)
class LogRow:
    """index   of the log among those of its block"""

    block: int
    time_s: int
    index: int
    what: LoggedSwap | LoggedChange


@dataclass(frozen=True, slots=True)
class PoolLog:
    """positions   that stood before the first row, with their liquidity
    rows        at least one; neither blocks nor times go back
    """

    name: str
    pool: KnownPool
    sqrt_price_x96: int
    positions: tuple[tuple[PositionKey, int], ...]
    rows: tuple[LogRow, ...]

    @property
    def first(self) -> "LogBlock":
        """The block before the first row, at whose end all begins."""
        first = self.rows[0]
        return LogBlock(first.block - 1, first.time_s - BLOCK_S)

    @property
    def blocks(self) -> int:
        """How many blocks it covers."""
        return self.rows[-1].block - self.rows[0].block + 1


@dataclass(frozen=True, slots=True)
class LogBlock:
    number: int
    time_s: int
    rows: tuple[LogRow, ...] = ()


def blocks_of(log: PoolLog) -> Iterator[LogBlock]:
    """From its first block to its last, those between in which nothing happened with them: 12 s
    apart, but never as late as the next that is logged."""
    before = log.first
    for number, found in groupby(log.rows, lambda row: row.block):
        rows = tuple(found)
        time_s = rows[0].time_s
        for between in range(before.number + 1, number):
            slot_s = before.time_s + BLOCK_S * (between - before.number)
            yield LogBlock(between, min(slot_s, time_s - 1))
        before = LogBlock(number, time_s, rows)
        yield before
