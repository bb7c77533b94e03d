"""What a droid must know of a pool to speak of it in USD.

A price is USD per base (ETH), with the quote worth 1 USD; raw is token1 per token0 in base units,
as the pool has it. All conversions are exact but for the one floor that a root needs.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import isqrt

from sim.pool.tick_math import MAX_SQRT_RATIO, MIN_SQRT_RATIO, sqrt_ratio_at_tick
from sim.pool.words import Pair

Q192 = 1 << 192
Price = int | float | Decimal | Fraction
"""A double is the number that it is, a Decimal what was written."""


@dataclass(frozen=True, slots=True)
class PoolTerms:
    """quote_is_token0   then the chain's price falls where the price in USD rises
    decimals          of token0 and of token1
    """

    pool_id: int
    tick_spacing: int
    fee_pips: int
    quote_is_token0: bool
    decimals: Pair

    @property
    def quote_token(self) -> int:
        """Its number in the pool."""
        return 0 if self.quote_is_token0 else 1

    @property
    def quote_unit(self) -> int:
        """Base units of the quote in one USD."""
        return int(10 ** self.decimals[self.quote_token])

    @property
    def base_unit(self) -> int:
        return int(10 ** self.decimals[1 - self.quote_token])

    def pair(self, base: int, quote: int) -> Pair:
        """Two amounts in the chain's order."""
        return (quote, base) if self.quote_is_token0 else (base, quote)

    def base_and_quote(self, amounts: Pair) -> Pair:
        return (amounts[1], amounts[0]) if self.quote_is_token0 else amounts

    def sqrt_price_x96(self, price: Price) -> int:
        """isqrt(floor(raw · 2**192)) of the exact price."""
        exact = Fraction(price)
        scaled = Fraction(self.quote_unit, self.base_unit) * exact
        raw = 1 / scaled if self.quote_is_token0 else scaled
        return isqrt(raw.numerator * Q192 // raw.denominator)

    def in_range_x96(self, price: Price) -> int:
        """The same, or the nearest that a pool can have."""
        return min(max(self.sqrt_price_x96(price), MIN_SQRT_RATIO), MAX_SQRT_RATIO - 1)

    def ratio(self, sqrt_price_x96: int) -> Pair:
        """The exact price as a numerator and a denominator, not in lowest terms."""
        raw = sqrt_price_x96 * sqrt_price_x96
        if self.quote_is_token0:
            return Q192 * self.base_unit, raw * self.quote_unit
        return raw * self.base_unit, Q192 * self.quote_unit

    def price(self, sqrt_price_x96: int) -> Fraction:
        return Fraction(*self.ratio(sqrt_price_x96))

    def nearest_double(self, sqrt_price_x96: int) -> float:
        """The price of a pool, as a signal sees it."""
        numerator, denominator = self.ratio(sqrt_price_x96)
        return numerator / denominator

    def price_at_tick(self, tick: int) -> Fraction:
        return self.price(sqrt_ratio_at_tick(tick))

    def in_quote(self, amounts: Pair, sqrt_price_x96: int) -> Fraction:
        """What both tokens are worth in base units of the quote."""
        raw = sqrt_price_x96 * sqrt_price_x96
        if self.quote_is_token0:
            return amounts[0] + Fraction(amounts[1] * Q192, raw)
        return amounts[1] + Fraction(amounts[0] * raw, Q192)

    def limit_x96(self, sqrt_price_x96: int, zero_for_one: bool, part: Fraction) -> int:
        """Where a price has moved by a part, the way of a swap; a limit that it may have."""
        dearer = zero_for_one == self.quote_is_token0
        moved = self.price(sqrt_price_x96) * (1 + part if dearer else 1 - part)
        return min(max(self.sqrt_price_x96(moved), MIN_SQRT_RATIO + 1), MAX_SQRT_RATIO - 1)
