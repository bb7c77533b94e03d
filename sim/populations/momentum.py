"""Momentum traders: they buy what has risen and sell what has fallen.

After the momentum agent of ABIDES (Byrd, Hybinette and Balch, 2019), which
compares a short with a long moving average of the mid price; the averages are
exponential here and shared: a trader only chooses its horizon, so those who
sleep cost nothing. The effect they stand for: Moskowitz, Ooi and Pedersen,
"Time series momentum" (2012).
"""

from dataclasses import dataclass

import numpy as np

from sim.messages import Rows, Side, empty_commands
from sim.populations.command_rows import immediate
from sim.populations.crowd import Crowd
from sim.populations.dice import UNIT_BITS, Dice
from sim.populations.noise import sane_places, touch_ticks
from sim.populations.population import Integers, MarketView, bounded
from sim.populations.value import drawn_lots
from sim.units import PPM

AVERAGE_SHIFT = 16
"""Averages are kept in ticks × 2**16."""

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


@dataclass
class Averages:
    """Short and long average of the mid for every horizon, ticks × 2**16: int64 (horizons,)."""

    fast_q16: Integers
    slow_q16: Integers


class Momentum(Crowd):
    """Any number of trend followers."""

    def __init__(
        self, parameters: MomentumParameters, accounts: range, markets: int, dice: Dice
    ) -> None:
        super().__init__(accounts, markets, dice, parameters.position_max_quote)
        self._parameters = parameters
        self._averages: list[Averages | None] = [None] * markets
        self._fast_shifts = np.arange(
            parameters.fast_shift_min,
            max(parameters.fast_shift_min, parameters.fast_shift_max) + 1,
        )
        self._horizon = dice.birth(0, 1)[:, 0] * len(self._fast_shifts) >> UNIT_BITS

    def decide(self, step: int, market: int, view: MarketView) -> Rows:
        """Immediate orders towards the position the trend asks for."""
        trends = self._trend(market, view)
        acting, draws = self.wake(step, market, self._parameters.activity_ppm, WORDS)
        if len(acting) == 0:
            return empty_commands(0)
        trend = trends[self._horizon[acting]]
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

    def _trend(self, market: int, view: MarketView) -> Integers:
        """1 up, −1 down, 0 neither, by horizon, after this view's mid is averaged in."""
        mid_q16 = sum(touch_ticks(view)) << (AVERAGE_SHIFT - 1)
        averages = self._averages[market]
        if averages is None:
            flat = np.full(len(self._fast_shifts), mid_q16, dtype=np.int64)
            averages = self._averages[market] = Averages(flat, flat.copy())
        averages.fast_q16 += (mid_q16 - averages.fast_q16) >> self._fast_shifts
        slow_shift = self._fast_shifts + self._parameters.slow_shift_more
        averages.slow_q16 += (mid_q16 - averages.slow_q16) >> slow_shift
        threshold_q16 = averages.slow_q16 * self._parameters.threshold_ppm // PPM
        distance_q16 = averages.fast_q16 - averages.slow_q16
        return np.where(np.abs(distance_q16) > threshold_q16, np.sign(distance_q16), 0)
