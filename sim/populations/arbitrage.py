"""Arbitrageurs: they keep the prices of one asset on two markets together.

After the arbitrage agent of PAMS and Torii, Izumi and Yamada, "Shock transfer
by arbitrage trading" (2015): when one market's bid stands above the other's
ask, they sell there and buy here, as far as their capital goes (Gromb and
Vayanos, "Equilibrium and welfare in markets with financially constrained
arbitrageurs", 2002). A leg that was not filled leaves a position on one side
only; it is closed first, where that is cheaper.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations
from math import lcm

import numpy as np

from sim.market import MarketSpec
from sim.populations.command_rows import immediate
from sim.populations.crowd import Crowd, StrategyKind
from sim.populations.dice import Dice
from sim.populations.noise import sane_places
from sim.populations.population import Integers, MarketView, bounded
from sim.populations.value import drawn_lots
from sim.rows.messages import Rows, Side, empty_commands, joined
from sim.units import PPM

WORDS = 1
SIZE = 0


@dataclass(frozen=True)
class ArbitrageParameters:
    """Of every trader in every pair of markets.

    activity_ppm         chance that a trader looks at a pair in a step
    edge_ppm             the least gap between one's bid and the other's ask it trades on
    order_quote          worth of its largest order on one market, quote units
    position_max_quote   worth of the largest position on one market, quote units
    slip_ppm             how far through the touch a leg may trade
    """

    activity_ppm: int = bounded(200_000, 0, 1_000_000)
    edge_ppm: int = bounded(100, 0, 1_000_000)
    order_quote: int = bounded(10_000, 1, 1_000_000_000)
    position_max_quote: int = bounded(500_000, 1, 1_000_000_000)
    slip_ppm: int = bounded(50, 0, 100_000)


@dataclass(frozen=True)
class Pair:
    """Two markets of one asset. Ticks and lots of both in one unit each.

    price_units   of one tick of each market
    lot_units     of one lot of each market; a trade is a multiple of `step_units`
    """

    first: int
    second: int
    price_units: tuple[int, int]
    lot_units: tuple[int, int]
    step_units: int = field(default=1)


class Arbitrage(Crowd):
    """Traders who act on all pairs of their markets that have the same base asset."""

    def __init__(
        self, parameters: ArbitrageParameters, accounts: range, markets: int, dice: Dice
    ) -> None:
        most, activity_ppm = parameters.position_max_quote, parameters.activity_ppm
        super().__init__(accounts, markets, dice, most, activity_ppm)
        self._parameters = parameters
        self._pairs: dict[tuple[int, int], Pair | None] = {}

    def act(self, step: int, views: Sequence[MarketView | None]) -> list[Rows]:
        """See Population: both legs of every pair, in the same step."""
        batches: list[list[Rows]] = [[empty_commands(0)] for _ in views]
        open_now = [at for at, view in enumerate(views) if view is not None and trading(view)]
        for first, second in combinations(open_now, 2):
            here, there = views[first], views[second]
            assert here is not None
            assert there is not None
            pair = self._pair(first, second, here.spec, there.spec)
            if pair is not None:
                legs = self._legs(step, pair, (here, there))
                batches[first].append(legs[0])
                batches[second].append(legs[1])
        return [joined(batch) for batch in batches]

    def decide(self, step: int, market: int, view: MarketView) -> Rows:
        """One market alone is nothing to arbitrage."""
        return empty_commands(0)

    def _pair(self, first: int, second: int, here: MarketSpec, there: MarketSpec) -> Pair | None:
        if (first, second) not in self._pairs:
            same = here.base_asset == there.base_asset and here.quote_asset == there.quote_asset
            self._pairs[first, second] = paired(first, second, here, there) if same else None
        return self._pairs[first, second]

    def _legs(self, step: int, pair: Pair, views: tuple[MarketView, MarketView]) -> list[Rows]:
        """Orders on both markets of those who wake: what is one-sided first, then the gap."""
        acting, draws = self.wake(step, pair.first, self._parameters.activity_ppm, WORDS)
        held = [
            self.holdings[at].positions_lots[acting] * units
            for at, units in zip((pair.first, pair.second), pair.lot_units, strict=True)
        ]
        wished = drawn_lots(views[0], self._parameters.order_quote, draws[:, SIZE])
        wished = wished * pair.lot_units[0] // pair.step_units * pair.step_units
        opening = self._opening(pair, views, held, wished)
        uneven = held[0] + held[1]
        closing = self._closing(pair, views, uneven, held)
        return [
            self._orders(
                views[leg],
                acting,
                np.where(uneven == 0, opening[leg], closing[leg]) // pair.lot_units[leg],
            )
            for leg in (0, 1)
        ]

    def _opening(
        self,
        pair: Pair,
        views: tuple[MarketView, MarketView],
        held: list[Integers],
        wished: Integers,
    ) -> list[Integers]:
        """Signed units for both legs: sell where it is dear, buy where it is cheap, or nothing."""
        bids, asks = touches(pair, views)
        edge = asks[0] * self._parameters.edge_ppm // PPM
        dear = 0 if bids[0] - asks[1] > edge else 1 if bids[1] - asks[0] > edge else None
        if dear is None:
            return [np.zeros_like(wished), np.zeros_like(wished)]
        cheap = 1 - dear
        met = min(
            visible_units(views[dear].bids, bids[dear] - edge, pair, dear),
            visible_units(views[cheap].asks, asks[cheap] + edge, pair, cheap),
        )
        room = self._room_units(pair, views, held, dear)
        most = met // pair.step_units * pair.step_units
        units = np.minimum(np.minimum(wished, most), room)
        legs = [-units, units]
        return [legs[0 if leg == dear else 1] for leg in (0, 1)]

    def _room_units(
        self, pair: Pair, views: tuple[MarketView, MarketView], held: list[Integers], dear: int
    ) -> Integers:
        """How much more each may sell where it is dear and buy where it is cheap."""
        limits = [
            self.limit_lots(at, view) * units
            for at, view, units in zip(
                (pair.first, pair.second), views, pair.lot_units, strict=True
            )
        ]
        cheap = 1 - dear
        room = np.minimum(limits[dear] + held[dear], limits[cheap] - held[cheap])
        return np.maximum(room, 0) // pair.step_units * pair.step_units

    def _closing(
        self,
        pair: Pair,
        views: tuple[MarketView, MarketView],
        uneven: Integers,
        held: list[Integers],
    ) -> list[Integers]:
        """Signed units that even out a position, on the market where that costs less."""
        bids, asks = touches(pair, views)
        selling_first, buying_first = bids[0] >= bids[1], asks[0] <= asks[1]
        on_first = np.where(uneven > 0, selling_first, buying_first)
        odd = [np.abs(uneven) % units != 0 for units in pair.lot_units]
        on_first = (on_first | odd[1]) & ~odd[0]
        return [np.where(on_first, -uneven, 0), np.where(on_first, 0, -uneven)]

    def _orders(self, view: MarketView, acting: Integers, signed_lots: Integers) -> Rows:
        account_ids = acting + self.accounts.start
        return taking(view, account_ids, signed_lots, self._parameters.slip_ppm)


STRATEGY = StrategyKind("arbitrage", Arbitrage, ArbitrageParameters)


def trading(view: MarketView) -> bool:
    """Whether a market has an index and two sides."""
    return min(view.index_ticks, view.best_bid_ticks, view.best_ask_ticks) > 0


def taking(view: MarketView, account_ids: Integers, signed_lots: Integers, slip_ppm: int) -> Rows:
    """What accounts buy (> 0) and sell (< 0) at once, up to so far through the touch."""
    lots = np.minimum(np.abs(signed_lots), view.spec.max_quantity_lots)
    acts = lots >= view.spec.min_quantity_lots
    buying = signed_lots[acts] > 0
    slip = view.index_ticks * slip_ppm // PPM
    prices = np.where(buying, view.best_ask_ticks + slip, view.best_bid_ticks - slip)
    sides = np.where(buying, Side.BUY, Side.SELL).astype(np.int64)
    return immediate(sane_places(view, account_ids[acts], sides, prices, lots[acts]))


def touches(pair: Pair, views: tuple[MarketView, MarketView]) -> tuple[list[int], list[int]]:
    """Best bids and best asks of both markets in price units."""
    both = list(zip(views, pair.price_units, strict=True))
    return (
        [view.best_bid_ticks * units for view, units in both],
        [view.best_ask_ticks * units for view, units in both],
    )


def visible_units(levels: Integers, worst_units: int, pair: Pair, leg: int) -> int:
    """What stands in the book no worse than a price; bids fall and asks rise along the levels."""
    prices = levels[:, 0] * pair.price_units[leg]
    falling = len(prices) > 1 and prices[1] < prices[0]
    met = prices >= worst_units if falling else prices <= worst_units
    met[:1] = True
    return int(levels[met, 1].sum()) * pair.lot_units[leg]


def paired(first: int, second: int, here: MarketSpec, there: MarketSpec) -> Pair:
    """Two markets on common grids."""
    prices = on_one_scale(here.tick_size, there.tick_size)
    lots = on_one_scale(here.lot_size, there.lot_size)
    return Pair(first, second, prices, lots, lcm(*lots))


def on_one_scale(here: Decimal, there: Decimal) -> tuple[int, int]:
    """Two decimals as whole numbers of one unit."""
    scale = max(0, -int(here.as_tuple().exponent), -int(there.as_tuple().exponent))
    return int(here.scaleb(scale)), int(there.scaleb(scale))
