"""Market makers who hold their inventory dear.

Avellaneda and Stoikov, "High-frequency trading in a limit order book" (2008):
a maker quotes around a reservation price r = s − q γ σ² τ, at a half-spread of
γ σ² τ ÷ 2 + ln(1 + γ ÷ k) ÷ γ on both sides. Here s is the mid (drawn towards
the index where `anchor_ppm` says so), q the position as a part of its limit,
σ² the running mean of squared relative changes of s from look to look, a step,
τ a horizon that never ends, and 1 ÷ k the distance from s at which orders are filled e times less
often. At the limit of the inventory (Guéant, Lehalle and Fernandez-Tapia,
"Dealing with the inventory risk", 2013) the side that would add is not quoted.
"""

from dataclasses import dataclass

import numpy as np

from sim.populations.command_rows import cancels, lots_of_quote, places, post_only
from sim.populations.crowd import Crowd, StrategyKind
from sim.populations.dice import Dice
from sim.populations.holdings import Holdings
from sim.populations.ladder import first_of_each
from sim.populations.noise import touch_ticks
from sim.populations.population import Integers, MarketView, bounded
from sim.populations.rational import natural_log
from sim.rows.messages import Rows, Side, empty_commands, joined
from sim.units import PPM

CHANGE_SHIFT, VARIANCE_SHIFT = 20, 40
"""Relative changes are in units of 2**-20, the mean of their squares in a step of 2**-40."""

CHANGE_MAX = 1 << 22
CENTRE, MEAN, STEP = range(3)
"""What a maker keeps of a market: s when it last looked (0: never), the variance, that step."""

STAGGER = 8
STAGGER_PERCENT = 5
"""Of every eight makers each stands 5 % wider than the one before, so that they do not queue."""


@dataclass(frozen=True)
class AvellanedaStoikovParameters:
    """Of one maker in one market.

    activity_ppm         chance that a maker looks at its quotes in a step
    risk_aversion        γ for a position at its limit, per unit of relative price
    fill_distance_ppm    1 ÷ k, part of the price
    horizon_steps        τ
    variance_shift       σ² is averaged over 2**shift steps
    variance_floor_ppm   the least σ over the horizon, part of the price
    half_spread_min_ppm, half_spread_max_ppm   bounds of the half-spread
    tolerance_ppm        how far a quote may stray, part of the half-spread
    anchor_ppm           weight of the index against the mid in s
    order_quote          worth of one quote, quote units
    refill_ppm           a quote with less than this part of its size is made anew
    position_max_quote   worth of the largest position, quote units
    """

    activity_ppm: int = bounded(1_000_000, 0, 1_000_000)
    risk_aversion: int = bounded(500, 1, 1_000_000)
    fill_distance_ppm: int = bounded(60, 1, 100_000)
    horizon_steps: int = bounded(600, 1, 1_000_000)
    variance_shift: int = bounded(9, 0, 16)
    variance_floor_ppm: int = bounded(300, 0, 100_000)
    half_spread_min_ppm: int = bounded(10, 1, 100_000)
    half_spread_max_ppm: int = bounded(5_000, 1, 500_000)
    tolerance_ppm: int = bounded(200_000, 0, 1_000_000)
    anchor_ppm: int = bounded(200_000, 0, 1_000_000)
    order_quote: int = bounded(15_000, 1, 1_000_000_000)
    refill_ppm: int = bounded(400_000, 0, 1_000_000)
    position_max_quote: int = bounded(300_000, 1, 1_000_000_000)


class AvellanedaStoikov(Crowd):
    """A handful of makers (up to thousands), each with one quote a side on every market."""

    def __init__(
        self, parameters: AvellanedaStoikovParameters, accounts: range, markets: int, dice: Dice
    ) -> None:
        most, activity_ppm = parameters.position_max_quote, parameters.activity_ppm
        super().__init__(accounts, markets, dice, most, activity_ppm)
        self._parameters = parameters
        self._known: list[Integers] = [
            np.zeros((len(accounts), 3), np.int64) for _ in range(markets)
        ]
        self._fill_spread_ppm = fill_spread_ppm(parameters)
        place = (np.arange(len(accounts)) + dice.first_trader) % STAGGER
        self._wider_percent = 100 + STAGGER_PERCENT * place

    def decide(self, step: int, market: int, view: MarketView) -> Rows:
        """Withdraw what strayed, quote what is missing."""
        acting = self.awake(step, market, self._parameters.activity_ppm)
        if len(acting) == 0:
            return empty_commands(0)
        centre = self._centre(view)
        risk_ppm = self._risk_ppm(step, market, centre, acting)
        held = self.holdings[market]
        limit = self.limit_lots(market, view)
        prices = self._prices(view, centre, risk_ppm, held.positions_lots[acting], limit, acting)
        lots = self._lots(view, held.positions_lots[acting], limit)
        tolerance = np.maximum((prices[:, 1] - prices[:, 0]) // 2, 0)
        tolerance = tolerance * self._parameters.tolerance_ppm // PPM
        missing, gone = self._compare(held, acting, prices, lots, tolerance)
        return joined([gone, self._quotes(view, acting, prices, lots * missing)])

    def _centre(self, view: MarketView) -> int:
        """s in ticks, rounded down."""
        twice_mid, anchor = sum(touch_ticks(view)), self._parameters.anchor_ppm
        return (twice_mid * (PPM - anchor) + 2 * view.index_ticks * anchor) // (2 * PPM)

    def _risk_ppm(self, step: int, market: int, centre: int, acting: Integers) -> Integers:
        """γ σ² τ of each: how far a position at its limit moves the reservation price.

        What a maker sees after n steps weighs as n times a single one, in all at most once.
        """
        own = self._parameters
        known = self._known[market][acting]
        before = np.where(known[:, CENTRE] > 0, known[:, CENTRE], centre)
        steps = np.where(known[:, CENTRE] > 0, np.maximum(step - known[:, STEP], 1), 1)
        change_q20 = ((centre - before) << CHANGE_SHIFT) // max(1, centre)
        change_q20 = np.clip(change_q20, -CHANGE_MAX, CHANGE_MAX)
        in_a_step = change_q20 * change_q20 // steps
        weight = np.minimum(steps, 1 << own.variance_shift)
        mean = known[:, MEAN] + ((in_a_step - known[:, MEAN]) * weight >> own.variance_shift)
        self._known[market][acting] = np.stack(
            [np.full_like(mean, centre), mean, np.full_like(mean, step)], axis=1
        )
        over_horizon = mean.astype(np.float64) * own.horizon_steps / 2.0**VARIANCE_SHIFT
        floor = (own.variance_floor_ppm / PPM) ** 2
        risk = np.maximum(over_horizon, floor) * own.risk_aversion * PPM
        risk_ppm: Integers = np.minimum(risk, own.half_spread_max_ppm).astype(np.int64)
        return risk_ppm

    def _prices(
        self,
        view: MarketView,
        centre: int,
        risk_ppm: Integers,
        positions_lots: Integers,
        limit_lots: int,
        acting: Integers,
    ) -> Integers:
        """Bid and ask of each in ticks, within the market's grid: (awake, 2)."""
        least, most = self._parameters.half_spread_min_ppm, self._parameters.half_spread_max_ppm
        half_ppm = np.clip(risk_ppm // 2 + self._fill_spread_ppm, least, most)
        half = np.maximum(centre * half_ppm * self._wider_percent[acting] // (100 * PPM), 1)
        held = np.clip(positions_lots, -limit_lots, limit_lots)
        reservation = centre - centre * risk_ppm // PPM * held // max(1, limit_lots)
        prices = np.stack([reservation - half, reservation + half], axis=1)
        within: Integers = np.clip(prices, 1, view.spec.max_price_ticks)
        return within

    def _lots(self, view: MarketView, positions_lots: Integers, limit_lots: int) -> Integers:
        """Lots each side may show so that no position passes its limit: (awake, 2)."""
        wished = lots_of_quote(view.spec, view.index_ticks, self._parameters.order_quote)
        room = np.stack([limit_lots - positions_lots, limit_lots + positions_lots], axis=1)
        lots = np.clip(room, 0, wished)
        return np.where(lots >= view.spec.min_quantity_lots, lots, 0)

    def _compare(
        self, held: Holdings, acting: Integers, prices: Integers, lots: Integers, play: Integers
    ) -> tuple[np.ndarray, Rows]:
        """Which quotes are to be made, bool (awake, 2), and the CANCEL rows."""
        orders = held.orders_of(acting)
        row, side = orders.rows, orders.sides - 1
        near = np.abs(orders.prices_ticks - prices[row, side]) <= play[row]
        left, allowed = orders.remaining_lots, lots[row, side]
        good = near & (left <= allowed) & (left * PPM >= allowed * self._parameters.refill_ppm)
        kept, filled = first_of_each(row * 2 + side, good, lots.size)
        out = ~kept
        gone = cancels(orders.traders[out] + self.accounts.start, orders.ids[out])
        return ~filled.reshape(lots.shape), gone

    def _quotes(self, view: MarketView, acting: Integers, prices: Integers, lots: Integers) -> Rows:
        """Post-only orders where `lots` is not 0; none beyond the touch it can see."""
        bid, ask = touch_ticks(view)
        kind = np.array([[min(ask - 1, view.spec.max_price_ticks), max(bid + 1, 1)]])
        within = np.stack(
            [np.minimum(prices[:, 0], kind[:, 0]), np.maximum(prices[:, 1], kind[:, 1])], axis=1
        )
        maker, side = np.nonzero((lots > 0) & (within >= 1))
        chosen = (maker, side)
        sides = np.where(side == 0, Side.BUY, Side.SELL).astype(np.int64)
        who = acting[maker] + self.accounts.start
        return post_only(places(who, sides, within[chosen], lots[chosen]))


STRATEGY = StrategyKind(
    "avellaneda-stoikov", AvellanedaStoikov, AvellanedaStoikovParameters, makes_markets=True
)


def fill_spread_ppm(parameters: AvellanedaStoikovParameters) -> int:
    """ln(1 + γ ÷ k) ÷ γ, the part of the half-spread that earns, part of the price."""
    one_over_k = parameters.fill_distance_ppm / PPM
    ratio = np.array([1.0 + parameters.risk_aversion * one_over_k])
    return int(natural_log(ratio)[0] / parameters.risk_aversion * PPM)
