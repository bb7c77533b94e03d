"""Logs of pools: what happened in one, row by row (CSV, plain or gzipped), and beside it how the
pool stood before (X.csv has X.start.json, or that gzipped). The format is in docs/pools.md.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NoReturn, cast

from sim.backtest.log import Change, LoggedChange, LoggedSwap, LogRow, PoolLog
from sim.backtest.market import opened
from sim.chain.addresses import address_of_text
from sim.pool.positions import PositionKey
from sim.pool.reverts import Reverted
from sim.pool.swapping import Order
from sim.pool.tick_math import MAX_SQRT_RATIO, MAX_TICK, MIN_SQRT_RATIO, MIN_TICK
from storage.files.swap_log_start import Start, read_start, start_in
from storage.files.swap_log_start import SwapLogError as SwapLogError
from storage.regular_file import open_regular

COLUMNS = (
    *("block", "time", "tx_hash", "log_index", "op", "kind", "amount_specified"),
    *("sqrt_price_limit", "amount0", "amount1", "sqrt_price_x96", "liquidity", "tick"),
    *("owner", "tick_lower", "tick_upper", "liquidity_delta"),
)
SWAP, KINDS = "swap", ("in", "out", "limit")
OPERATIONS = (SWAP, *Change)
LINE_CHARACTERS_MAX = 2_000
ROWS_MAX = 2_000_000
BLOCKS_MAX = 3_000_000
"""More than a year of them."""

DIGITS_MAX = 78
BLOCK_MAX, TIME_MAX, INDEX_MAX = 10**12, 2**32 - 1, 10**9
AMOUNT_MAX = 2**255 - 1
GZIP_START = b"\x1f\x8b"
SHOWN_MAX = 60


def read_swap_log(path: Path) -> PoolLog:
    """The log, with how the pool stood before it. Raises SwapLogError."""
    start = read_start(_start_beside(path))
    try:
        with _opened(path) as file:
            return _log(_plain_name(path.name), start, path, file)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise SwapLogError(f"{path} cannot be read: {said}.") from error


def swap_log_in(name: str, swaps: str, start: str, called: tuple[str, str]) -> PoolLog:
    """Of the text of a log and of its start, as errors call the two. Raises SwapLogError."""
    return _log(name, start_in(start, called[1]), called[0], io.BytesIO(swaps.encode()))


def _log(name: str, start: Start, path: Path | str, file: IO[bytes]) -> PoolLog:
    rows = tuple(_Rows(path, start).rows(_lines(path, file)))
    if not rows:
        raise SwapLogError(f"{path} has no rows, allowed is at least one.")
    log = PoolLog(name, start.pool, start.sqrt_price_x96, start.positions, rows)
    _check(start, log)
    return log


def _start_beside(path: Path) -> Path:
    plain = path.with_name(f"{_plain_name(path.name)}.start.json")
    packed = plain.with_name(f"{plain.name}.gz")
    for one in (plain, packed):
        if one.exists():
            return one
    raise SwapLogError(
        f"{path} says what happened in a pool, and nothing says how that stood before: allowed is"
        f" {plain.name} or {packed.name} beside it."
    )


def _plain_name(name: str) -> str:
    return name.removesuffix(".gz").removesuffix(".csv")


def _check(start: Start, log: PoolLog) -> None:
    """The positions make the pool that the start says. Raises SwapLogError."""
    try:
        state = opened(log).state
    except Reverted as reverted:
        raise SwapLogError(
            f"{start.path}: start: no pool has these positions at this price: {reverted.reason}."
        ) from reverted
    for name, found, said in (
        ("tick", state.tick, start.tick),
        ("liquidity", state.liquidity, start.liquidity),
    ):
        if found != said:
            raise SwapLogError(
                f"{start.path}: start.{name}: found {said}, allowed is {found}, which price and"
                " positions give."
            )


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with open_regular(path) as file:
        if file.peek(2)[:2] != GZIP_START:
            yield file
            return
        with gzip.open(file) as unpacked:
            yield cast(IO[bytes], unpacked)


def _lines(path: Path | str, file: IO[bytes]) -> Iterator[str]:
    """Each no longer than the limit."""
    number = 0
    while line := file.readline(LINE_CHARACTERS_MAX + 1):
        number += 1
        if len(line) > LINE_CHARACTERS_MAX:
            raise SwapLogError(
                f"{path}, line {number}: the line is longer than {LINE_CHARACTERS_MAX} characters."
            )
        yield line.decode()


class _Rows:
    """Reads row after row, and knows the line that it is at."""

    def __init__(self, path: Path | str, start: Start) -> None:
        self._path, self._spacing = path, start.pool.tick_spacing
        self._line = 1
        self._row: dict[str, str] = {}

    def rows(self, lines: Iterator[str]) -> Iterator[LogRow]:
        reader = csv.reader(lines, strict=True)
        try:
            if tuple(next(reader, ())) != COLUMNS:
                self._refuse(f"the columns must be {','.join(COLUMNS)}")
            first: LogRow | None = None
            before: LogRow | None = None
            for count, fields in enumerate(reader, 1):
                self._line = reader.line_num
                row = self._read(fields)
                first = first or row
                self._check_order(first, before, row)
                if count > ROWS_MAX:
                    self._refuse(f"more than {ROWS_MAX} rows")
                yield row
                before = row
        except csv.Error as error:
            self._line = reader.line_num
            self._refuse(f"it is not CSV: {error}")

    def _read(self, fields: list[str]) -> LogRow:
        if len(fields) != len(COLUMNS):
            self._refuse(f"found {len(fields)} fields, allowed are {len(COLUMNS)}")
        self._row = dict(zip(COLUMNS, fields, strict=True))
        op = self._word("op", OPERATIONS)
        what = self._swap() if op == SWAP else self._change(Change(op))
        return LogRow(
            self._number("block", 1, BLOCK_MAX),
            self._number("time", 1, TIME_MAX),
            self._number("log_index", 0, INDEX_MAX),
            what,
        )

    def _check_order(self, first: LogRow, before: LogRow | None, row: LogRow) -> None:
        if row.block - first.block >= BLOCKS_MAX:
            self._refuse(f"the log goes through more than {BLOCKS_MAX} blocks")
        if before is None:
            return
        if (row.block, row.index) <= (before.block, before.index):
            self._refuse("block and log_index must be behind those of the line before")
        if (row.block > before.block) != (row.time_s > before.time_s) or row.time_s < before.time_s:
            self._refuse("time must be one in each block, and later in a later block")

    def _swap(self) -> LoggedSwap:
        self._word("kind", KINDS)
        amount = self._number("amount_specified", -AMOUNT_MAX, AMOUNT_MAX)
        if amount == 0:
            self._refuse("amount_specified: found 0, allowed is any other whole number")
        limit_x96 = self._number("sqrt_price_limit", MIN_SQRT_RATIO + 1, MAX_SQRT_RATIO - 1)
        amount0 = self._number("amount0", -AMOUNT_MAX, AMOUNT_MAX)
        amount1 = self._number("amount1", -AMOUNT_MAX, AMOUNT_MAX)
        if amount0 * amount1 > 0 or amount0 == amount1 == 0:
            self._refuse("amount0, amount1: allowed is one into the pool (positive), one out of it")
        price_x96 = self._number("sqrt_price_x96", MIN_SQRT_RATIO, MAX_SQRT_RATIO - 1)
        zero_for_one = amount0 > 0 or amount1 < 0
        return LoggedSwap(Order(zero_for_one, amount, limit_x96), price_x96)

    def _change(self, kind: Change) -> LoggedChange:
        try:
            owner = address_of_text(self._row["owner"])
        except ValueError:
            self._refuse_found("owner", "0x and 40 hexadecimal digits")
        key = PositionKey(owner, self._tick("tick_lower"), self._tick("tick_upper"))
        if key.tick_lower >= key.tick_upper:
            self._refuse_found("tick_upper", "a tick above tick_lower")
        if kind is Change.COLLECT:
            return LoggedChange(kind, key, 0)
        least, most = (1, 2**127 - 1) if kind is Change.MINT else (1 - 2**127, 0)
        return LoggedChange(kind, key, abs(self._number("liquidity_delta", least, most)))

    def _tick(self, name: str) -> int:
        tick = self._number(name, MIN_TICK, MAX_TICK)
        if tick % self._spacing:
            self._refuse_found(name, f"a multiple of the pool's spacing, {self._spacing}")
        return tick

    def _number(self, name: str, least: int, most: int) -> int:
        text = self._row[name]
        digits = text.removeprefix("-")
        is_number = digits.isascii() and digits.isdecimal() and len(digits) <= DIGITS_MAX
        if not is_number or not least <= int(text) <= most:
            self._refuse_found(name, f"a whole number from {least} to {most}")
        return int(text)

    def _word(self, name: str, allowed: tuple[str, ...]) -> str:
        if self._row[name] not in allowed:
            self._refuse_found(name, f"one of {', '.join(allowed)}")
        return self._row[name]

    def _refuse_found(self, name: str, allowed: str) -> NoReturn:
        found = repr(self._row[name])[:SHOWN_MAX]
        self._refuse(f"{name}: found {found}, allowed is {allowed}")

    def _refuse(self, what: str) -> NoReturn:
        raise SwapLogError(f"{self._path}, line {self._line}: {what}.")
