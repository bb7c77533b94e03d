"""Traders of three minds: fundamental, chartist, noise (FCN).

Chiarella and Iori, "A simulation analysis of the microstructure of double
auction markets" (2002), in the form of PAMS (Hirano et al., 2023): a trader
expects the log return of its horizon to be a weighted mean of the pull to the
fundamental (the market's index), of the mean return over the same horizon in
the past, and of noise; it then bids under, or asks over, the price it expects
by a margin of its own. Its order rests until it wakes again. Prices are expected
in floats; rational.py says how they are the same everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.populations.crowd import Crowd, StrategyKind
from sim.populations.dice import UNIT_BITS, Dice
from sim.populations.noise import sane_places
from sim.populations.population import Integers, MarketView, bounded
from sim.populations.rational import (
    NORMAL_DEVIATION,
    NORMAL_DRAWS,
    Floats,
    exponential,
    natural_log,
    normal,
    waiting_times,
)
from sim.populations.value import drawn_lots, withdrawn
from sim.rows.messages import Rows, Side, joined
from sim.units import PPM

WORDS = 2
SIZE = NORMAL_DRAWS
BIRTH_WORDS = 2
FUNDAMENTAL, CHARTIST, NOISE, HORIZON, MARGIN = range(5)


@dataclass(frozen=True)
class FundamentalChartistNoiseParameters:
    """Of every trader in every market.

    activity_ppm         chance that a trader acts in a step
    fundamental_ppm, chartist_ppm, noise_weight_ppm   mean weights; a trader's own are
                         exponentially distributed
    horizon_min, horizon_max   steps a trader looks back and ahead, uniform between these
    reversion_steps      time in which a fundamentalist expects the price to come back
    noise_ppm            standard deviation of the noise in the expected return of a horizon
    return_max_ppm       the largest return a trader expects, either way
    margin_max_ppm       of a trader's margin, uniform from 0
    order_quote          worth of its largest order, quote units
    position_max_quote   worth of the largest position, quote units
    """

    activity_ppm: int = bounded(10_000, 0, 1_000_000)
    fundamental_ppm: int = bounded(1_000_000, 0, 100_000_000)
    chartist_ppm: int = bounded(500_000, 0, 100_000_000)
    noise_weight_ppm: int = bounded(1_000_000, 1, 100_000_000)
    horizon_min: int = bounded(100, 1, 100_000)
    horizon_max: int = bounded(500, 1, 100_000)
    reversion_steps: int = bounded(500, 1, 1_000_000)
    noise_ppm: int = bounded(1_000, 0, 100_000)
    return_max_ppm: int = bounded(3_000, 1, 1_000_000)
    margin_max_ppm: int = bounded(1_000, 0, 500_000)
    order_quote: int = bounded(1_000, 1, 1_000_000_000)
    position_max_quote: int = bounded(100_000, 1, 1_000_000_000)


class FundamentalChartistNoise(Crowd):
    """Any number of FCN traders."""

    watches = True

    def __init__(
        self,
        parameters: FundamentalChartistNoiseParameters,
        accounts: range,
        markets: int,
        dice: Dice,
    ) -> None:
        most, activity_ppm = parameters.position_max_quote, parameters.activity_ppm
        super().__init__(accounts, markets, dice, most, activity_ppm)
        self._parameters = parameters
        character = dice.birth(0, BIRTH_WORDS).astype(np.int64)
        means = (
            parameters.fundamental_ppm,
            parameters.chartist_ppm,
            parameters.noise_weight_ppm,
        )
        raw = [waiting_times(character[:, mind]) * (mean / PPM) for mind, mean in enumerate(means)]
        whole = raw[FUNDAMENTAL] + raw[CHARTIST] + raw[NOISE]
        self._weights = [weight / whole for weight in raw]
        spread = max(0, parameters.horizon_max - parameters.horizon_min) + 1
        self._horizons = parameters.horizon_min + (character[:, HORIZON] * spread >> UNIT_BITS)
        self._margins = character[:, MARGIN] / 65_536.0 * (parameters.margin_max_ppm / PPM)
        longest = max(parameters.horizon_min, parameters.horizon_max) + 1
        self._prices = [np.zeros(longest) for _ in range(markets)]
        self._seen, self._step = [0] * markets, [0] * markets

    def decide(self, step: int, market: int, view: MarketView) -> Rows:
        """Withdraw and order anew around the price each expects."""
        mid = self._remember(step, market, view)
        acting, draws = self.wake(step, market, self._parameters.activity_ppm, WORDS)
        held = self.holdings[market]
        expected = self._expected_ticks(market, view, mid, acting, draws)
        sides = np.where(expected > mid, Side.BUY, Side.SELL).astype(np.int64)
        margin = np.where(sides == Side.BUY, -1.0, 1.0) * self._margins[acting]
        prices = np.floor(expected * (1.0 + margin) + 0.5).astype(np.int64)
        room = held.room_lots(sides, acting, self.limit_lots(market, view))
        lots = np.minimum(drawn_lots(view, self._parameters.order_quote, draws[:, SIZE]), room)
        acts = lots >= view.spec.min_quantity_lots
        who = acting[acts] + self.accounts.start
        orders = sane_places(view, who, sides[acts], prices[acts], lots[acts])
        return joined([withdrawn(held, acting), orders])

    def watch(self, step: int, views: Sequence[MarketView]) -> None:
        """See Crowd."""
        for market, view in enumerate(views):
            self._remember(step, market, view)

    def _remember(self, step: int, market: int, view: MarketView) -> float:
        """The price now; those of as many steps as the longest horizon looks back are kept.

        It stood still in steps in which nobody looked.
        """
        prices, seen = self._prices[market], self._seen[market]
        price = market_price(view, prices[0] if seen else 0.0)
        missed = min(max(0, step - self._step[market] - 1), len(prices)) if seen else 0
        if missed:
            prices[(seen + np.arange(missed)) % len(prices)] = prices[(seen - 1) % len(prices)]
        prices[(seen + missed) % len(prices)] = price
        self._seen[market], self._step[market] = seen + missed + 1, step
        return price

    def _expected_ticks(
        self, market: int, view: MarketView, mid: float, acting: Integers, draws: Integers
    ) -> Floats:
        """The price each expects at the end of its horizon."""
        horizons = self._horizons[acting].astype(np.float64)
        to_fundamental = natural_log(np.array([view.index_ticks / mid]))
        fundamental = to_fundamental * (horizons / self._parameters.reversion_steps)
        chartist = natural_log(mid / self._past_prices(market, acting))
        deviations = normal(draws) / NORMAL_DEVIATION
        noise = deviations * (self._parameters.noise_ppm / PPM)
        minds = (fundamental, chartist, noise)
        of_each = [self._weights[mind][acting] * minds[mind] for mind in range(len(minds))]
        most = self._parameters.return_max_ppm / PPM
        together = of_each[FUNDAMENTAL] + of_each[CHARTIST] + of_each[NOISE]
        return mid * exponential(np.clip(together, -most, most))

    def _past_prices(self, market: int, acting: Integers) -> Floats:
        """The price a horizon ago, or the first one seen."""
        prices = self._prices[market]
        then = np.maximum(self._seen[market] - 1 - self._horizons[acting], 0)
        past: Floats = prices[then % len(prices)]
        return past


STRATEGY = StrategyKind(
    "fundamental-chartist-noise", FundamentalChartistNoise, FundamentalChartistNoiseParameters
)


def market_price(view: MarketView, first: float) -> float:
    """The last price, as in PAMS: in a thin book the mid runs away from where anybody trades.

    Before anybody has traded, the first price there was: the index.
    """
    return float(view.last_price_ticks or first or view.index_ticks)
