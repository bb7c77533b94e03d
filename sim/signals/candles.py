"""Candles as agents see them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Candles:
    """The newest candles of one market, oldest first: each float64 (n,), times int64 (n,).

    Prices are positive and finite, volumes at least zero.
    """

    open_time_s: Integers
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __len__(self) -> int:
        return len(self.close)

    @property
    def last_close(self) -> float:
        return float(self.close[-1])

    @cached_property
    def relative(self) -> "Candles":
        """Prices as parts of the last close, so that no threshold depends on a market's price."""
        volume = np.ascontiguousarray(self.volume, np.float64)
        opened, high, low, close = map(self._of_last, (self.open, self.high, self.low, self.close))
        return Candles(self.open_time_s, opened, high, low, close, volume)

    def _of_last(self, prices: Floats) -> Floats:
        return np.ascontiguousarray(prices / self.close[-1], np.float64)
