"""How busy a market is: a day's course, and the excitement of recent price moves.

What wakes one trader wakes others. All populations act more or less often by one factor, the
day's course (Admati and Pfleiderer, "A theory of intraday patterns", 1988) and an excitement:

    factor = (1 − feedback) × course + feedback × v ÷ typical move²

A move is the distance of the mid from its own moving average, so that the bounce between bid and
ask is none. v is the mean of squared moves over three horizons, each eight times the one before,
so that it forgets as slowly as a power law (Corsi, "A simple approximate long-memory model of
realized volatility", 2009). Moves drive activity and activity makes moves: a quadratic Hawkes
process (Blanc, Donier and Bouchaud, "Quadratic Hawkes processes for financial prices", 2017).
Integers only; the factor is one of a few steps.
"""

from bisect import bisect_right
from dataclasses import dataclass

from sim.units import PPM

QUARTERS_OF_AN_OCTAVE = (1_000, 1_189, 1_414, 1_682)
FACTORS_PPM: tuple[int, ...] = tuple(
    (PPM * part << octave) // 8_000 for octave in range(7) for part in QUARTERS_OF_AN_OCTAVE
)
"""From an eighth to nearly 14 times, four to an octave: the chances to wake stay few."""

HORIZONS = 3
HORIZON_SHIFT = 3
TYPICAL_MOVES_MAX = 10
"""A move counts as so many typical moves at most."""

AVERAGE_SHIFT = 16
"""The average is kept in twice the ticks × 2**16."""

PPB = 1_000_000_000
UNIT = 1 << 32
"""A squared move that is typical."""


@dataclass(frozen=True)
class ActivityDescription:
    """Of all markets of a scenario.

    course_percent     of equal parts of `course_us`, over and over
    feedback_ppm       share of the activity that follows the price
    typical_move_ppb   root mean square of moves where the excitement is 1, parts per billion
    memory_shift       the average and the shortest horizon are of 2**shift steps
    """

    course_percent: tuple[int, ...] = (100,)
    course_us: int = 86_400_000_000
    feedback_ppm: int = 0
    typical_move_ppb: int = 20_000
    memory_shift: int = 5


class MarketActivity:
    """Of one market; without a description it is always PPM."""

    def __init__(self, description: ActivityDescription | None) -> None:
        self._about = description
        self._average_q16 = 0
        self._moves = [UNIT] * HORIZONS

    def factor_ppm(self, now_us: int) -> int:
        """By how much more often everybody acts, one of FACTORS_PPM."""
        about = self._about
        if about is None:
            return PPM
        part = now_us % about.course_us * len(about.course_percent) // about.course_us
        usual = (PPM - about.feedback_ppm) * about.course_percent[part] // 100
        wished = usual + about.feedback_ppm * sum(self._moves) // (HORIZONS * UNIT)
        return FACTORS_PPM[max(0, bisect_right(FACTORS_PPM, wished) - 1)]

    def note(self, bid_ticks: int, ask_ticks: int) -> None:
        """A step has passed; a mid with one side missing is none."""
        about = self._about
        if about is None or about.feedback_ppm == 0 or min(bid_ticks, ask_ticks) < 1:
            return
        twice_mid_q16 = bid_ticks + ask_ticks << AVERAGE_SHIFT
        average_q16 = self._average_q16 or twice_mid_q16
        move_ppb = (twice_mid_q16 - average_q16) * PPB // average_q16
        self._average_q16 = average_q16 + (twice_mid_q16 - average_q16 >> about.memory_shift)
        most = TYPICAL_MOVES_MAX * about.typical_move_ppb
        size_ppb = min(abs(move_ppb), most)
        squared = size_ppb**2 * UNIT // about.typical_move_ppb**2
        for place in range(HORIZONS):
            shift = about.memory_shift + HORIZON_SHIFT * place
            self._moves[place] += (squared - self._moves[place]) >> shift

    def state(self) -> tuple[int, ...]:
        """What `restore` takes."""
        return (self._average_q16, *self._moves)

    def restore(self, state: tuple[int, ...]) -> None:
        """Go on from a `state()`."""
        self._average_q16, *self._moves = state
