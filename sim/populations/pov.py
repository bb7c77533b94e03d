"""POV: a constant part of whatever the market trades, until the order is done.

Participation as in Almgren, Thum, Hauptmann and Li, "Direct estimation of
equity market impact" (2005), who measure time by traded volume. A trader's own
trades are part of the volume it takes part in; there is no promise to be done
at the end of the duration.
"""

from dataclasses import dataclass

import numpy as np

from sim.populations.crowd import StrategyKind
from sim.populations.dice import Dice
from sim.populations.parent_orders import ParentOrders, ParentParameters, Parents
from sim.populations.population import Integers, MarketView, bounded
from sim.units import PPM


@dataclass(frozen=True)
class PovParameters(ParentParameters):
    """As ParentParameters, and: participation_ppm, a trader's part of the volume."""

    participation_ppm: int = bounded(20_000, 1, 500_000)


class Pov(ParentOrders):
    """Traders who take part in the market's volume at a rate."""

    def __init__(
        self, parameters: PovParameters, accounts: range, markets: int, dice: Dice
    ) -> None:
        super().__init__(parameters, accounts, markets, dice)
        self._participation_ppm = parameters.participation_ppm
        self._begun_lots: list[int | None] = [None] * markets

    def due_lots(self, market: int, view: MarketView, elapsed: int, parents: Parents) -> Integers:
        """See ParentOrders."""
        begun = self._begun_lots[market]
        if begun is None:
            begun = self._begun_lots[market] = view.volume_lots
        mine = (view.volume_lots - begun) * self._participation_ppm // PPM
        return np.minimum(parents.whole_lots, mine)


STRATEGY = StrategyKind("pov", Pov, PovParameters)
