"""Ladder market makers: several levels a side around the reference price.

The shift of the ladder with inventory follows Avellaneda and Stoikov,
"High-frequency trading in a limit order book" (2008), made linear in the
inventory; several layered orders with a refresh tolerance follow Hummingbot's
pure market making. The makers keep no memory of what they meant to quote: an
order that lies in the band of a level is that level's quote, any other is
withdrawn, an empty level is quoted anew. So whatever makes orders vanish, the
next step mends it.
"""

from dataclasses import dataclass

import numpy as np

from sim.populations.command_rows import as_commands, command_words, lots_of_quote
from sim.populations.crowd import Crowd, StrategyKind
from sim.populations.dice import Dice
from sim.populations.ladder_rows import decide_ladders
from sim.populations.population import Integers, MarketView, bounded
from sim.rows.messages import Rows
from sim.units import PPM

PERCENT = 100
MAKER_PATTERN = 4
MAKER_STAGGER_PERCENT = 60
"""Of every four makers each stands 15 % wider than the one before, so that ladders interleave."""

VALUE_MAX = 2**40
"""No distance or size of a level grows beyond this."""


@dataclass(frozen=True)
class LadderParameters:
    """Of one maker in one market.

    half_spread_ppm      distance of the first level from the reference price
    offset_growth_percent, size_growth_percent   each level against the one before
    tolerance_ppm        how far a quote may stray, as a part of its level's offset
    level_quote          worth of the first level, quote units
    refill_ppm           a level with less than this part of its size is quoted anew
    position_max_quote   worth of the largest position, quote units
    skew_ppm             shift of the ladder at the largest position, part of the price
    sweep_ppm            foreign quotes beyond the reference price by more are taken
    sweep_max_quote      worth of one such order, quote units
    """

    levels: int = bounded(8, 1, 50)
    half_spread_ppm: int = bounded(40, 1, 100_000)
    offset_growth_percent: int = bounded(160, 101, 1000)
    size_growth_percent: int = bounded(140, 100, 1000)
    tolerance_ppm: int = bounded(200_000, 0, 1_000_000)
    level_quote: int = bounded(15_000, 1, 1_000_000_000)
    refill_ppm: int = bounded(400_000, 0, 1_000_000)
    position_max_quote: int = bounded(3_000_000, 1, 1_000_000_000)
    skew_ppm: int = bounded(300, 0, 100_000)
    sweep_ppm: int = bounded(50, 0, 1_000_000)
    sweep_max_quote: int = bounded(100_000, 0, 1_000_000_000)


class Ladder(Crowd):
    """A handful of makers (up to hundreds), each with its own ladder on every market."""

    def __init__(
        self, parameters: LadderParameters, accounts: range, markets: int, dice: Dice
    ) -> None:
        super().__init__(accounts, markets, dice, parameters.position_max_quote)
        self._parameters = parameters
        self._offsets_ppm = offsets_ppm(parameters, len(accounts), dice.first_trader)

    def decide(self, step: int, market: int, view: MarketView) -> Rows:
        """Of each maker: withdraw what strayed, sweep what is mispriced, quote what is missing.

        Of all makers one at a time sweeps: what others quote beyond the reference price.
        """
        held, levels = self.holdings[market], self._parameters.levels
        makers = len(self.accounts)
        rows = command_words(held.open_orders + 2 * levels * makers + 1)
        written = decide_ladders(
            rows,
            held.traders,
            held.order_slots,
            unwritable(view.bids),
            unwritable(view.asks),
            self._offsets_ppm,
            self._wished_lots(view),
            self._about(market, view),
            np.empty((3, levels), np.int64),
            np.empty((2, levels), np.int64),
            np.empty((2, levels), np.int64),
            self.accounts.start,
            self.first_trader,
            self.key(market),
            step,
        )
        return as_commands(rows[:written])

    def _wished_lots(self, view: MarketView) -> Integers:
        """Lots of each level of a maker without a position."""
        first = lots_of_quote(view.spec, view.index_ticks, self._parameters.level_quote)
        return geometric(first, self._parameters.size_growth_percent, self._parameters.levels)

    def _about(self, market: int, view: MarketView) -> tuple[int, ...]:
        """INDEX to SWEEP_LOTS_SELL of ladder_rows.py."""
        own, spec, index = self._parameters, view.spec, view.index_ticks
        edge = index * own.sweep_ppm // PPM + 1
        return (
            index,
            self.limit_lots(market, view),
            index * own.skew_ppm // PPM,
            own.tolerance_ppm,
            own.refill_ppm,
            spec.min_quantity_lots,
            spec.max_quantity_lots,
            spec.max_price_ticks,
            edge,
            lots_of_quote(spec, index - edge, own.sweep_max_quote),
            lots_of_quote(spec, index + edge, own.sweep_max_quote),
        )


STRATEGY = StrategyKind("ladder", Ladder, LadderParameters, makes_markets=True, divides=False)


def unwritable(levels: Integers) -> Integers:
    """A view that a kernel takes, wherever the array comes from."""
    same = levels.view()
    same.flags.writeable = False
    return same


def offsets_ppm(parameters: LadderParameters, makers: int, first_maker: int) -> Integers:
    """Distance of each level from the centre, int64 (makers, levels), parts per million.

    Every fourth maker begins the pattern again.
    """
    column = geometric(
        parameters.half_spread_ppm, parameters.offset_growth_percent, parameters.levels
    )
    place = (np.arange(makers) + first_maker) % MAKER_PATTERN
    wider_percent = PERCENT + MAKER_STAGGER_PERCENT * place // MAKER_PATTERN
    return column[None, :] * wider_percent[:, None] // PERCENT


def geometric(first: int, growth_percent: int, count: int) -> Integers:
    """first, first × growth, …: each rounded down to an integer, int64 (count,)."""
    values = [first]
    while len(values) < count:
        values.append(min(values[-1] * growth_percent // PERCENT, VALUE_MAX))
    return np.array(values, dtype=np.int64)


def first_of_each(slot: Integers, good: np.ndarray, slots: int) -> tuple[np.ndarray, np.ndarray]:
    """The oldest good order of each slot: bool by order, and bool (slots,) of slots with one."""
    kept = np.zeros(len(slot), dtype=np.bool_)
    filled = np.zeros(slots, dtype=np.bool_)
    places_of_good = np.flatnonzero(good)
    slots_of_good, oldest = np.unique(slot[places_of_good], return_index=True)
    kept[places_of_good[oldest]] = True
    filled[slots_of_good] = True
    return kept, filled
