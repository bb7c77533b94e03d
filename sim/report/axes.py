"""The axes of a chart: where a value lies between its ends, and round ticks along the way."""

import math
from dataclasses import dataclass, replace

import numpy as np

from sim.ratios import Floats
from sim.record.run import Integers
from sim.report.text import (
    MINUTE_S,
    SECOND_US,
    TIME_STEPS_S,
    clock,
    decimals_of,
    nice_step,
    number,
    tick_label,
)

TICKS_Y, TICKS_TIME, TICKS_X = 5, 6, 4
TICKS_LOG_MAX = 8
TICK_PX = 40
PADDING = 0.05
LOG_FROM_RATIO = 10.0
"""An axis that may be logarithmic is so where its values span more than this."""


@dataclass(frozen=True)
class Axis:
    """low < high; ticks are pairs of a value and its label."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    is_log: bool = False

    def place(self, values: Floats | Integers) -> Floats:
        """0 at the low end, 1 at the high one; NaN stays."""
        if self.is_log:
            return np.asarray(np.log(values / self.low) / math.log(self.high / self.low))
        return np.asarray((values - self.low) / (self.high - self.low))

    def place_of(self, value: float) -> float:
        """`place` of one value."""
        return float(self.place(np.array([value]))[0])

    def with_room_below(self, part: float) -> "Axis":
        """The same ticks on an axis whose lowest `part` is free."""
        share = part / (1 - part)
        lower = self.low * (self.low / self.high) ** share if self.is_log else 0.0
        low = lower or self.low - share * (self.high - self.low)
        return replace(self, low=low)


def time_axis(end_us: int, ticks_max: int = TICKS_TIME) -> Axis:
    """Simulated time from 0 to end_us > 0, labelled h:mm, h:mm:ss where minutes are too coarse."""
    seconds = max(end_us, 1) / SECOND_US
    fitting = [step for step in TIME_STEPS_S if seconds / step <= ticks_max]
    step_s = fitting[0] if fitting else math.ceil(seconds / ticks_max / 86_400) * 86_400
    with_seconds = step_s % MINUTE_S != 0
    marks = range(0, int(seconds) + 1, step_s)
    ticks = tuple((float(at * SECOND_US), clock(at * SECOND_US, with_seconds)) for at in marks)
    return Axis(0.0, float(max(end_us, 1)), ticks)


def value_axis(
    values: Floats,
    from_zero: bool = False,
    may_be_log: bool = False,
    is_whole: bool = False,
    height_px: int = 0,
) -> Axis:
    """Holds all finite values with a margin; from_zero: begins (or ends) at 0; is_whole: the
    values are counts, with ticks at whole numbers; height_px: more ticks where there is room."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
    if may_be_log and low > 0 and high / low > LOG_FROM_RATIO:
        return _log_axis(low, high)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        room = abs(high) * 1e-3 or 1.0
        low, high = (low if from_zero else low - room), high + room
    margin = PADDING * (high - low)
    ticks = max(TICKS_Y, height_px // TICK_PX)
    low_end = low if from_zero and low == 0 else low - margin
    high_end = high if from_zero and high == 0 else high + margin
    return Axis(low_end, high_end, _round_ticks(low_end, high_end, ticks, is_whole))


def bin_axis(low: float, high: float) -> Axis:
    """Exactly from low to high."""
    return Axis(low, high, _round_ticks(low, high, TICKS_X))


def _round_ticks(
    low: float, high: float, count: int, is_whole: bool = False
) -> tuple[tuple[float, str], ...]:
    step = nice_step((high - low) / count)
    step = max(1.0, round(step)) if is_whole else step
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    largest = max(abs(low), abs(high))
    return tuple(
        (place * step, tick_label(place * step, step, largest)) for place in range(first, last + 1)
    )


def _log_axis(low: float, high: float) -> Axis:
    """Ticks at 1, 2 and 5 of each decade, at powers of ten only where those are many."""
    low, high = low * 0.8, high * 1.25
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for leading in ((1, 2, 5), (1,)):
        marks = [lead * 10.0**power for power in decades for lead in leading]
        inside = [mark for mark in marks if low <= mark <= high]
        if len(inside) <= TICKS_LOG_MAX:
            break
    ticks = [(mark, number(mark, decimals_of(mark))) for mark in inside]
    return Axis(low, high, tuple(ticks[:: 1 + len(ticks) // TICKS_LOG_MAX]), is_log=True)
