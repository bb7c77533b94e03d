"""What a droid is compared with: whoever has as much, with as much ether, and does nothing.

All is free of gas and of fees at the beginning: a droid has to earn what it pays.
"""

from fractions import Fraction

from sim.backtest.log import LogRow, PoolLog
from sim.backtest.market import Market, Replays
from sim.droid.ladder import Rung, liquidity_for, total, unit_value
from sim.droid.lattice import Lattice
from sim.droid.valuation import positions_held, uncollected
from sim.pool.positions import PositionKey
from sim.pool.tick_math import MAX_TICK, MIN_TICK
from sim.pool.words import Pair

WHOLE_RANGE = 0
"""The one bucket of a lattice that is as wide as prices go."""


class Held:
    """Two tokens that lie in a wallet."""

    def __init__(self, log: PoolLog, tokens: Pair) -> None:
        self._terms, self.tokens = log.pool.terms, tokens

    @classmethod
    def halves(cls, log: PoolLog, quote: int) -> "Held":
        """Half of the quote is base from the beginning, at the first price."""
        terms, price = log.pool.terms, log.pool.terms.price(log.sqrt_price_x96)
        bought = quote // 2 * terms.base_unit * price.denominator
        base = bought // (price.numerator * terms.quote_unit)
        return cls(log, terms.pair(base, quote - quote // 2))

    def worth(self, sqrt_price_x96: int) -> int:
        """In base units of the quote, rounded down."""
        return int(self._terms.in_quote(self.tokens, sqrt_price_x96))


class FullRange:
    """One position from the lowest tick to the highest, in a pool of its own that lives the same
    log without the droid."""

    def __init__(self, log: PoolLog, replays: Replays, holder: bytes, quote: int) -> None:
        self._terms, self._market = log.pool.terms, Market(log, replays)
        self._lattice = whole_range(log.pool.tick_spacing)
        ratios_x96 = self._lattice.ratios_x96(WHOLE_RANGE)
        unit = unit_value(self._terms, ratios_x96, log.sqrt_price_x96)
        self._rung = Rung(WHOLE_RANGE, liquidity_for(Fraction(quote), unit))
        self._key = PositionKey(holder, *self._lattice.ticks(WHOLE_RANGE))
        if self._rung.liquidity:
            self._market.pool.mint(log.first.time_s, self._key, self._rung.liquidity)

    def happen(self, row: LogRow) -> None:
        self._market.happen(row)

    def fees(self, time_s: int) -> Pair:
        if not self._rung.liquidity:
            return 0, 0
        return uncollected(self._market.pool, [self._key], time_s)

    def worth(self, time_s: int) -> int:
        """With its fees, at the price of its own pool."""
        price_x96 = self._market.pool.state.sqrt_price_x96
        held = total((positions_held(self._lattice, [self._rung], price_x96), self.fees(time_s)))
        return int(self._terms.in_quote(held, price_x96))


def whole_range(tick_spacing: int) -> Lattice:
    lowest = -(-MIN_TICK // tick_spacing) * tick_spacing
    return Lattice(MAX_TICK // tick_spacing * tick_spacing - lowest, lowest)
