"""The open orders of many accounts in one market, summed by account and side."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.money.margin import OpenSide
from sim.rows.messages import Side

Integers = npt.NDArray[np.int64]

SIDES = 4
"""More than any number of a side: account × SIDES + side is a number of its own."""

SIDE_OF = {int(side): side for side in Side}
"""An enum finds its members more slowly."""


@dataclass(frozen=True)
class OpenOrders:
    """What is left of orders of which none waits: columns of shape (n,).

    limit_ticks   the worst price each may trade at; × lots it fits into 64 bits
    reduce_only   not 0 where an order is
    """

    account_ids: Integers
    sides: Integers
    limit_ticks: Integers
    lots: Integers
    reduce_only: Integers

    def sums(self, mark_ticks: int) -> list[tuple[int, Side, OpenSide]]:
        """Account, side and sums of every side of an account that has an order here."""
        if not self.lots.size:
            return []
        places = self.account_ids * SIDES + self.sides
        by_place = np.argsort(places, kind="stable")
        places = places[by_place]
        begins = np.flatnonzero(np.diff(places, prepend=-1))
        sums = np.add.reduceat(self._summands(mark_ticks)[:, by_place], begins, axis=1)
        return [
            (place // SIDES, SIDE_OF[place % SIDES], OpenSide(*of_side))
            for place, of_side in zip(places[begins].tolist(), sums.T.tolist(), strict=True)
        ]

    def _summands(self, mark_ticks: int) -> npt.NDArray[np.int64] | npt.NDArray[np.object_]:
        """What each order adds to the fields of OpenSide, in their order, shape (6, n); as Python's
        integers where 64 bits might not hold a sum."""
        lots, tick_lots = self.lots, self.limit_ticks * self.lots
        away_ticks = self.limit_ticks - mark_ticks
        loses = np.where(self.sides == Side.SELL, -away_ticks, away_ticks) > 0
        orders, plain = np.ones_like(lots), np.where(self.reduce_only, 0, lots)
        rows = np.stack([orders, lots, tick_lots, plain, lots * loses, tick_lots * loses])
        fits = int(np.abs(rows).max()) * lots.size < 2**63
        return rows if fits else rows.astype(np.object_)
