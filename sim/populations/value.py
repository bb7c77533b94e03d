"""Value traders: they buy what is cheaper than they believe it to be worth.

After the value agent of ABIDES (Byrd, Hybinette and Balch, "ABIDES: Towards
high-fidelity market simulation for AI research", 2019). A trader who wakes
sees the mean-reverting fundamental, here the market's index, with a noise of
its own, mixes that into the estimate it kept (the steady state of the agent's
Bayesian update), withdraws what it has resting, and orders towards its
estimate: at the touch of the other side, or somewhere within a few spreads.
"""

from dataclasses import dataclass

import numpy as np

from sim.messages import Rows, Side
from sim.populations.command_rows import cancels, lots_of_quote
from sim.populations.crowd import Crowd
from sim.populations.dice import UNIT, UNIT_BITS, Dice
from sim.populations.holdings import Holdings
from sim.populations.noise import sane_places, touch_ticks
from sim.populations.population import Integers, MarketView, bounded
from sim.populations.rational import NORMAL_DEVIATION, NORMAL_DRAWS, normal
from sim.units import PPM

WORDS = 2
SIZE, DEPTH, AGGRESSION = NORMAL_DRAWS, NORMAL_DRAWS + 1, NORMAL_DRAWS + 2

ESTIMATE_SHIFT = 8
"""Estimates are kept in ticks × 2**8; 0 where a trader has not looked yet."""


@dataclass(frozen=True)
class ValueParameters:
    """Of every trader in every market.

    activity_ppm         chance that a trader looks at the market in a step
    noise_ppm            standard deviation of what it sees around the index, part of the price
    gain_ppm             weight of what it sees now against the estimate it kept
    edge_ppm             the least distance of the mid from its estimate it acts on
    aggressive_ppm       share of orders priced at the other side's touch
    depth_spreads        the others fall short of it by up to so many spreads
    order_quote          worth of its largest order, quote units
    position_max_quote   worth of the largest position, quote units
    """

    activity_ppm: int = bounded(5_000, 0, 1_000_000)
    noise_ppm: int = bounded(300, 0, 100_000)
    gain_ppm: int = bounded(500_000, 1, 1_000_000)
    edge_ppm: int = bounded(50, 0, 100_000)
    aggressive_ppm: int = bounded(100_000, 0, 1_000_000)
    depth_spreads: int = bounded(2, 0, 100)
    order_quote: int = bounded(3_000, 1, 1_000_000_000)
    position_max_quote: int = bounded(100_000, 1, 1_000_000_000)


class Value(Crowd):
    """Any number of value traders."""

    def __init__(
        self, parameters: ValueParameters, accounts: range, markets: int, dice: Dice
    ) -> None:
        most, activity_ppm = parameters.position_max_quote, parameters.activity_ppm
        super().__init__(accounts, markets, dice, most, activity_ppm)
        self._parameters = parameters
        self._estimates_q8 = [np.zeros(len(accounts), dtype=np.int64) for _ in range(markets)]

    def decide(self, step: int, market: int, view: MarketView) -> Rows:
        """Withdraw and order anew, towards the estimate."""
        acting, draws = self.wake(step, market, self._parameters.activity_ppm, WORDS)
        held = self.holdings[market]
        estimates = self._estimates_ticks(view, market, acting, draws)
        sides, prices = self._orders(view, estimates, draws)
        wished = drawn_lots(view, self._parameters.order_quote, draws[:, SIZE])
        room = held.room_lots(np.maximum(sides, 1), acting, self.limit_lots(market, view))
        lots = np.minimum(wished, room)
        acts = (sides > 0) & (lots >= view.spec.min_quantity_lots)
        who = acting[acts] + self.accounts.start
        orders = sane_places(view, who, sides[acts], prices[acts], lots[acts])
        return np.concatenate([withdrawn(held, acting), orders])

    def _estimates_ticks(
        self, view: MarketView, market: int, acting: Integers, draws: Integers
    ) -> Integers:
        """What each of them now believes the price should be."""
        index_q8 = view.index_ticks << ESTIMATE_SHIFT
        deviation_q8 = index_q8 * self._parameters.noise_ppm // PPM
        seen_q8 = index_q8 + deviation_q8 * normal(draws) // NORMAL_DEVIATION
        kept_q8 = self._estimates_q8[market][acting]
        moved_q8 = kept_q8 + (seen_q8 - kept_q8) * self._parameters.gain_ppm // PPM
        self._estimates_q8[market][acting] = np.where(kept_q8 > 0, moved_q8, seen_q8)
        return self._estimates_q8[market][acting] >> ESTIMATE_SHIFT

    def _orders(
        self, view: MarketView, estimates_ticks: Integers, draws: Integers
    ) -> tuple[Integers, Integers]:
        """A Side for each, 0 for nothing to do, and a price no worse than its estimate."""
        bid, ask = touch_ticks(view)
        edge = view.index_ticks * self._parameters.edge_ppm // PPM
        twice_away = 2 * estimates_ticks - bid - ask
        sides = np.where(twice_away > 0, Side.BUY, Side.SELL).astype(np.int64)
        sides[np.abs(twice_away) <= 2 * edge] = 0
        short = draws[:, DEPTH] * (self._parameters.depth_spreads * (ask - bid) + 1) >> UNIT_BITS
        short[draws[:, AGGRESSION] < self._parameters.aggressive_ppm * UNIT // PPM] = 0
        buying = np.minimum(ask - short, estimates_ticks)
        selling = np.maximum(bid + short, estimates_ticks)
        return sides, np.where(sides == Side.BUY, buying, selling)


def drawn_lots(view: MarketView, order_quote: int, draws: Integers) -> Integers:
    """Between a quarter and the whole of an order of this worth, at least the minimum."""
    whole = lots_of_quote(view.spec, view.index_ticks, order_quote)
    shrunk = whole - (whole * draws * 3 >> UNIT_BITS + 2)
    lots: Integers = np.maximum(shrunk, view.spec.min_quantity_lots)
    return lots


def withdrawn(held: Holdings, traders: Integers) -> Rows:
    """CANCEL rows for all orders of these traders."""
    orders = held.orders_of(traders)
    return cancels(orders.traders + held.accounts.start, orders.ids)
