"""Zero-intelligence noise traders: they trade for reasons of their own.

The model of Daniels, Farmer, Gillemot, Iori and Smith, "Quantitative model of
price diffusion and market friction based on trading as a mechanistic random
process" (2003): market orders, limit orders and cancellations arrive at
constant rates, sides are a coin's. Distances from the touch have the power-law
tail of Zovko and Farmer, "The power of patience" (2002), sizes that of
Gopikrishnan et al. (2000). One thing is added: the coin is loaded against a
trader's position, so that nobody drifts away for ever.
"""

from dataclasses import dataclass

import numpy as np

from sim.messages import Rows, Side
from sim.populations.command_rows import cancels, immediate, lots_of_quotes, places
from sim.populations.crowd import Crowd
from sim.populations.dice import UNIT, UNIT_BITS, Dice, awake
from sim.populations.holdings import RestingOrders
from sim.populations.population import Integers, MarketView, bounded
from sim.units import PPM

WORDS = 2
"""Of 64 bits a trader and step; of the eight draws they give, two wake, these follow."""

ACTION, COIN, SIZE, DISTANCE, IMPROVEMENT = range(2, 7)


@dataclass(frozen=True)
class NoiseParameters:
    """Of every trader in every market.

    activity_ppm         chance that a trader does something in a step
    take_ppm, quote_ppm  of those: share of immediate and of resting orders; the rest cancels
    size_min_quote, size_max_quote   worth of an order, quote units; half are under twice the least
    distance_ppm         scale of a resting order's distance from the touch, part of the price
    distance_max_ppm     the farthest it goes; orders that are twice as far are withdrawn
    improve_ppm          share of resting orders that go inside the spread
    slip_ppm             how far through the touch an immediate order may trade
    position_max_quote   worth of the largest position, quote units
    orders_max           open orders of a trader in a market
    """

    activity_ppm: int = bounded(5_000, 0, 1_000_000)
    take_ppm: int = bounded(350_000, 0, 1_000_000)
    quote_ppm: int = bounded(350_000, 0, 1_000_000)
    size_min_quote: int = bounded(150, 1, 1_000_000)
    size_max_quote: int = bounded(200_000, 1, 1_000_000_000)
    distance_ppm: int = bounded(40, 1, 100_000)
    distance_max_ppm: int = bounded(2_500, 1, 500_000)
    improve_ppm: int = bounded(250_000, 0, 1_000_000)
    slip_ppm: int = bounded(300, 0, 100_000)
    position_max_quote: int = bounded(100_000, 1, 1_000_000_000)
    orders_max: int = bounded(4, 0, 200)


class Noise(Crowd):
    """Any number of noise traders."""

    def __init__(
        self, parameters: NoiseParameters, accounts: range, markets: int, dice: Dice
    ) -> None:
        super().__init__(accounts, markets, dice, parameters.position_max_quote)
        self._parameters = parameters

    def decide(self, step: int, market: int, view: MarketView) -> Rows:
        """Cancels, then immediate and resting orders of those who wake in this step."""
        held = self.holdings[market]
        every = self.draw(step, market, WORDS)
        acting = awake(every, self._parameters.activity_ppm)
        draws = every[acting].astype(np.int64)
        limit = self.limit_lots(market, view)
        takes, quotes = self._actions(draws, held.orders.counts(len(self.accounts))[acting])
        sides = coin(draws[:, COIN], held.positions_lots[acting], limit)
        lots = np.minimum(
            self._wished_lots(view, draws[:, SIZE]), held.room_lots(sides, acting, limit)
        )
        takes &= lots >= view.spec.min_quantity_lots
        quotes &= lots >= view.spec.min_quantity_lots
        who = acting + self.accounts.start
        return np.concatenate(
            [
                self._withdrawn(view, held.orders, acting[~takes & ~quotes]),
                self._takes(view, who[takes], sides[takes], lots[takes]),
                self._quotes(view, who[quotes], sides[quotes], lots[quotes], draws[quotes]),
            ]
        )

    def _actions(self, draws: Integers, open_orders: Integers) -> tuple[np.ndarray, np.ndarray]:
        """Who takes and who quotes; whoever has all orders out cancels instead of quoting."""
        take = self._parameters.take_ppm * UNIT // PPM
        quote = take + self._parameters.quote_ppm * UNIT // PPM
        action = draws[:, ACTION]
        has_room = open_orders < self._parameters.orders_max
        return action < take, (action >= take) & (action < quote) & has_room

    def _wished_lots(self, view: MarketView, draws: Integers) -> Integers:
        """Order sizes with a power-law tail of exponent 1."""
        worth = self._parameters.size_min_quote * UNIT // (draws + 1)
        worth = np.minimum(worth, self._parameters.size_max_quote)
        return lots_of_quotes(view.spec, view.index_ticks, worth)

    def _takes(self, view: MarketView, who: Integers, sides: Integers, lots: Integers) -> Rows:
        slip = view.index_ticks * self._parameters.slip_ppm // PPM
        bid, ask = touch_ticks(view)
        prices = np.where(sides == Side.BUY, ask + slip, bid - slip)
        return immediate(sane_places(view, who, sides, prices, lots))

    def _quotes(
        self, view: MarketView, who: Integers, sides: Integers, lots: Integers, draws: Integers
    ) -> Rows:
        """Resting orders: behind the touch by a power law, or somewhere inside the spread."""
        bid, ask = touch_ticks(view)
        behind = self._distance_ticks(view, draws[:, DISTANCE])
        inside = draws[:, IMPROVEMENT] < self._parameters.improve_ppm * UNIT // PPM
        better = draws[:, DISTANCE] * max(0, ask - bid - 1) >> UNIT_BITS
        from_touch = np.where(inside, better, -behind)
        prices = np.where(sides == Side.BUY, bid + from_touch, ask - from_touch)
        return sane_places(view, who, sides, prices, lots)

    def _distance_ticks(self, view: MarketView, draws: Integers) -> Integers:
        scale = max(1, view.index_ticks * self._parameters.distance_ppm // PPM)
        farthest = view.index_ticks * self._parameters.distance_max_ppm // PPM
        return np.minimum(scale * UNIT // (draws + 1) - scale, farthest)

    def _withdrawn(self, view: MarketView, orders: RestingOrders, traders: Integers) -> Rows:
        """The oldest order of each of these traders, and every order that is far away."""
        farthest = 2 * view.index_ticks * self._parameters.distance_max_ppm // PPM
        out = np.abs(orders.prices_ticks - view.index_ticks) > farthest
        owners, newest_first = np.unique(orders.traders[::-1], return_index=True)
        oldest = len(orders) - 1 - newest_first[np.isin(owners, traders)]
        out[oldest] = True
        return cancels(orders.traders[out] + self.accounts.start, orders.ids[out])


def coin(draws: Integers, positions_lots: Integers, limit_lots: int) -> Integers:
    """A Side for each: even odds when flat, three to one against a position at its limit."""
    lean = positions_lots * (UNIT // 4) // max(1, limit_lots)
    return np.where(draws < UNIT // 2 - lean, Side.BUY, Side.SELL).astype(np.int64)


def touch_ticks(view: MarketView) -> tuple[int, int]:
    """Best bid and ask; for a side that is empty a tick beside the index, never crossed."""
    bid = view.best_bid_ticks or min(view.index_ticks, view.best_ask_ticks or 2**31) - 1
    return bid, view.best_ask_ticks or max(view.index_ticks, bid) + 1


def sane_places(
    view: MarketView, who: Integers, sides: Integers, prices_ticks: Integers, lots: Integers
) -> Rows:
    """PLACE rows, prices kept within the market's own limits."""
    prices = np.clip(prices_ticks, 1, view.spec.max_price_ticks)
    return places(who, sides, prices, lots)
