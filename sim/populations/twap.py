"""TWAP: equal slices in equal times, or earlier ones larger for whoever fears the price's moves.

The discrete schedule of Almgren and Chriss, "Optimal execution of portfolio
transactions" (2000): what is left follows x[j−1] − 2 x[j] + x[j+1] = κ² x[j],
x at the end 0; κ = 0 is a straight line, time-weighted average price.
"""

from dataclasses import dataclass

import numpy as np

from sim.populations.crowd import StrategyKind
from sim.populations.dice import Dice
from sim.populations.parent_orders import ParentOrders, ParentParameters, Parents
from sim.populations.population import Integers, MarketView, bounded
from sim.units import PPM

SCHEDULE_POINTS = 1_000
SCHEDULE_WHOLE = 1 << 30


@dataclass(frozen=True)
class TwapParameters(ParentParameters):
    """As ParentParameters, and: urgency_ppm, κ for a thousandth of the duration; 0 is TWAP."""

    urgency_ppm: int = bounded(0, 0, 1_000_000)


class Twap(ParentOrders):
    """Traders whose schedule is a matter of time alone."""

    def __init__(
        self, parameters: TwapParameters, accounts: range, markets: int, dice: Dice
    ) -> None:
        super().__init__(parameters, accounts, markets, dice)
        self._schedule = executed(parameters.urgency_ppm)

    def due_lots(self, market: int, view: MarketView, elapsed: int, parents: Parents) -> Integers:
        """See ParentOrders."""
        at, rest = divmod(elapsed * SCHEDULE_POINTS, self._terms.duration_steps)
        done = int(self._schedule[at])
        ahead = int(self._schedule[min(at + 1, SCHEDULE_POINTS)]) - done
        share = done + ahead * rest // self._terms.duration_steps
        return parents.whole_lots * share // SCHEDULE_WHOLE


STRATEGY = StrategyKind("twap", Twap, TwapParameters)


def executed(urgency_ppm: int) -> Integers:
    """Executed by each thousandth of the time, int64 (1001,), SCHEDULE_WHOLE at the end.

    The ratios x[j+1] ÷ x[j] come backwards from 0, so that nothing overflows.
    """
    if urgency_ppm == 0:
        return np.arange(SCHEDULE_POINTS + 1) * SCHEDULE_WHOLE // SCHEDULE_POINTS
    kappa = urgency_ppm / PPM
    ratios = [0.0]
    while len(ratios) < SCHEDULE_POINTS:
        ratios.append(1.0 / (2.0 + kappa * kappa - ratios[-1]))
    left = [1.0]
    for ratio in reversed(ratios):
        left.append(left[-1] * ratio)
    return SCHEDULE_WHOLE - (np.array(left) * SCHEDULE_WHOLE).astype(np.int64)
