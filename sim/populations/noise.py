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
from typing import Any

import numpy as np

from sim.populations import command_rows, held_orders
from sim.populations.command_rows import (
    GTC,
    IOC,
    as_commands,
    command_words,
    places,
    write_cancel,
    write_place,
)
from sim.populations.crowd import Crowd, StrategyKind
from sim.populations.dice import UNIT, UNIT_BITS, Dice
from sim.populations.held_orders import look_ahead_of
from sim.populations.population import Integers, MarketView, bounded
from sim.rows import columns, hashed_draws, kernels, messages
from sim.rows.hashed_draws import first_word, later_word, piece
from sim.rows.kernels import Number, cached_kernel, inlined
from sim.rows.messages import Rows, Side
from sim.units import ATOMS_PER_UNIT, PPM

BUY, SELL = int(Side.BUY), int(Side.SELL)

ACTION, COIN, SIZE, DISTANCE = range(4)
"""Sixteen bits each of a trader's first word; the second one says whether it improves."""


@dataclass(frozen=True)
class NoiseParameters:
    """Of every trader in every market.

    activity_ppm         chance that a trader does something in a step
    take_ppm, quote_ppm  of those: share of immediate and of resting orders; the rest cancels
    size_min_quote, size_max_quote   worth of an order, quote units; half are under twice the least
    distance_ppm         scale of a resting order's distance from the touch, part of the price
    distance_max_ppm     the farthest it goes; of its orders, whoever wakes withdraws what is twice
                         as far from the index
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


TAKES_BELOW, QUOTES_BELOW, IMPROVES_BELOW, ORDERS_MAX, SIZE_MIN, SIZE_MAX, LIMIT = range(7)
BID, ASK, INDEX, SLIP, SCALE, FARTHEST, ATOMS_PER_LOT, LOTS_MIN, LOTS_MAX, TICKS_MAX = range(10)
"""Places in what the kernel is told of the parameters and of the market: all in ticks, lots, atoms
and draws."""


@inlined
def held_against(position_lots: int, limit_lots: int) -> Number:
    """How much a position loads the coin against itself, in draws."""
    return position_lots * (UNIT // 4) // max(1, limit_lots)


@inlined
def price_of_quote(side: int, behind: int, improves: bool, market: Any) -> Number:
    """A resting order's price: behind the touch by a power law, or somewhere inside the spread."""
    if improves:
        away = behind * max(0, market[ASK] - market[BID] - 1) >> UNIT_BITS
    else:
        scale = market[SCALE]
        away = -min(scale * UNIT // (behind + 1) - scale, market[FARTHEST])
    return market[BID] + away if side == BUY else market[ASK] - away


@inlined
def withdraw(
    rows: Integers, count: int, trader: Any, orders: Any, account: int, oldest: bool, market: Any
) -> Number:
    """Cancel a trader's oldest order where told to, and all that are far; how many rows there
    are then."""
    slot = np.int64(trader.newest)
    for number in range(trader.orders):
        slot = np.int64(orders[slot].next)
        order = orders[slot]
        far = abs(order.price_ticks - market[INDEX]) > 2 * market[FARTHEST]
        if far or (oldest and number == 0):
            write_cancel(rows, count, account, order.order_id)
            count += 1
    return count


@cached_kernel(columns, command_rows, hashed_draws, held_orders, kernels, messages)
def decide_noise(
    rows: Integers,
    acting: Integers,
    traders: Any,
    orders: Any,
    terms: Any,
    market: Any,
    first_account: int,
    first_trader: int,
    key: np.uint64,
    step: int,
) -> Number:
    """Write the COMMAND rows of the traders at `acting`; answers how many.

    It is one function because all of a trader is at hand once. rows: (n, COMMAND_WORDS), n
    at least the traders and all their orders; traders, orders: see held_orders.py; terms, market:
    tuples of int64, named above.
    """
    count = 0
    for turn in range(len(acting)):
        look_ahead_of(acting, traders, orders, turn)
        place = acting[turn]
        word = first_word(key, first_trader + place, step)
        trader, account = traders[place], first_account + place
        action = piece(word, ACTION)
        if action >= terms[QUOTES_BELOW]:
            count = withdraw(rows, count, trader, orders, account, True, market)
            continue
        leaning = held_against(trader.position_lots, terms[LIMIT])
        buying = piece(word, COIN) < UNIT // 2 - leaning
        if buying:
            room = terms[LIMIT] - trader.position_lots - trader.buying_lots
        else:
            room = terms[LIMIT] + trader.position_lots - trader.selling_lots
        worth = min(terms[SIZE_MIN] * UNIT // (piece(word, SIZE) + 1), terms[SIZE_MAX])
        wished = worth * ATOMS_PER_UNIT // market[ATOMS_PER_LOT]
        lots = min(min(max(wished, market[LOTS_MIN]), market[LOTS_MAX]), room)
        takes = action < terms[TAKES_BELOW] and lots >= market[LOTS_MIN]
        quotes = action >= terms[TAKES_BELOW] and lots >= market[LOTS_MIN]
        quotes = quotes and trader.orders < terms[ORDERS_MAX]
        count = withdraw(rows, count, trader, orders, account, not (takes or quotes), market)
        side = BUY if buying else SELL
        if takes:
            price = market[ASK] + market[SLIP] if buying else market[BID] - market[SLIP]
        elif quotes:
            improves = piece(later_word(word, 1), 0) < terms[IMPROVES_BELOW]
            price = price_of_quote(side, piece(word, DISTANCE), improves, market)
        else:
            continue
        price = min(max(price, 1), market[TICKS_MAX])
        write_place(rows, count, account, side, price, lots, IOC if takes else GTC)
        count += 1
    return count


class Noise(Crowd):
    """Any number of noise traders."""

    def __init__(
        self, parameters: NoiseParameters, accounts: range, markets: int, dice: Dice
    ) -> None:
        most, activity_ppm = parameters.position_max_quote, parameters.activity_ppm
        super().__init__(accounts, markets, dice, most, activity_ppm)
        self._parameters = parameters

    def decide(self, step: int, market: int, view: MarketView) -> Rows:
        """Of those who wake in this step: what they withdraw, then an order."""
        acting = self.awake(step, market, self._parameters.activity_ppm)
        held = self.holdings[market]
        rows = command_words(len(acting) + held.orders_count(acting))
        written = decide_noise(
            rows,
            acting,
            held.traders,
            held.order_slots,
            self._terms(market, view),
            self._about(view),
            self.accounts.start,
            self.first_trader,
            self.key(market),
            step,
        )
        return as_commands(rows[:written])

    def _terms(self, market: int, view: MarketView) -> tuple[int, ...]:
        """TAKES_BELOW to LIMIT."""
        own = self._parameters
        takes_below = own.take_ppm * UNIT // PPM
        return (
            takes_below,
            takes_below + own.quote_ppm * UNIT // PPM,
            own.improve_ppm * UNIT // PPM,
            own.orders_max,
            own.size_min_quote,
            own.size_max_quote,
            self.limit_lots(market, view),
        )

    def _about(self, view: MarketView) -> tuple[int, ...]:
        """BID to TICKS_MAX."""
        own, spec, index = self._parameters, view.spec, view.index_ticks
        return (
            *touch_ticks(view),
            index,
            index * own.slip_ppm // PPM,
            max(1, index * own.distance_ppm // PPM),
            index * own.distance_max_ppm // PPM,
            max(1, index * spec.atoms_per_tick_lot),
            spec.min_quantity_lots,
            spec.max_quantity_lots,
            spec.max_price_ticks,
        )


STRATEGY = StrategyKind("noise", Noise, NoiseParameters)


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
