"""A reference price that walks recorded candles of one minute: through all four of their prices.

What happened within a minute the candle does not say. So the walk is the usual assumption: a
minute that closes at or above its opening went down to its low first, any other up to its high;
a third of the minute for each of the three ways, in straight lines.
"""

import struct

import numpy as np

from sim.prices.news import MINUTE_US
from sim.prices.processes import STEP_US_DEFAULT, Integers, unpacked_state

OPEN, HIGH, LOW, CLOSE = range(4)
WAYS = 3
WAY_US = MINUTE_US // WAYS


class CandlePrice:
    """After the last minute it keeps the last close.

    minutes   int64 (n, 4), n ≥ 1: open, high, low and close in ticks of minutes without a gap
    """

    STATE = struct.Struct("<cq")
    KIND = b"K"

    def __init__(self, minutes: Integers, *, step_us: int = STEP_US_DEFAULT) -> None:
        if not len(minutes):
            raise ValueError("a path of candles needs at least one")
        self._corners = corners(minutes)
        self._end_us, self._step_us = len(minutes) * MINUTE_US, step_us
        self._elapsed_us = 0

    @property
    def price_ticks(self) -> int:
        """Where the walk is at the elapsed time."""
        return int(self._at(np.array([self._elapsed_us]))[0])

    def step(self) -> int:
        """One interval on: the new price in ticks."""
        self._elapsed_us += self._step_us
        return self.price_ticks

    def advance(self, steps: int) -> Integers:
        """See ReferencePrice."""
        at_us = self._elapsed_us + self._step_us * np.arange(1, steps + 1)
        self._elapsed_us += steps * self._step_us
        return self._at(at_us)

    def state(self) -> bytes:
        """The elapsed time: 9 bytes."""
        return self.STATE.pack(self.KIND, self._elapsed_us)

    def restore(self, state: bytes) -> None:
        """Go on from a `state()`; raises StateMismatch."""
        _, self._elapsed_us = unpacked_state(self.STATE, self.KIND, state)

    def _at(self, times_us: Integers) -> Integers:
        at_us = np.minimum(times_us, self._end_us - 1)
        minute, within_us = np.divmod(at_us, MINUTE_US)
        way, gone_us = np.divmod(within_us, WAY_US)
        begun, ended = self._corners[minute, way], self._corners[minute, way + 1]
        ticks: Integers = begun + (ended - begun) * gone_us // WAY_US
        return np.where(times_us < self._end_us, ticks, self._corners[-1, -1])


def corners(minutes: Integers) -> Integers:
    """The four prices of each minute in the order in which they are come to: int64 (n, 4)."""
    rises = minutes[:, CLOSE] >= minutes[:, OPEN]
    first = np.where(rises, minutes[:, LOW], minutes[:, HIGH])
    second = np.where(rises, minutes[:, HIGH], minutes[:, LOW])
    return np.stack([minutes[:, OPEN], first, second, minutes[:, CLOSE]], axis=1)
