"""Mean-reversion traders: they sell what has just risen and buy what has just fallen.

The contrarian of Lo and MacKinlay, "When are contrarian profits due to stock
market overreaction?" (1990), traded the way of Bollinger's bands: a price that
is farther from its own moving average than a threshold is faded, and the
position is closed once the price is back. Averages are exponential and shared;
a trader only chooses its horizon, so those who sleep cost nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.populations.command_rows import immediate
from sim.populations.crowd import Crowd, StrategyKind
from sim.populations.dice import UNIT_BITS, Dice
from sim.populations.moving_mid import AVERAGE_SHIFT, glance, moving_mid
from sim.populations.noise import sane_places, touch_ticks
from sim.populations.population import Integers, MarketView, bounded
from sim.populations.value import drawn_lots
from sim.rows.messages import Rows, Side, empty_commands
from sim.units import PPM

WORDS = 1
SIZE = 0


@dataclass(frozen=True)
class MeanReversionParameters:
    """Of every trader in every market.

    activity_ppm         chance that a trader looks at the market in a step
    shift_min, shift_max a trader's average has a horizon of 2**shift steps, the shift
                         uniform between these
    enter_ppm            a distance of the mid from the average above this is faded
    leave_ppm            at a distance below this a position is closed
    order_quote          worth of its largest order, quote units
    position_max_quote   worth of the largest position, quote units
    slip_ppm             how far through the touch an order may trade
    """

    activity_ppm: int = bounded(20_000, 0, 1_000_000)
    shift_min: int = bounded(7, 0, 16)
    shift_max: int = bounded(10, 0, 16)
    enter_ppm: int = bounded(400, 0, 1_000_000)
    leave_ppm: int = bounded(100, 0, 1_000_000)
    order_quote: int = bounded(2_500, 1, 1_000_000_000)
    position_max_quote: int = bounded(10_000, 1, 1_000_000_000)
    slip_ppm: int = bounded(300, 0, 100_000)


class MeanReversion(Crowd):
    """Any number of contrarians."""

    watches = True

    def __init__(
        self, parameters: MeanReversionParameters, accounts: range, markets: int, dice: Dice
    ) -> None:
        most, activity_ppm = parameters.position_max_quote, parameters.activity_ppm
        super().__init__(accounts, markets, dice, most, activity_ppm)
        self._parameters = parameters
        self._shifts = np.arange(
            parameters.shift_min, max(parameters.shift_min, parameters.shift_max) + 1
        )
        self._horizon = dice.birth(0, 1)[:, 0] * len(self._shifts) >> UNIT_BITS
        self._mids = [moving_mid(self._shifts) for _ in range(markets)]

    def decide(self, step: int, market: int, view: MarketView) -> Rows:
        """Immediate orders towards the position that fades the move, or towards none."""
        away_q16 = self._mids[market].see(step, view)
        acting, draws = self.wake(step, market, self._parameters.activity_ppm, WORDS)
        if len(acting) == 0:
            return empty_commands(0)
        position = self.holdings[market].positions_lots[acting]
        target = self._targets(view, away_q16[self._horizon[acting]], position, market)
        gap = target - position
        wished = drawn_lots(view, self._parameters.order_quote, draws[:, SIZE])
        lots = np.minimum(np.abs(gap), wished)
        acts = lots >= view.spec.min_quantity_lots
        return self._orders(view, acting[acts], gap[acts], lots[acts])

    def watch(self, step: int, views: Sequence[MarketView]) -> None:
        """See Crowd."""
        glance(self._mids, step, views)

    def _targets(
        self, view: MarketView, away_q16: Integers, position_lots: Integers, market: int
    ) -> Integers:
        """Against a move that is large, flat after one that is small, as it is in between."""
        price_q16 = view.index_ticks << AVERAGE_SHIFT
        enter, leave = (
            price_q16 * ppm // PPM
            for ppm in (self._parameters.enter_ppm, self._parameters.leave_ppm)
        )
        far, near = np.abs(away_q16) > enter, np.abs(away_q16) < leave
        fading = -np.sign(away_q16) * self.limit_lots(market, view)
        return np.where(far, fading, np.where(near, 0, position_lots))

    def _orders(self, view: MarketView, who: Integers, gap: Integers, lots: Integers) -> Rows:
        slip = view.index_ticks * self._parameters.slip_ppm // PPM
        bid, ask = touch_ticks(view)
        prices = np.where(gap > 0, ask + slip, bid - slip)
        sides = np.where(gap > 0, Side.BUY, Side.SELL).astype(np.int64)
        return immediate(sane_places(view, who + self.accounts.start, sides, prices, lots))


STRATEGY = StrategyKind("mean-reversion", MeanReversion, MeanReversionParameters)
