"""The price that a droid goes by, and whether it has moved so far that the ladder follows.

Prices here are doubles, USD per base, seen at the ends of blocks.
"""

from dataclasses import dataclass, replace
from decimal import Context, Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

from sim.droid.config import DroidConfig, TriggerType
from sim.pool.pool import Pool
from sim.pool.terms import PoolTerms

MEMORY_S = 600
"""τ, unless it is set otherwise."""

WAITS_MEMORIES_MAX = 12
"""A droid that has fired waits for a calmer price so many τ at most."""

FACTORS_KEPT = 4096
EXACT_ENOUGH = Context(prec=40)


class Moved(StrEnum):
    """What the signal asks for."""

    NONE = "NONE"
    WAITING = "WAITING"
    REBALANCE = "REBALANCE"


@dataclass(frozen=True, slots=True)
class Signal:
    """What is remembered of a price's course.

    seen          times and signals at block ends, from the last one that is τ ago or more
    reference     the signal at the last plan that was completed
    fired_at_s    since when it has been outside the band around the reference; None inside
    """

    time_s: int
    value: float
    reference: float
    seen: tuple[tuple[int, float], ...]
    fired_at_s: int | None = None

    @classmethod
    def begun(cls, time_s: int, price: float) -> "Signal":
        return cls(time_s, price, price, ((time_s, price),))

    def followed(self, time_s: int, price: float, memory_s: int) -> float:
        """The exponential mean with one more price."""
        return self.value + approach(time_s - self.time_s, memory_s) * (price - self.value)

    def moved_to(self, time_s: int, value: float, memory_s: int) -> "Signal":
        """At the end of the next block."""
        seen = (*self.seen, (time_s, value))
        first = 0
        while first + 1 < len(seen) and seen[first + 1][0] <= time_s - memory_s:
            first += 1
        return replace(self, time_s=time_s, value=value, seen=seen[first:])

    def watched(self, config: DroidConfig) -> "Signal":
        """Noting when it left the band, and forgetting that where it is back inside."""
        falling, rising = config.band
        reference, value = Fraction(self.reference), Fraction(self.value)
        fires = value <= reference * falling or value >= reference * rising
        if fires == (self.fired_at_s is not None):
            return self
        return replace(self, fired_at_s=self.time_s if fires else None)

    def rested(self, reference: float) -> "Signal":
        """After a plan that was made at this signal."""
        return replace(self, reference=reference, fired_at_s=None)

    @property
    def speed(self) -> float:
        """|S_t / S_(t − τ) − 1|."""
        return abs(self.value / self.seen[0][1] - 1)

    def asks(self, config: DroidConfig, memory_s: int) -> Moved:
        if self.fired_at_s is None:
            return Moved.NONE
        threshold = config.derivative_threshold
        is_fast = bool(threshold) and self.speed > threshold
        if is_fast and self.time_s - self.fired_at_s < WAITS_MEMORIES_MAX * memory_s:
            return Moved.WAITING
        return Moved.REBALANCE


@dataclass(frozen=True, slots=True)
class BlockEnd:
    """A pool as a block leaves it, and the block's time."""

    pool: Pool
    time_s: int

    def price(self, terms: PoolTerms) -> float:
        return terms.nearest_double(self.pool.state.sqrt_price_x96)

    def mean_price(self, terms: PoolTerms, memory_s: int) -> float:
        """At the floored mean tick over τ, or since the pool's oldest observation."""
        oldest_s = self.pool.store.ring.oldest.time_s
        seconds = min(memory_s, (self.time_s - oldest_s) % 2**32)
        if seconds == 0:
            return float(terms.price_at_tick(self.pool.state.tick))
        then, now = self.pool.observe(self.time_s, (seconds, 0))
        mean_tick = (now.tick_cumulative - then.tick_cumulative) // seconds
        return float(terms.price_at_tick(mean_tick))


def signal_at(
    end: BlockEnd, before: Signal | None, trigger: TriggerType, terms: PoolTerms, memory_s: int
) -> Signal:
    """The signal at a block's end; the same as before where that block was seen already."""
    if before is not None and end.time_s <= before.time_s:
        return before
    is_mean = trigger is TriggerType.TWAP
    value = end.mean_price(terms, memory_s) if is_mean else end.price(terms)
    if before is None:
        return Signal.begun(end.time_s, value)
    if trigger is TriggerType.EMA:
        value = before.followed(end.time_s, value, memory_s)
    return before.moved_to(end.time_s, value, memory_s)


@lru_cache(FACTORS_KEPT)
def approach(seconds: int, memory_s: int) -> float:
    """1 − e^(−Δt/τ): the same double on every machine."""
    exponent = EXACT_ENOUGH.divide(Decimal(-seconds), Decimal(memory_s))
    return float(1 - EXACT_ENOUGH.exp(exponent))
