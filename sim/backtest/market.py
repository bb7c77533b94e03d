"""A pool in which a log happens again, with somebody in it who was not there."""

from enum import StrEnum

from sim.backtest.log import Change, LoggedChange, LoggedSwap, LogRow, PoolLog
from sim.pool.pool import Pool
from sim.pool.reverts import Reverted
from sim.pool.swapping import Order
from sim.pool.words import UINT128_MAX

WHATEVER_IT_TAKES = 2**255 - 1
OBSERVATIONS = 256
"""So many blocks a mean tick may look back."""


class Replays(StrEnum):
    """How swaps are made again.

    PRICE   as large as brings the price to where it was then: the price is the market's, and
            whoever comes into the pool only takes it
    CALLS   as they were called: the same amounts share the fees with whoever has come, and move
            the price a little less
    """

    PRICE = "price-exact"
    CALLS = "as-called"


class Market:
    """refused   rows that could not happen again: the pool said no"""

    def __init__(self, log: PoolLog, replays: Replays) -> None:
        self.pool = opened(log)
        self.refused = 0
        self._replays = replays

    def happen(self, row: LogRow) -> None:
        try:
            if isinstance(row.what, LoggedSwap):
                self._swap(row.time_s, row.what)
            else:
                self._change(row.time_s, row.what)
        except Reverted:
            self.refused += 1

    def _swap(self, time_s: int, swap: LoggedSwap) -> None:
        if self._replays is Replays.CALLS:
            self.pool.swap(time_s, swap.order)
            return
        now_x96, then_x96 = self.pool.state.sqrt_price_x96, swap.sqrt_price_x96
        if now_x96 != then_x96:
            self.pool.swap(time_s, Order(then_x96 < now_x96, WHATEVER_IT_TAKES, then_x96))

    def _change(self, time_s: int, change: LoggedChange) -> None:
        if change.kind is Change.MINT:
            self.pool.mint(time_s, change.key, change.liquidity)
        elif change.kind is Change.BURN:
            self.pool.burn(time_s, change.key, change.liquidity)
        else:
            self.pool.collect(change.key, (UINT128_MAX, UINT128_MAX))


def opened(log: PoolLog) -> Pool:
    """The pool before the first row. Raises Reverted where no pool can stand so."""
    time_s = log.first.time_s
    pool = Pool(log.pool.fee_pips, log.pool.tick_spacing)
    pool.initialize(time_s, log.sqrt_price_x96)
    pool.increase_observation_cardinality_next(OBSERVATIONS)
    for key, liquidity in log.positions:
        pool.mint(time_s, key, liquidity)
    return pool
