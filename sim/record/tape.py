"""A tape of trades, real or simulated, in the four arrays that every statistic needs."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.rows.messages import Rows, Side

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SECOND_US = 1_000_000
GRID_POINTS_MAX = 2_000_000
"""More than the seconds of three weeks; a longer tape is read up to there."""


@dataclass(frozen=True)
class Tape:
    """Trades, oldest first: int64 arrays of one length.

    name       what the columns of a table call it
    time_us    not decreasing
    price      > 0, in any unit: only ratios are used
    quantity   > 0, in any unit
    side       +1 where the taker bought, −1 where it sold
    taker      who took; equal throughout where nobody knows
    """

    name: str
    time_us: Integers
    price: Integers
    quantity: Integers
    side: Integers
    taker: Integers

    def __len__(self) -> int:
        return len(self.time_us)

    @property
    def span_us(self) -> int:
        """Time from the first trade to the last."""
        return int(self.time_us[-1] - self.time_us[0]) if len(self) else 0


@dataclass(frozen=True)
class TakenOrders:
    """What takers sent: arrays of one length, oldest first.

    time_us, side   int64, of the order
    quantity        int64, filled in all
    first_price, last_price   int64, of its first and last fill
    """

    time_us: Integers
    side: Integers
    quantity: Integers
    first_price: Integers
    last_price: Integers


@dataclass(frozen=True)
class Bars:
    """A tape on a grid of equal intervals: float64 arrays of one length.

    returns   log of the last price at the end of the interval less that at its start
    volume    traded within it
    """

    interval_us: int
    returns: Floats
    volume: Floats


def real_tape(
    name: str,
    time_us: Integers,
    price_ticks: Integers,
    quantity: Integers,
    buyer_is_maker: npt.NDArray[np.bool_],
) -> Tape:
    """Trades as an exchange publishes them: who took is not known."""
    side = np.where(buyer_is_maker, -1, 1).astype(np.int64)
    return Tape(name, time_us, price_ticks, quantity, side, np.zeros(len(time_us), np.int64))


def simulated_tape(name: str, trades: Rows) -> Tape:
    """TRADE rows of a simulation, in the order of their time."""
    trades = trades[np.argsort(trades["time_us"], kind="stable")]
    side = np.where(trades["taker_side"] == Side.BUY, 1, -1).astype(np.int64)
    columns: list[Any] = [
        np.ascontiguousarray(trades[column])
        for column in ("time_us", "price_ticks", "quantity_lots", "taker_account")
    ]
    return Tape(name, columns[0], columns[1], columns[2], side, columns[3])


def taken_orders(tape: Tape) -> TakenOrders:
    """Neighbouring fills of one moment, side and taker are one order.

    As Lillo and Farmer, "The long memory of the efficient market" (2004), who
    count a market order that met several resting ones once.
    """
    if len(tape) == 0:
        none = np.zeros(0, np.int64)
        return TakenOrders(none, none, none, none, none)
    new = np.ones(len(tape), np.bool_)
    new[1:] = (np.diff(tape.time_us) != 0) | (np.diff(tape.side) != 0) | (np.diff(tape.taker) != 0)
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(tape)) - 1
    quantity = np.add.reduceat(tape.quantity, first)
    return TakenOrders(
        tape.time_us[first], tape.side[first], quantity, tape.price[first], tape.price[last]
    )


def bars(tape: Tape, interval_us: int) -> Bars:
    """Returns and volumes of whole intervals from the first trade on; a quiet one returns 0."""
    count = min(tape.span_us // interval_us, GRID_POINTS_MAX) if len(tape) else 0
    if count == 0:
        return Bars(interval_us, np.zeros(0), np.zeros(0))
    edges = tape.time_us[0] + interval_us * np.arange(count + 1)
    last = np.searchsorted(tape.time_us, edges, side="right") - 1
    logs = np.log(tape.price[last].astype(np.float64))
    traded = np.cumsum(tape.quantity.astype(np.float64))[last]
    return Bars(interval_us, np.diff(logs), np.diff(traded))
