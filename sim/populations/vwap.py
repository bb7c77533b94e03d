"""VWAP: trade as the market trades, and be done in time.

After Madhavan, "VWAP strategies" (2002), and Białkowski, Darolles and Le Fol,
"Improving VWAP strategies: a dynamic volume approach" (2008): the part of the
order that is done follows the part of the period's volume that has been seen,
where the volume still to come is forecast. The forecast is what a scenario
says, or the rate seen before the order began; in the last twentieth of the time
less and less of it counts, so the whole is done at the end.
"""

from dataclasses import dataclass

from sim.populations.crowd import StrategyKind
from sim.populations.dice import Dice
from sim.populations.parent_orders import ParentOrders, ParentParameters, Parents
from sim.populations.population import Integers, MarketView, bounded
from sim.units import ATOMS_PER_UNIT

ENDING_PARTS = 20
"""In the last of so many parts of its time, a trader stops waiting for volume that is late."""

SURPLUS_PARTS = 4


@dataclass(frozen=True)
class VwapParameters(ParentParameters):
    """As ParentParameters, and:

    volume_quote   worth of what the market is expected to trade in the duration;
                   0: as much in the same time as it did before the order began
    """

    volume_quote: int = bounded(0, 0, 2**40)


class Vwap(ParentOrders):
    """Traders who follow the market's volume."""

    def __init__(
        self, parameters: VwapParameters, accounts: range, markets: int, dice: Dice
    ) -> None:
        super().__init__(parameters, accounts, markets, dice)
        self._forecast_quote = parameters.volume_quote
        self._first_lots: list[int | None] = [None] * markets
        self._begun_lots: list[int | None] = [None] * markets

    def before(self, market: int, view: MarketView) -> None:
        """See ParentOrders."""
        if self._first_lots[market] is None:
            self._first_lots[market] = view.volume_lots
        self._begun_lots[market] = view.volume_lots

    def due_lots(self, market: int, view: MarketView, elapsed: int, parents: Parents) -> Integers:
        """See ParentOrders."""
        if self._begun_lots[market] is None:
            self.before(market, view)
        seen = view.volume_lots - (self._begun_lots[market] or 0)
        to_come = self._to_come_lots(market, view, seen, self._terms.duration_steps - elapsed)
        if seen + to_come <= 0:
            return parents.whole_lots * (elapsed // self._terms.duration_steps)
        return parents.whole_lots * seen // (seen + to_come)

    def _to_come_lots(self, market: int, view: MarketView, seen: int, left: int) -> int:
        """What is left of the forecast, less in the last twentieth of the time, 0 at its end.

        Where more was traded than forecast, a part of the forecast's rate goes on.
        """
        whole, duration = self._forecast_lots(market, view), self._terms.duration_steps
        ending = min(ENDING_PARTS * left, duration)
        rest = max(0, whole - seen) * ending // duration
        return max(rest, whole * left // duration // SURPLUS_PARTS)

    def _forecast_lots(self, market: int, view: MarketView) -> int:
        """Volume expected in the whole duration."""
        if self._forecast_quote:
            atoms_per_lot = view.index_ticks * view.spec.atoms_per_tick_lot
            return self._forecast_quote * ATOMS_PER_UNIT // max(1, atoms_per_lot)
        before = (self._begun_lots[market] or 0) - (self._first_lots[market] or 0)
        return before * self._terms.duration_steps // max(1, self._terms.start_step)


STRATEGY = StrategyKind("vwap", Vwap, VwapParameters)
