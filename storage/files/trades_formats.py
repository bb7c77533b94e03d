"""The lines of Binance's files: trades, aggregated trades and candles, each with its columns."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

DECIMALS = 8
_NUMBER = rb"(\d{1,10}(?:\.\d{1,8})?)"
_LONG = rb"\d{1,18}(?:\.\d{1,18})?"
_COUNT = rb"-?\d{1,18}"
_TIME = rb"(\d{12,16})"
_FLAG = rb"(true|false)"


class Point(NamedTuple):
    """A price at a time, as a line has it: time in its own unit, price and quantity in 10**-8."""

    time: int
    price_e8: int
    quantity_e8: int
    buyer_is_maker: bool


@dataclass(frozen=True)
class Format:
    """One kind of file.

    columns   as its header names them
    begins    how a header line begins, in small letters
    holds_trades   False: prices at times, of which nobody knows who traded
    """

    name: str
    columns: str
    begins: bytes
    pattern: re.Pattern[bytes]
    points: Callable[[re.Match[bytes]], tuple[Point, ...]]
    holds_trades: bool = True


def scaled_e8(text: bytes) -> int:
    """Decimal text with at most eight decimals, in 10**-8."""
    whole, _, fraction = text.partition(b".")
    return int(whole + fraction.ljust(DECIMALS, b"0"))


def _trade(line: re.Match[bytes]) -> tuple[Point, ...]:
    price, quantity, time, maker = line.groups()
    return (Point(int(time), scaled_e8(price), scaled_e8(quantity), maker.lower() == b"true"),)


def _candle(line: re.Match[bytes]) -> tuple[Point, ...]:
    """Its open and its close: when it was highest and lowest it does not say."""
    opened, first, _high, _low, last, _volume, closed = line.groups()
    return (
        Point(int(opened), scaled_e8(first), 1, False),
        Point(int(closed), scaled_e8(last), 1, False),
    )


def _line(*columns: bytes) -> re.Pattern[bytes]:
    return re.compile(b",".join(columns), re.IGNORECASE)


TRADES = Format(
    "trades",
    "id,price,qty,quote_qty,time,is_buyer_maker",
    b"id,",
    _line(_COUNT, _NUMBER, _NUMBER, _LONG, _TIME, _FLAG + rb"(?:,(?:true|false))?"),
    _trade,
)
AGGREGATED_TRADES = Format(
    "aggregated trades",
    "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker",
    b"agg_trade_id,",
    _line(_COUNT, _NUMBER, _NUMBER, _COUNT, _COUNT, _TIME, _FLAG + rb"(?:,(?:true|false))?"),
    _trade,
)
CANDLES = Format(
    "candles",
    "open_time,open,high,low,close,volume,close_time,…",
    b"open_time,",
    _line(_TIME, *(_NUMBER,) * 4, rb"(" + _LONG + rb")", _TIME, *(_LONG,) * 4, _LONG),
    _candle,
    holds_trades=False,
)
FORMATS = (TRADES, AGGREGATED_TRADES, CANDLES)
"""A line of one is never a line of another."""


def format_of(line: bytes) -> Format | None:
    """The kind of file whose header, or else whose line this is; None for neither."""
    small = line.lower()
    for one in FORMATS:
        if small.startswith(one.begins) or one.pattern.fullmatch(line):
            return one
    return None


def is_header(line: bytes) -> bool:
    """Whether a line names columns."""
    return any(line.lower().startswith(one.begins) for one in FORMATS)
