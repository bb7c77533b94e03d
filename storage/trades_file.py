"""Reads real trades from a file as Binance publishes them: CSV, plain or gzipped.

Columns id, price, qty, quote_qty, time, is_buyer_maker and in spot files a
seventh, is_best_match. A header line may stand first. Times are milliseconds,
or microseconds in newer files; the two are told apart by their size.
"""

import gzip
import re
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import numpy.typing as npt

TRADES_MAX = 50_000_000
"""More trades than any market sees in a day; 25 bytes each in memory."""

LINE_BYTES_MAX = 256
DECIMALS = 8
HEADER_START = b"id,"
LINE_PATTERN = re.compile(
    rb"\d{1,18},(\d{1,10}(?:\.\d{1,8})?),(\d{1,10}(?:\.\d{1,8})?),\d{1,18}(?:\.\d{1,18})?,"
    rb"(\d{12,16}),(true|false)(?:,(?:true|false))?",
    re.IGNORECASE,
)
EXPECTED = "id,price,qty,quote_qty,time,is_buyer_maker"

MICROSECONDS_FROM = 100_000_000_000_000
"""A time at or above this is in µs: as ms it would lie after the year 5000."""


class TradesFileError(ValueError):
    """The file cannot be used. The message is one sentence with file and line."""


@dataclass(frozen=True)
class Trades:
    """The trades of a file, oldest first: four arrays of one length ≥ 1.

    times_us           int64, microseconds since 1970, not decreasing
    prices_ticks       int64, ≥ 1, to the nearest tick, halves up
    quantities_e8      int64, base units × 10**8, exact
    buyer_is_maker     bool
    """

    times_us: npt.NDArray[np.int64]
    prices_ticks: npt.NDArray[np.int64]
    quantities_e8: npt.NDArray[np.int64]
    buyer_is_maker: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.times_us)


def read_trades(path: Path, tick_size: Decimal, *, trades_max: int = TRADES_MAX) -> Trades:
    """All trades of the file, prices on the grid of `tick_size`. Raises TradesFileError."""
    columns = _Columns(path, int(tick_size.scaleb(DECIMALS)), trades_max)
    try:
        with _opened(path) as file:
            for number, line in _lines(path, file):
                columns.add(number, line)
    except (OSError, EOFError, zlib.error) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise TradesFileError(f"{path} cannot be read: {said}.") from error
    return columns.trades()


def nearest_tick(price_e8: int, tick_e8: int) -> int:
    """A price in 10**-8 to the nearest tick, halves up."""
    return (2 * price_e8 + tick_e8) // (2 * tick_e8)


class _Columns:
    """The arrays under construction, and what the last line said."""

    def __init__(self, path: Path, tick_e8: int, trades_max: int) -> None:
        self._path, self._tick_e8, self._trades_max = path, tick_e8, trades_max
        self._times, self._prices = array("q"), array("q")
        self._quantities, self._buyer_is_maker = array("q"), array("b")

    def add(self, number: int, line: bytes) -> None:
        match = LINE_PATTERN.fullmatch(line)
        if match is None:
            shown = line[:60].decode("ascii", "replace")
            raise _error(self._path, number, f"expected {EXPECTED}, found {shown!r}")
        price_e8, quantity_e8 = _scaled_e8(match[1]), _scaled_e8(match[2])
        price_ticks = nearest_tick(price_e8, self._tick_e8)
        if price_ticks < 1 or quantity_e8 < 1:
            raise _error(self._path, number, "price and quantity must be greater than zero")
        self._times.append(self._time_us(number, int(match[3])))
        self._prices.append(price_ticks)
        self._quantities.append(quantity_e8)
        self._buyer_is_maker.append(match[4].lower() == b"true")

    def _time_us(self, number: int, time: int) -> int:
        time_us = time if time >= MICROSECONDS_FROM else time * 1000
        if self._times and time_us < self._times[-1]:
            raise _error(self._path, number, "its time is earlier than that of the line before")
        if len(self._times) >= self._trades_max:
            raise _error(self._path, number, f"more than {self._trades_max} trades")
        return time_us

    def trades(self) -> Trades:
        if not self._times:
            raise TradesFileError(f"{self._path} holds no trades.")
        return Trades(
            np.array(self._times, dtype=np.int64),
            np.array(self._prices, dtype=np.int64),
            np.array(self._quantities, dtype=np.int64),
            np.array(self._buyer_is_maker, dtype=np.bool_),
        )


def _opened(path: Path) -> BinaryIO:
    if path.suffix == ".gz":
        return cast(BinaryIO, gzip.GzipFile(path, "rb"))
    return path.open("rb")


def _lines(path: Path, file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Line number from 1 and content of every line but a header; none longer than the limit."""
    number = 0
    while line := file.readline(LINE_BYTES_MAX + 1):
        number += 1
        if len(line) > LINE_BYTES_MAX:
            raise _error(path, number, f"the line is longer than {LINE_BYTES_MAX} bytes")
        if number > 1 or not line.lower().startswith(HEADER_START):
            yield number, line.rstrip(b"\r\n")


def _scaled_e8(text: bytes) -> int:
    whole, _, fraction = text.partition(b".")
    return int(whole + fraction.ljust(DECIMALS, b"0"))


def _error(path: Path, number: int, what: str) -> TradesFileError:
    return TradesFileError(f"{path}, line {number}: {what}.")
