"""Exponential averages of a market's mid, for several horizons at once, over steps that nobody saw.

From one step to the next an average moves by (mid − average) ÷ 2**shift, rounded down. Steps in
which nobody looked are made up for with the mid that stood: a book at rest does not move it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.populations.population import Integers, MarketView
from sim.rows import kernels
from sim.rows.kernels import cached_kernel

AVERAGE_SHIFT = 16
"""Averages are kept in ticks × 2**16."""


@cached_kernel(kernels)
def follow(averages_q16: Integers, shifts: Integers, mid_q16: int, steps: int) -> None:
    """Move all averages by so many steps of one mid."""
    for place in range(len(averages_q16)):
        average = averages_q16[place]
        for _ in range(steps):
            moved = average + ((mid_q16 - average) >> shifts[place])
            if moved == average:
                break
            average = moved
        averages_q16[place] = average


@dataclass
class MovingMid:
    """The averages of one market, int64 (horizons,), of horizons 2**shifts.

    The mid is that of the touch; where a side is empty the last one stands, at first the index.
    """

    shifts: Integers
    averages_q16: Integers
    mid_q16: int = 0
    step: int = 0

    def see(self, step: int, view: MarketView) -> Integers:
        """Go on to this step's view; how far its mid is from the averages before it."""
        if self.mid_q16 == 0:
            self.mid_q16, self.step = view.index_ticks << AVERAGE_SHIFT, step - 1
            if view.best_bid_ticks and view.best_ask_ticks:
                self.mid_q16 = mid_of(view)
            self.averages_q16[:] = self.mid_q16
        missed = step - self.step - 1
        if missed > 0:
            follow(self.averages_q16, self.shifts, self.mid_q16, missed)
        if view.best_bid_ticks and view.best_ask_ticks:
            self.mid_q16 = mid_of(view)
        away: Integers = self.mid_q16 - self.averages_q16
        follow(self.averages_q16, self.shifts, self.mid_q16, 1)
        self.step = step
        return away


def glance(mids: Sequence[MovingMid], step: int, views: Sequence[MarketView]) -> None:
    """Go on only where a mid has moved; what stood is made up for later."""
    for mid, view in zip(mids, views, strict=True):
        two_sided = view.best_bid_ticks and view.best_ask_ticks
        if mid.mid_q16 == 0 or (two_sided and mid_of(view) != mid.mid_q16):
            mid.see(step, view)


def mid_of(view: MarketView) -> int:
    """Middle of the touch in ticks × 2**16."""
    return (view.best_bid_ticks + view.best_ask_ticks) << (AVERAGE_SHIFT - 1)


def moving_mid(shifts: Integers) -> MovingMid:
    """Averages that have seen nothing."""
    return MovingMid(shifts.astype(np.int64), np.zeros(len(shifts), np.int64))
