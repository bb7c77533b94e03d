"""What every strategy is: a population of traders that sees views and sends rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from sim.market import MarketSpec
from sim.rows.messages import Rows
from sim.units import PPM

Integers = npt.NDArray[np.int64]

CANDLE_COLUMNS = 6
"""Of a table of candles: opening time in µs, open, high, low and close in ticks, volume in lots."""


@dataclass(frozen=True)
class MarketView:
    """What a strategy sees of one market. Prices in ticks, 0 = none.

    event_seq    the last event this view includes
    bids, asks   int64 (n, 3): price_ticks, quantity_lots, orders; best level first
    volume_lots  traded in this market so far; 0 where nobody counts
    activity_ppm  how much more often than usual everybody acts now: see activity.py
    open_ticks, high_ticks, low_ticks   of what was traded since the view before, whose close is
                 `last_price_ticks`; 0 where nothing was, or nobody notes it
    """

    spec: MarketSpec
    event_seq: int
    time_us: int
    index_ticks: int
    mark_ticks: int
    best_bid_ticks: int
    best_ask_ticks: int
    last_price_ticks: int
    bids: Integers
    asks: Integers
    volume_lots: int = 0
    activity_ppm: int = PPM
    open_ticks: int = 0
    high_ticks: int = 0
    low_ticks: int = 0


@dataclass(frozen=True)
class StrategyReply:
    """A market's answer to a strategy.

    batch_no         last batch of this strategy the market has applied
    events           what happened to its accounts since its last reply, as in rows/packed.py
    positions_lots   to a registration: int64, one per account, what the market has them
                     holding. None: not told, the strategy goes on with what it counted
    """

    batch_no: int
    view: MarketView
    events: Integers
    positions_lots: Integers | None = None


@dataclass(frozen=True)
class Endowment:
    """What each trader of a simulated population begins with, for one that reckons with it.

    past   of each market int64 (n, CANDLE_COLUMNS): candles before the start, oldest first
    """

    capital_atoms: int
    leverage: int
    specs: Sequence[MarketSpec]
    past: Sequence[Integers]


class Population(Protocol):
    """Traders of one strategy on some markets; `market` is the place of a market in `views`."""

    accounts: range

    def enter(self, market: int, life: int, positions_lots: Integers | None) -> None:
        """The market has withdrawn all orders of these accounts: forget them.

        life             keys the dice; differs from one start of the strategy to the next
        positions_lots   as in StrategyReply
        """

    def learn(self, market: int, packed: Integers) -> None:
        """What happened to its accounts, in the market's order, as in rows/packed.py."""

    def act(self, step: int, views: Sequence[MarketView | None]) -> list[Rows]:
        """COMMAND rows for each market; none for a market whose view is None.

        order_id is 0 in PLACE rows (the host stamps ids) and the id learned from
        RESTED in CANCEL rows. A trader's cancels stand before its places.
        """


def bounded(default: int, minimum: int, maximum: int) -> Any:
    """A field of a strategy's parameters with the range a scenario may set it in."""
    return field(default=default, metadata={"minimum": minimum, "maximum": maximum})
