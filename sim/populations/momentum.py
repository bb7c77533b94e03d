"""Momentum traders: they buy what has risen and sell what has fallen.

After the momentum agent of ABIDES (Byrd, Hybinette and Balch, 2019), which
compares a short with a long moving average of the mid price; the averages are
exponential here and shared: a trader only chooses its horizon, so those who
sleep cost nothing. The effect they stand for: Moskowitz, Ooi and Pedersen,
"Time series momentum" (2012).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.messages import Rows, Side, empty_commands
from sim.populations.command_rows import immediate
from sim.populations.crowd import Crowd
from sim.populations.dice import UNIT_BITS, Dice
from sim.populations.moving_mid import moving_mid
from sim.populations.noise import sane_places, touch_ticks
from sim.populations.population import Integers, MarketView, bounded
from sim.populations.value import drawn_lots
from sim.units import PPM

WORDS = 1
SIZE = 0


@dataclass(frozen=True)
class MomentumParameters:
    """Of every trader in every market.

    activity_ppm         chance that a trader looks at the market in a step
    fast_shift_min, fast_shift_max   a trader's short average has a horizon of 2**shift steps,
                         the shift uniform between these
    slow_shift_more      its long average has a horizon of 2**(shift + more) steps
    threshold_ppm        a trend is a distance of the averages above this part of the price
    order_quote          worth of its largest order, quote units
    position_max_quote   worth of the largest position, quote units
    slip_ppm             how far through the touch an order may trade
    """

    activity_ppm: int = bounded(20_000, 0, 1_000_000)
    fast_shift_min: int = bounded(6, 0, 16)
    fast_shift_max: int = bounded(9, 0, 16)
    slow_shift_more: int = bounded(2, 1, 8)
    threshold_ppm: int = bounded(250, 0, 10_000)
    order_quote: int = bounded(2_500, 1, 1_000_000_000)
    position_max_quote: int = bounded(10_000, 1, 1_000_000_000)
    slip_ppm: int = bounded(300, 0, 100_000)


class Momentum(Crowd):
    """Any number of trend followers. A market's averages: the short ones, then the long ones."""

    watches = True

    def __init__(
        self, parameters: MomentumParameters, accounts: range, markets: int, dice: Dice
    ) -> None:
        most, activity_ppm = parameters.position_max_quote, parameters.activity_ppm
        super().__init__(accounts, markets, dice, most, activity_ppm)
        self._parameters = parameters
        self._fast_shifts = np.arange(
            parameters.fast_shift_min,
            max(parameters.fast_shift_min, parameters.fast_shift_max) + 1,
        )
        slow_shifts = self._fast_shifts + parameters.slow_shift_more
        shifts = np.concatenate([self._fast_shifts, slow_shifts])
        self._mids = [moving_mid(shifts) for _ in range(markets)]
        self._horizon = dice.birth(0, 1)[:, 0] * len(self._fast_shifts) >> UNIT_BITS

    def decide(self, step: int, market: int, view: MarketView) -> Rows:
        """Immediate orders towards the position the trend asks for."""
        self._mids[market].see(step, view)
        acting, draws = self.wake(step, market, self._parameters.activity_ppm, WORDS)
        if len(acting) == 0:
            return empty_commands(0)
        trend = self._trend(market)[self._horizon[acting]]
        target = trend * self.limit_lots(market, view)
        gap = target - self.holdings[market].positions_lots[acting]
        wished = drawn_lots(view, self._parameters.order_quote, draws[:, SIZE])
        lots = np.minimum(np.abs(gap), wished)
        acts = (gap * trend > 0) & (lots >= view.spec.min_quantity_lots)
        return self._orders(view, acting[acts], trend[acts], lots[acts])

    def _orders(self, view: MarketView, who: Integers, trend: Integers, lots: Integers) -> Rows:
        slip = view.index_ticks * self._parameters.slip_ppm // PPM
        bid, ask = touch_ticks(view)
        prices = np.where(trend > 0, ask + slip, bid - slip)
        sides = np.where(trend > 0, Side.BUY, Side.SELL).astype(np.int64)
        return immediate(sane_places(view, who + self.accounts.start, sides, prices, lots))

    def watch(self, step: int, views: Sequence[MarketView]) -> None:
        """See Crowd."""
        for mid, view in zip(self._mids, views, strict=True):
            mid.see(step, view)

    def _trend(self, market: int) -> Integers:
        """1 up, −1 down, 0 neither, by horizon."""
        fast_q16, slow_q16 = np.split(self._mids[market].averages_q16, 2)
        threshold_q16 = slow_q16 * self._parameters.threshold_ppm // PPM
        distance_q16 = fast_q16 - slow_q16
        return np.where(np.abs(distance_q16) > threshold_q16, np.sign(distance_q16), 0)
