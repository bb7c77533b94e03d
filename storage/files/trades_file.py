"""Reads real trades from a file as Binance publishes them: CSV, plain, gzipped or zipped.

Trades, aggregated trades and candles are told apart by their columns (trades_formats.py), files
by their first bytes and not by their names. A header line may stand first and an empty line last.
Times are milliseconds, or microseconds in newer files; the two are told apart by their size.
"""

import gzip
import zipfile
import zlib
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import IO, cast

import numpy as np
import numpy.typing as npt

from storage.files.trades_formats import DECIMALS as DECIMALS
from storage.files.trades_formats import FORMATS, Format, Point, format_of, is_header
from storage.regular_file import open_regular

TRADES_MAX = 50_000_000
"""More trades than any market sees in a day; 25 bytes each in memory."""

LINE_BYTES_MAX = 256
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
GZIP_START, ZIP_START = b"\x1f\x8b", b"PK\x03\x04"

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
    are_candles        prices of candles: each its open and its close, of no quantity
    """

    times_us: npt.NDArray[np.int64]
    prices_ticks: npt.NDArray[np.int64]
    quantities_e8: npt.NDArray[np.int64]
    buyer_is_maker: npt.NDArray[np.bool_]
    are_candles: bool = False

    def __len__(self) -> int:
        return len(self.times_us)


def read_trades(path: Path, tick_size: Decimal, *, trades_max: int = TRADES_MAX) -> Trades:
    """All trades of the file, prices on the grid of `tick_size`. Raises TradesFileError."""
    columns = _Columns(path, int(tick_size.scaleb(DECIMALS)), trades_max)
    try:
        with _opened(path) as file:
            for number, line in _lines(path, file):
                columns.add(number, line)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise TradesFileError(f"{path} cannot be read: {said}.") from error
    return columns.trades()


def read_traded(path: Path, tick_size: Decimal) -> Trades:
    """Trades that somebody made: candles are refused. Raises TradesFileError."""
    trades = read_trades(path, tick_size)
    if trades.are_candles:
        raise TradesFileError(f"{path} holds candles, allowed here are trades.")
    return trades


def nearest_tick(price_e8: int, tick_e8: int) -> int:
    """A price in 10**-8 to the nearest tick, halves up."""
    return (2 * price_e8 + tick_e8) // (2 * tick_e8)


class _Columns:
    """The arrays under construction, and what the last line said."""

    def __init__(self, path: Path, tick_e8: int, trades_max: int) -> None:
        self._path, self._tick_e8, self._trades_max = path, tick_e8, trades_max
        self._times, self._prices = array("q"), array("q")
        self._quantities, self._buyer_is_maker = array("q"), array("b")
        self._format: Format | None = None

    def add(self, number: int, line: bytes) -> None:
        self._format = self._format or format_of(line)
        match = self._format.pattern.fullmatch(line) if self._format else None
        if match is None or self._format is None:
            expected = " or ".join(one.columns for one in self._expected)
            shown = line[:60].decode("ascii", "replace")
            raise _error(self._path, number, f"expected {expected}, found {shown!r}")
        for point in self._format.points(match):
            self._add_point(number, point)

    @property
    def _expected(self) -> tuple[Format, ...]:
        return (self._format,) if self._format else FORMATS

    def _add_point(self, number: int, point: Point) -> None:
        price_ticks = nearest_tick(point.price_e8, self._tick_e8)
        if price_ticks < 1 or point.quantity_e8 < 1:
            raise _error(self._path, number, "price and quantity must be greater than zero")
        self._times.append(self._time_us(number, point.time))
        self._prices.append(price_ticks)
        self._quantities.append(point.quantity_e8)
        self._buyer_is_maker.append(point.buyer_is_maker)

    def _time_us(self, number: int, time: int) -> int:
        time_us = time if time >= MICROSECONDS_FROM else time * 1000
        if self._times and time_us < self._times[-1]:
            raise _error(self._path, number, "its time is earlier than that of the line before")
        if len(self._times) >= self._trades_max:
            raise _error(self._path, number, f"more than {self._trades_max} trades")
        return time_us

    def trades(self) -> Trades:
        if not self._times or self._format is None:
            raise TradesFileError(f"{self._path} holds no trades.")
        return Trades(
            np.array(self._times, dtype=np.int64),
            np.array(self._prices, dtype=np.int64),
            np.array(self._quantities, dtype=np.int64),
            np.array(self._buyer_is_maker, dtype=np.bool_),
            not self._format.holds_trades,
        )


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The text of a file, unpacked as it is read."""
    with open_regular(path) as file:
        start = file.read(len(ZIP_START))
        file.seek(0)
        if start.startswith(GZIP_START):
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield cast(IO[bytes], unpacked)
        elif start == ZIP_START:
            with zipfile.ZipFile(file) as archive, archive.open(_only_file(path, archive)) as one:
                yield one
        else:
            yield file


def _only_file(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    files = [one for one in archive.infolist() if not one.is_dir()]
    if len(files) != 1 or files[0].flag_bits & 1:
        raise TradesFileError(f"{path} must hold one file that is not encrypted, as Binance's do.")
    return files[0]


def _lines(path: Path, file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Line number from 1 and content of every line but a header and empty last ones; none longer
    than the limit."""
    number = empty = 0
    while line := file.readline(LINE_BYTES_MAX + 1):
        number += 1
        if len(line) > LINE_BYTES_MAX:
            raise _error(path, number, f"the line is longer than {LINE_BYTES_MAX} bytes")
        text = line.rstrip(b"\r\n")
        if number == 1:
            text = text.removeprefix(BYTE_ORDER_MARK)
            if is_header(text):
                continue
        if empty and text:
            raise _error(path, empty, "the line is empty")
        empty = empty or (0 if text else number)
        if text:
            yield number, text


def _error(path: Path, number: int, what: str) -> TradesFileError:
    return TradesFileError(f"{path}, line {number}: {what}.")
