"""Candles: what a market's trades of one interval come to, and intervals from shorter ones."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

MINUTE_US = 60_000_000
INTERVALS_US: Mapping[str, int] = {
    "1m": MINUTE_US,
    "5m": 5 * MINUTE_US,
    "15m": 15 * MINUTE_US,
    "1h": 60 * MINUTE_US,
    "4h": 240 * MINUTE_US,
    "1d": 1_440 * MINUTE_US,
}


@dataclass
class Candle:
    """The trades of one interval."""

    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: int = 0
    notional_atoms: int = 0
    trade_count: int = 0

    def trade(self, ticks: int, lots: int, notional_atoms: int) -> None:
        """One trade more."""
        if ticks > self.high_ticks:
            self.high_ticks = ticks
        elif ticks < self.low_ticks:
            self.low_ticks = ticks
        self.close_ticks = ticks
        self.volume_lots += lots
        self.notional_atoms += notional_atoms
        self.trade_count += 1

    def add(self, later: "Candle") -> None:
        """What comes after it in the same interval."""
        self.high_ticks = max(self.high_ticks, later.high_ticks)
        self.low_ticks = min(self.low_ticks, later.low_ticks)
        self.close_ticks = later.close_ticks
        self.volume_lots += later.volume_lots
        self.notional_atoms += later.notional_atoms
        self.trade_count += later.trade_count


def every_interval(minutes: Mapping[int, Candle]) -> dict[tuple[int, int], Candle]:
    """Candles of all intervals by (width, opening time), from minutes in their order."""
    found: dict[tuple[int, int], Candle] = {}
    for opened_us, minute in minutes.items():
        for width_us in INTERVALS_US.values():
            place = (width_us, opened_us - opened_us % width_us)
            if place in found:
                found[place].add(minute)
            else:
                found[place] = replace(minute)
    return found
