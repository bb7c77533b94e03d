"""The oracle: a ring of what had grown at the start of some seconds, and the answers between them.

Times are seconds modulo 2**32. A slot is written at most once a second, with the tick and the
liquidity that there were before the change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sim.pool.reverts import Reverted, require
from sim.pool.words import quotient_towards_zero, wrapped, wrapped_signed

PREPARED_SECOND = 1
"""The time of a slot that the ring has grown by and that nothing is written in."""


@dataclass(frozen=True, slots=True)
class Observation:
    """A slot of the ring."""

    time_s: int = 0
    tick_cumulative: int = 0
    seconds_per_liquidity_x128: int = 0
    initialized: bool = False

    def until(self, moment: "Moment") -> "Observation":
        """What has grown by then, if tick and liquidity were the same all the while."""
        seconds = wrapped(moment.time_s - self.time_s, 32)
        per_liquidity_x128 = (seconds << 128) // (moment.liquidity or 1)
        return Observation(
            moment.time_s,
            wrapped_signed(self.tick_cumulative + moment.tick * seconds, 56),
            wrapped(self.seconds_per_liquidity_x128 + per_liquidity_x128, 160),
            True,
        )


class Moment(NamedTuple):
    """A second, and the tick and the liquidity that held until then."""

    time_s: int
    tick: int
    liquidity: int


@dataclass(frozen=True, slots=True)
class Ring:
    """The slots, the newest of them, and how many are in use."""

    slots: Mapping[int, Observation]
    index: int
    cardinality: int

    @property
    def newest(self) -> Observation:
        return self.slots[self.index]

    @property
    def oldest(self) -> Observation:
        oldest = self.slots[(self.index + 1) % self.cardinality]
        return oldest if oldest.initialized else self.slots[0]


@dataclass(frozen=True, slots=True)
class Written:
    """What a write leaves: the newest slot's number and content, and how many are in use."""

    index: int
    observation: Observation
    cardinality: int


def written(ring: Ring, moment: Moment, cardinality_next: int) -> Written:
    """The ring grows when the write comes round to its end, and nowhere else."""
    if ring.newest.time_s == moment.time_s:
        return Written(ring.index, ring.newest, ring.cardinality)
    at_the_end = ring.index == ring.cardinality - 1
    cardinality = max(ring.cardinality, cardinality_next) if at_the_end else ring.cardinality
    return Written((ring.index + 1) % cardinality, ring.newest.until(moment), cardinality)


def observed(ring: Ring, moment: Moment, seconds_ago: int) -> Observation:
    """What had grown so many seconds before. Raises Reverted: OLD."""
    if seconds_ago == 0:
        same_second = ring.newest.time_s == moment.time_s
        return ring.newest if same_second else ring.newest.until(moment)
    target_s = wrapped(moment.time_s - seconds_ago, 32)
    before, after = _around(ring, moment, target_s)
    if target_s == before.time_s:
        return before
    return after if target_s == after.time_s else _between(before, after, target_s)


def _between(before: Observation, after: Observation, target_s: int) -> Observation:
    """On the straight line from one to the other; ticks are divided before they are multiplied."""
    whole_s = wrapped(after.time_s - before.time_s, 32)
    part_s = wrapped(target_s - before.time_s, 32)
    ticks = wrapped_signed(after.tick_cumulative - before.tick_cumulative, 56)
    per_liquidity_x128 = wrapped(
        after.seconds_per_liquidity_x128 - before.seconds_per_liquidity_x128, 160
    )
    part_x128 = per_liquidity_x128 * part_s // whole_s
    return Observation(
        target_s,
        wrapped_signed(before.tick_cumulative + quotient_towards_zero(ticks, whole_s) * part_s, 56),
        wrapped(before.seconds_per_liquidity_x128 + part_x128, 160),
        True,
    )


def _around(ring: Ring, moment: Moment, target_s: int) -> tuple[Observation, Observation]:
    """The last observation at or before a second, and the first at or after it."""
    if _is_not_after(moment.time_s, ring.newest.time_s, target_s):
        return ring.newest, ring.newest.until(moment._replace(time_s=target_s))
    require(_is_not_after(moment.time_s, ring.oldest.time_s, target_s), "OLD")
    return _searched(ring, moment.time_s, target_s)


def _is_not_after(now_s: int, a_s: int, b_s: int) -> bool:
    """Whether a is at or before b, where both are at or before now: what is above now is from
    before the count began anew."""
    return (now_s - a_s) % 2**32 >= (now_s - b_s) % 2**32


def _searched(ring: Ring, now_s: int, target_s: int) -> tuple[Observation, Observation]:
    first = (ring.index + 1) % ring.cardinality
    last = first + ring.cardinality - 1
    while first <= last:
        middle = (first + last) // 2
        before = ring.slots[middle % ring.cardinality]
        after = ring.slots[(middle + 1) % ring.cardinality]
        if not before.initialized:
            first = middle + 1
        elif not _is_not_after(now_s, before.time_s, target_s):
            last = middle - 1
        elif _is_not_after(now_s, target_s, after.time_s):
            return before, after
        else:
            first = middle + 1
    raise Reverted  # the contract searches until its gas is used up
