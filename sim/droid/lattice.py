"""Buckets: equal intervals of ticks side by side, in which a droid's rungs may stand."""

from collections.abc import Iterator
from dataclasses import dataclass

from sim.pool.tick_math import MAX_TICK, MIN_TICK, sqrt_ratio_at_tick, tick_at_sqrt_ratio
from sim.pool.words import Pair


@dataclass(frozen=True, slots=True)
class Lattice:
    """Bucket k has the ticks [first + k · width, first + (k + 1) · width)."""

    width_ticks: int
    first_tick: int

    def ticks(self, bucket: int) -> Pair:
        """The lower tick, which is inside, and the upper one, which is not."""
        lower = self.first_tick + bucket * self.width_ticks
        return lower, lower + self.width_ticks

    def ratios_x96(self, bucket: int) -> Pair:
        """The roots of the prices at both ticks."""
        lower, upper = self.ticks(bucket)
        return sqrt_ratio_at_tick(lower), sqrt_ratio_at_tick(upper)

    def bucket_of(self, tick: int) -> int:
        return (tick - self.first_tick) // self.width_ticks

    def inside(self, low_x96: int, high_x96: int) -> range:
        """The buckets wholly between two roots of prices that a pool can have, edges included."""
        lowest = tick_at_sqrt_ratio(low_x96)
        if sqrt_ratio_at_tick(lowest) < low_x96:
            lowest += 1
        return self.between(lowest, tick_at_sqrt_ratio(high_x96))

    def between(self, lowest_tick: int = MIN_TICK, highest_tick: int = MAX_TICK) -> range:
        """The buckets whose two ticks are within these."""
        first = -((self.first_tick - lowest_tick) // self.width_ticks)
        return range(first, max(first, self.bucket_of(highest_tick)))


def nearest_first(buckets: range, to: int, tie_goes_up: bool) -> Iterator[int]:
    """All buckets by their distance from one, which need not be among them."""
    if not buckets:
        return
    last = buckets[-1]
    start = min(max(to, buckets[0]), last)
    below, above = (start - 1, start) if tie_goes_up else (start, start + 1)
    while below in buckets or above in buckets:
        goes_up = _is_nearer(above - to, to - below, tie_goes_up)
        if below not in buckets or (above in buckets and goes_up):
            yield above
            above += 1
        else:
            yield below
            below -= 1


def _is_nearer(above: int, below: int, tie_goes_up: bool) -> bool:
    return above < below or (above == below and tie_goes_up)
