"""Momentum traders: they buy what has risen and sell what has fallen.

After the momentum agent of ABIDES (Byrd, Hybinette and Balch, 2019), which
compares a short with a long moving average of the mid price; the averages are
exponential here and shared: a trader only chooses its horizon, so those who
sleep cost nothing. The effect they stand for: Moskowitz, Ooi and Pedersen,
"Time series momentum" (2012).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.populations import command_rows
from sim.populations.command_rows import (
    IOC,
    as_commands,
    command_words,
    lots_of_quote,
    write_place,
)
from sim.populations.crowd import Crowd, StrategyKind
from sim.populations.dice import UNIT_BITS, Dice
from sim.populations.moving_mid import glance, moving_mid
from sim.populations.noise import touch_ticks
from sim.populations.population import Integers, MarketView, bounded
from sim.rows import columns, hashed_draws, kernels, messages
from sim.rows.hashed_draws import first_word, piece
from sim.rows.kernels import Number, cached_kernel, inlined
from sim.rows.messages import Rows, Side, empty_commands
from sim.units import PPM

SIZE = 0
"""Which sixteen bits of a trader's word."""

BUY, SELL = int(Side.BUY), int(Side.SELL)


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


BID, ASK, SLIP, THRESHOLD_PPM, LOTS, LOTS_MIN, LIMIT, TICKS_MAX = range(8)
"""Places in what the kernel is told of the market and the parameters: ticks and lots."""


@inlined
def trend_of(averages_q16: Integers, horizon: int, threshold_ppm: int) -> Number:
    """1 up, −1 down, 0 neither."""
    slow_q16 = averages_q16[len(averages_q16) // 2 + horizon]
    distance_q16 = averages_q16[horizon] - slow_q16
    if abs(distance_q16) <= slow_q16 * threshold_ppm // PPM:
        return 0
    return 1 if distance_q16 > 0 else -1


@cached_kernel(columns, command_rows, hashed_draws, kernels, messages)
def decide_momentum(
    rows: Integers,
    acting: Integers,
    horizons: Integers,
    averages_q16: Integers,
    traders: Any,
    about: Any,
    first_account: int,
    first_trader: int,
    key: np.uint64,
    step: int,
) -> Number:
    """Write the COMMAND rows of the traders at `acting`, at most one each; answers how many.

    One function because everything about a trader is at hand once. averages_q16: of a MovingMid,
    the short ones, then the long ones; about: a tuple of int64, named above.
    """
    count = 0
    for place in acting:
        trend = trend_of(averages_q16, horizons[place], about[THRESHOLD_PPM])
        gap = trend * about[LIMIT] - traders[place].position_lots
        draw = piece(first_word(key, first_trader + place, step), SIZE)
        wished = about[LOTS] - (about[LOTS] * draw * 3 >> UNIT_BITS + 2)
        lots = min(abs(gap), max(wished, about[LOTS_MIN]))
        if gap * trend > 0 and lots >= about[LOTS_MIN]:
            side = BUY if trend > 0 else SELL
            price = about[ASK] + about[SLIP] if trend > 0 else about[BID] - about[SLIP]
            price = min(max(price, 1), about[TICKS_MAX])
            write_place(rows, count, first_account + place, side, price, lots, IOC)
            count += 1
    return count


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
        mids = self._mids[market]
        mids.see(step, view)
        acting = self.awake(step, market, self._parameters.activity_ppm)
        if len(acting) == 0:
            return empty_commands(0)
        rows = command_words(len(acting))
        written = decide_momentum(
            rows,
            acting,
            self._horizon,
            mids.averages_q16,
            self.holdings[market].traders,
            self._about(market, view),
            self.accounts.start,
            self.first_trader,
            self.key(market),
            step,
        )
        return as_commands(rows[:written])

    def _about(self, market: int, view: MarketView) -> tuple[int, ...]:
        """BID to TICKS_MAX."""
        own, spec, index = self._parameters, view.spec, view.index_ticks
        bid, ask = touch_ticks(view)
        return (
            bid,
            ask,
            index * own.slip_ppm // PPM,
            own.threshold_ppm,
            lots_of_quote(spec, index, own.order_quote),
            spec.min_quantity_lots,
            self.limit_lots(market, view),
            spec.max_price_ticks,
        )

    def watch(self, step: int, views: Sequence[MarketView]) -> None:
        """See Crowd."""
        glance(self._mids, step, views)


STRATEGY = StrategyKind("momentum", Momentum, MomentumParameters)
