"""Value traders: they buy what is cheaper than they believe it to be worth.

After the value agent of ABIDES (Byrd, Hybinette and Balch, "ABIDES: Towards
high-fidelity market simulation for AI research", 2019). A trader who wakes
sees the mean-reverting fundamental, here the market's index, with a noise of
its own, mixes that into the estimate it kept (the steady state of the agent's
Bayesian update), withdraws what it has resting, and orders towards its
estimate: at the touch of the other side, or somewhere within a few spreads.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.populations import command_rows, held_orders
from sim.populations.command_rows import (
    GTC,
    as_commands,
    cancels,
    command_words,
    lots_of_quote,
    write_place,
)
from sim.populations.crowd import Crowd, StrategyKind
from sim.populations.dice import UNIT, UNIT_BITS, Dice
from sim.populations.held_orders import look_ahead_of, withdraw_all
from sim.populations.holdings import Holdings
from sim.populations.noise import touch_ticks
from sim.populations.population import Integers, MarketView, bounded
from sim.populations.rational import NORMAL_DEVIATION, NORMAL_MEAN
from sim.rows import columns, hashed_draws, kernels, messages
from sim.rows.hashed_draws import first_word, later_word, piece
from sim.rows.kernels import Number, cached_kernel, inlined
from sim.rows.messages import Rows, Side, empty_commands
from sim.units import PPM

SIZE, DEPTH, AGGRESSION = range(3)
"""Sixteen bits each of a trader's second word; the first one makes the noise of what it sees."""

BUY, SELL = int(Side.BUY), int(Side.SELL)

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


BID, ASK, INDEX_Q8, DEVIATION_Q8, GAIN_PPM, TWICE_EDGE, DEPTH_RANGE = range(7)
LOTS, LOTS_MIN, LIMIT, TICKS_MAX, AGGRESSIVE_BELOW = range(7, 12)
"""Places in what the kernel is told of the market and the parameters: ticks, lots and draws."""


@inlined
def next_estimate(kept_q8: int, normal_draw: int, about: Any) -> Number:
    """What a trader believes after another look."""
    seen_q8 = about[INDEX_Q8] + about[DEVIATION_Q8] * normal_draw // NORMAL_DEVIATION
    if kept_q8 <= 0:
        return seen_q8
    return kept_q8 + (seen_q8 - kept_q8) * about[GAIN_PPM] // PPM


@inlined
def sum_of_draws(word: Number) -> Number:
    """rational.normal of a word's four draws."""
    return piece(word, 0) + piece(word, 1) + piece(word, 2) + piece(word, 3) - NORMAL_MEAN


@cached_kernel(columns, command_rows, hashed_draws, held_orders, kernels, messages)
def decide_value(
    rows: Integers,
    acting: Integers,
    estimates_q8: Integers,
    traders: Any,
    orders: Any,
    about: Any,
    first_account: int,
    first_trader: int,
    key: np.uint64,
    step: int,
) -> Number:
    """Write the COMMAND rows of the traders at `acting`; answers how many.

    One function because everything about a trader is at hand once. rows: (n, COMMAND_WORDS), n
    at least the traders and all their orders; traders, orders: see held_orders.py; about: a tuple
    of int64, named above.
    """
    count = 0
    for turn in range(len(acting)):
        look_ahead_of(acting, traders, orders, turn)
        place = acting[turn]
        word = first_word(key, first_trader + place, step)
        later = later_word(word, 1)
        estimates_q8[place] = next_estimate(estimates_q8[place], sum_of_draws(word), about)
        estimate = estimates_q8[place] >> ESTIMATE_SHIFT
        trader, account = traders[place], first_account + place
        count = withdraw_all(rows, count, trader, orders, account)
        twice_away = 2 * estimate - about[BID] - about[ASK]
        if abs(twice_away) <= about[TWICE_EDGE]:
            continue
        short = piece(later, DEPTH) * about[DEPTH_RANGE] >> UNIT_BITS
        if piece(later, AGGRESSION) < about[AGGRESSIVE_BELOW]:
            short = 0
        if twice_away > 0:
            side, price = BUY, min(about[ASK] - short, estimate)
            room = about[LIMIT] - trader.position_lots - trader.buying_lots
        else:
            side, price = SELL, max(about[BID] + short, estimate)
            room = about[LIMIT] + trader.position_lots - trader.selling_lots
        wished = about[LOTS] - (about[LOTS] * piece(later, SIZE) * 3 >> UNIT_BITS + 2)
        lots = min(max(wished, about[LOTS_MIN]), room)
        if lots >= about[LOTS_MIN]:
            price = min(max(price, 1), about[TICKS_MAX])
            write_place(rows, count, account, side, price, lots, GTC)
            count += 1
    return count


class Value(Crowd):
    """Any number of value traders.

    estimates_q8   of each market what every trader believes, int64 (traders,): see ESTIMATE_SHIFT
    """

    def __init__(
        self, parameters: ValueParameters, accounts: range, markets: int, dice: Dice
    ) -> None:
        most, activity_ppm = parameters.position_max_quote, parameters.activity_ppm
        super().__init__(accounts, markets, dice, most, activity_ppm)
        self._parameters = parameters
        self.estimates_q8 = [np.zeros(len(accounts), dtype=np.int64) for _ in range(markets)]

    def decide(self, step: int, market: int, view: MarketView) -> Rows:
        """Withdraw and order anew, towards the estimate."""
        acting = self.awake(step, market, self._parameters.activity_ppm)
        if len(acting) == 0:
            return empty_commands(0)
        held = self.holdings[market]
        rows = command_words(len(acting) + held.orders_count(acting))
        written = decide_value(
            rows,
            acting,
            self.estimates_q8[market],
            held.traders,
            held.order_slots,
            self._about(market, view),
            self.accounts.start,
            self.first_trader,
            self.key(market),
            step,
        )
        return as_commands(rows[:written])

    def _about(self, market: int, view: MarketView) -> tuple[int, ...]:
        """BID to AGGRESSIVE_BELOW."""
        own, spec, index = self._parameters, view.spec, view.index_ticks
        bid, ask = touch_ticks(view)
        index_q8 = index << ESTIMATE_SHIFT
        return (
            bid,
            ask,
            index_q8,
            index_q8 * own.noise_ppm // PPM,
            own.gain_ppm,
            2 * (index * own.edge_ppm // PPM),
            own.depth_spreads * (ask - bid) + 1,
            lots_of_quote(spec, index, own.order_quote),
            spec.min_quantity_lots,
            self.limit_lots(market, view),
            spec.max_price_ticks,
            own.aggressive_ppm * UNIT // PPM,
        )


STRATEGY = StrategyKind("value", Value, ValueParameters)


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
