"""Indicators at the newest candle: TA-Lib's, of prices as parts of the last close.

What TA-Lib leaves undefined or tells of rounding errors is defined here: a price that does not
move has RSI 50, bands without width, and no trend. Callers have as many candles as `…_candles`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.signals.candles import Candles, Floats

FLAT = 1e-7
"""Of price: bands narrower than this are rounding errors of a price that stands still."""


@dataclass(frozen=True)
class Bands:
    """Bollinger's, in parts of the last close, which is 1."""

    lower: float
    middle: float
    upper: float

    @property
    def half_width(self) -> float:
        """0 where the price stands still."""
        half = (self.upper - self.lower) / 2
        return half if half > FLAT else 0.0

    @property
    def width(self) -> float:
        """Of the middle."""
        return 2 * self.half_width / self.middle

    @property
    def place(self) -> float:
        """Of the last close: −1 at the lower band, 1 at the upper, 0 where there is no width."""
        return (1 - self.middle) / self.half_width if self.half_width else 0.0


def library() -> Any:
    """TA-Lib, loaded when it is first asked: it brings pandas with it, and whoever only reads what
    agents go by needs neither."""
    import talib

    return talib


def rsi(candles: Candles, period: int) -> float:
    """Wilder's, 0 to 100."""
    close = candles.relative.close
    if np.ptp(close[-period - 1 :]) == 0:
        return 50.0
    return float(np.clip(library().RSI(close, period)[-1], 0, 100))


def rsi_candles(period: int) -> int:
    return period + 1


def macd_histogram_pct(candles: Candles, fast: int, slow: int, signal: int) -> float:
    """In % of the last close."""
    return float(library().MACD(candles.relative.close, fast, slow, signal)[2][-1]) * 100


def macd_candles(slow: int, signal: int) -> int:
    return slow + signal - 1


def bands(candles: Candles, period: int, deviations: float) -> Bands:
    """The mean of so many closes and so many of their (population) standard deviations about it."""
    upper, middle, lower = library().BBANDS(candles.relative.close, period, deviations, deviations)
    return Bands(float(lower[-1]), float(middle[-1]), float(upper[-1]))


def ema_gap_pct(candles: Candles, fast: int, slow: int) -> float:
    """How far the faster exponential mean lies above the slower, in % of that."""
    means = (float(library().EMA(candles.relative.close, one)[-1]) for one in (fast, slow))
    faster, slower = means
    gap = faster / slower - 1
    return gap * 100 if abs(gap) > FLAT else 0.0


def adx(candles: Candles, period: int) -> float:
    """Wilder's, 0 to 100."""
    relative = candles.relative
    found = library().ADX(relative.high, relative.low, relative.close, period)[-1]
    return float(np.clip(found, 0, 100))


def adx_candles(period: int) -> int:
    return 2 * period


def volume_ratio(candles: Candles, period: int) -> float:
    """The last candle's volume in mean volumes of those before it; 0 where there were none."""
    mean = float(candles.volume[-period - 1 : -1].mean())
    return float(candles.volume[-1]) / mean if mean > 0 else 0.0


def log_returns(candles: Candles, count: int) -> Floats:
    """The newest, oldest first."""
    found: Floats = np.diff(np.log(candles.relative.close[-count - 1 :]))
    return found


def deviation(candles: Candles, count: int) -> float:
    """Population standard deviation of so many returns of one candle each."""
    return float(log_returns(candles, count).std())
