"""Institutions that split large orders: why the signs of orders remember.

Lillo, Mike and Farmer, "Theory for long memory in supply and demand" (2005): a trader has one
hidden order at a time, of a side that a coin decides and of a number of parts with tail exponent
α; its parts go out one by one as immediate orders, and then comes the next. The autocorrelation
of signs then falls with the lag to the power of 1 − α. Two things are added: the coin is loaded
against a trader's position, so that nobody drifts away for ever, and a part waits while the
spread is wide ("selective liquidity taking", Bouchaud, Farmer and Lillo, 2009).
"""

from dataclasses import dataclass

import numpy as np

from sim.populations.command_rows import immediate
from sim.populations.crowd import Crowd, StrategyKind
from sim.populations.dice import UNIT, Dice
from sim.populations.noise import sane_places, touch_ticks
from sim.populations.population import Integers, MarketView, bounded
from sim.populations.rational import EXPONENT_MAX, exponential, waiting_times
from sim.rows.messages import Rows, Side, empty_commands
from sim.units import ATOMS_PER_UNIT, PPM

WORDS = 1
SIZE, COIN, LENGTH = range(3)
PARTS_MAX = 10_000
SQUARINGS = 4
"""e^x is (e^(x ÷ 16))^16: the exponential of rational.py ends at 1."""


@dataclass(frozen=True)
class OrderSplittingParameters:
    """Of every trader in every market.

    activity_ppm         chance that a trader sends a part in a step
    tail_percent         α × 100 of the number of parts
    size_min_quote, size_max_quote   worth of a part, quote units; half are under twice the least
    position_max_quote   worth of the largest position, quote units
    slip_ppm             how far through the touch a part may trade
    patience_ppm         a part waits while the spread is wider than this part of the price
    """

    activity_ppm: int = bounded(20_000, 0, 1_000_000)
    tail_percent: int = bounded(150, 101, 1_000)
    size_min_quote: int = bounded(1_000, 1, 1_000_000)
    size_max_quote: int = bounded(100_000, 1, 1_000_000_000)
    position_max_quote: int = bounded(1_000_000, 1, 1_000_000_000)
    slip_ppm: int = bounded(300, 0, 100_000)
    patience_ppm: int = bounded(1_000_000, 0, 1_000_000)


class OrderSplitting(Crowd):
    """Any number of institutions."""

    def __init__(
        self, parameters: OrderSplittingParameters, accounts: range, markets: int, dice: Dice
    ) -> None:
        super().__init__(accounts, markets, dice, parameters.position_max_quote)
        self._parameters = parameters
        self._left = [np.zeros(len(accounts), np.int64) for _ in range(markets)]
        self._signs = [np.ones(len(accounts), np.int64) for _ in range(markets)]

    def decide(self, step: int, market: int, view: MarketView) -> Rows:
        """The next part of everybody who wakes; a new order for whoever has none."""
        acting, draws = self.wake(step, market, self._parameters.activity_ppm, WORDS)
        bid, ask = touch_ticks(view)
        if len(acting) == 0 or (ask - bid) * PPM > ask * self._parameters.patience_ppm:
            return empty_commands(0)
        limit, held = self.limit_lots(market, view), self.holdings[market].positions_lots[acting]
        self._begin(market, acting, draws, held, limit)
        signs = self._signs[market][acting]
        self._left[market][acting] -= 1
        lots = np.minimum(self._wished_lots(view, draws[:, SIZE]), limit - signs * held)
        acts = lots >= view.spec.min_quantity_lots
        self._left[market][acting[~acts]] = 0
        slip = view.index_ticks * self._parameters.slip_ppm // PPM
        prices = np.where(signs > 0, ask + slip, bid - slip)
        sides = np.where(signs > 0, Side.BUY, Side.SELL).astype(np.int64)
        who = acting[acts] + self.accounts.start
        return immediate(sane_places(view, who, sides[acts], prices[acts], lots[acts]))

    def _wished_lots(self, view: MarketView, draws: Integers) -> Integers:
        """Sizes with the tail of Gopikrishnan et al. (2000), as noise traders have them."""
        worth = np.minimum(
            self._parameters.size_min_quote * UNIT // (draws + 1), self._parameters.size_max_quote
        )
        atoms_per_lot = max(1, view.index_ticks * view.spec.atoms_per_tick_lot)
        least, most = view.spec.min_quantity_lots, view.spec.max_quantity_lots
        lots: Integers = np.clip(worth * ATOMS_PER_UNIT // atoms_per_lot, least, most)
        return lots

    def _begin(
        self, market: int, acting: Integers, draws: Integers, held: Integers, limit_lots: int
    ) -> None:
        """A side and a number of parts for those at `acting` who have none left."""
        new = self._left[market][acting] < 1
        leaning = held * (UNIT // 2) // max(1, limit_lots)
        buying = draws[:, COIN] < UNIT // 2 - leaning
        self._signs[market][acting[new]] = np.where(buying, 1, -1)[new]
        self._left[market][acting[new]] = parts(draws[new, LENGTH], self._parameters.tail_percent)


STRATEGY = StrategyKind("order-splitting", OrderSplitting, OrderSplittingParameters)


def parts(draws: Integers, tail_percent: int) -> Integers:
    """Whole numbers from 1 on with P(more than n) = n^−α, from draws of the dice: int64 (n,)."""
    logs = waiting_times(draws) * (100 / tail_percent) / 2**SQUARINGS
    found = exponential(np.minimum(logs, EXPONENT_MAX))
    for _ in range(SQUARINGS):
        found = found * found
    return np.minimum(np.floor(found), PARTS_MAX).astype(np.int64)
