"""What a pool remembers at the ends of positions, and what has grown between two of them."""

from dataclasses import dataclass, replace

from sim.pool.full_math import add_delta
from sim.pool.reverts import require
from sim.pool.tick_math import MAX_TICK, MIN_TICK
from sim.pool.words import UINT128_MAX, Pair, checked_signed, wrapped, wrapped_signed


@dataclass(frozen=True, slots=True)
class Grown:
    """What only grows as time goes by, each modulo the bits it has: 256, 56, 160, 32."""

    fee_growth_x128: Pair = (0, 0)
    tick_cumulative: int = 0
    seconds_per_liquidity_x128: int = 0
    seconds: int = 0

    def minus(self, other: "Grown") -> "Grown":
        (growth0, growth1), (other0, other1) = self.fee_growth_x128, other.fee_growth_x128
        seconds_per_liquidity = self.seconds_per_liquidity_x128 - other.seconds_per_liquidity_x128
        return Grown(
            (wrapped(growth0 - other0, 256), wrapped(growth1 - other1, 256)),
            wrapped_signed(self.tick_cumulative - other.tick_cumulative, 56),
            wrapped(seconds_per_liquidity, 160),
            wrapped(self.seconds - other.seconds, 32),
        )


@dataclass(frozen=True, slots=True)
class Tick:
    """One end or more of positions; all zero where there is none.

    liquidity_net   added where the price crosses upwards, taken away where it crosses downwards
    outside         what has grown on the side where the price is not
    """

    liquidity_gross: int = 0
    liquidity_net: int = 0
    outside: Grown = Grown()
    initialized: bool = False

    def crossed(self, now: Grown) -> "Tick":
        return replace(self, outside=now.minus(self.outside))


def max_liquidity_per_tick(tick_spacing: int) -> int:
    """So much that all ticks together stay within 128 bits."""
    ticks = MAX_TICK // tick_spacing + -MIN_TICK // tick_spacing + 1
    return UINT128_MAX // ticks


def check_ticks(lower: int, upper: int) -> None:
    """Raises Reverted: TLU, TLM, TUM."""
    require(lower < upper, "TLU")
    require(lower >= MIN_TICK, "TLM")
    require(upper <= MAX_TICK, "TUM")


def with_liquidity(tick: Tick, delta: int, is_upper: bool, gross_max: int) -> Tick:
    """A tick after a position that ends there has grown or shrunk. Raises Reverted: LS, LA, LO."""
    gross = add_delta(tick.liquidity_gross, delta)
    require(gross <= gross_max, "LO")
    net = checked_signed(tick.liquidity_net + (-delta if is_upper else delta), 128)
    return replace(tick, liquidity_gross=gross, liquidity_net=net)


def grown_inside(lower: Tick, upper: Tick, place: int, now: Grown) -> Grown:
    """What has grown while the price was between two ticks.

    place   of the price: < 0 below them, 0 between them, > 0 above them
    """
    if place < 0:
        return lower.outside.minus(upper.outside)
    if place > 0:
        return upper.outside.minus(lower.outside)
    return now.minus(lower.outside).minus(upper.outside)


def place_of(tick: int, lower: int, upper: int) -> int:
    """−1 below two ticks, 0 between them, 1 above them; at the lower one is between."""
    return -1 if tick < lower else int(tick >= upper)
