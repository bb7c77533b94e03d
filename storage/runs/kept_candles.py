"""Candles as they were when a backtest was asked for: kept with each of its simulations, so that
the same run comes to the same hash whatever the market's own candles have become since."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from sim.money.candles import MINUTE_US
from sim.prices.processes import Integers
from sim.scenario.scenario import MarketPast

DIGEST_BYTES, COMPRESSION_LEVEL = 16, 1
MINUTE_S = 60
OPEN, HIGH, LOW, CLOSE, VOLUME = range(5)


@dataclass(frozen=True, eq=False)
class KeptCandles:
    """Minutes of some markets, of all the same and without a gap.

    first_us   when the first of them opens, since 1970
    past       so many of them are over when the simulation begins
    minutes    of each market by its id int64 (n, 5): open, high, low and close in ticks, volume in
               lots
    """

    first_us: int
    past: int
    minutes: Mapping[str, Integers]

    @property
    def paths(self) -> dict[str, Integers]:
        """What each market's index walks, as CandlePrice takes it."""
        return {name: rows[self.past :, :VOLUME] for name, rows in self.minutes.items()}

    def pasts(self, candle_s: int) -> tuple[MarketPast, ...]:
        """What lies behind each market, as candles of this length, none of times without trades;
        nothing where that is no whole minutes."""
        many, rest = divmod(candle_s, MINUTE_S)
        count = 0 if rest else self.past // many
        if not count:
            return ()
        found = []
        for name, rows in self.minutes.items():
            parts = rows[self.past - count * many : self.past].reshape(count, many, 5)
            columns = (
                np.arange(-count, 0) * many * MINUTE_US,
                parts[:, 0, OPEN],
                parts[:, :, HIGH].max(axis=1),
                parts[:, :, LOW].min(axis=1),
                parts[:, -1, CLOSE],
                parts[:, :, VOLUME].sum(axis=1),
            )
            table = np.stack(columns, axis=1)
            candles = tuple(map(tuple, table[table[:, -1] > 0].tolist()))
            found.append(MarketPast(name, candles))
        return tuple(found)

    def digest(self, market_id: str) -> str:
        """Of all that is known of a market, 32 hex digits."""
        head = np.array([self.first_us, self.past], "<i8").tobytes()
        rows = np.ascontiguousarray(self.minutes[market_id], "<i8").tobytes()
        return blake2b(head + rows, digest_size=DIGEST_BYTES).hexdigest()

    def packed(self) -> bytes:
        """As it is kept."""
        rows = {name: minutes.tolist() for name, minutes in self.minutes.items()}
        text = json.dumps([self.first_us, self.past, rows], separators=(",", ":"))
        return zlib.compress(text.encode(), COMPRESSION_LEVEL)


def unpacked(kept: bytes) -> KeptCandles:
    """What `packed` has made."""
    first_us, past, rows = json.loads(zlib.decompress(kept))
    minutes = {name: np.array(one, np.int64).reshape(-1, 5) for name, one in rows.items()}
    return KeptCandles(first_us, past, minutes)


Minute = tuple[int, int, int, int, int]
"""A row of KeptCandles."""


def without_gaps(minutes: Mapping[int, Minute], first_us: int, count: int) -> Integers:
    """So many minutes from `first_us` on, as in KeptCandles; in one without a trade the price
    stayed where it was.

    minutes   by when they open, in their order, at least one
    """
    last = next(iter(minutes.values()))[OPEN]
    rows = np.empty((count, 5), np.int64)
    for place in range(count):
        rows[place] = minutes.get(first_us + place * MINUTE_US, (last, last, last, last, 0))
        last = rows[place, CLOSE]
    return rows
