"""Writes a simulation's trades to PostgreSQL while it runs.

Loaded by recorders, which are processes of their own: neither numba nor SQLAlchemy stand behind it.
"""

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from storage.errors import wrapped
from storage.postgres.copy_rows import HEADER, TRAILER, CopyRows
from storage.postgres.database import Link

if TYPE_CHECKING:
    from sim.scenario.scenario import Scenario

Rows = npt.NDArray[np.void]

TRADE_COLUMNS = CopyRows(
    {
        "run_id": "integer",
        "market_no": "smallint",
        "trade_no": "bigint",
        "time_us": "bigint",
        "price_ticks": "bigint",
        "quantity_lots": "bigint",
        "taker_account": "integer",
        "maker_account": "integer",
        "taker_side": "smallint",
    }
)


SESSION = "SET synchronous_commit = off; SET statement_timeout = 60000"
"""Nobody believes these rows before the run's last commit, and that one waits for the disk."""


class TradesMissing(Exception):
    """Trades before the ones given were never given."""


def unwritten(written: list[int], market_no: int, first: int, rows: Rows) -> Rows:
    """Those of the rows that are not written yet.

    A market that went back to a checkpoint gives rows again, and they are the same again.

    written   trades written, by market
    first     number of the first row among all of its market

    Raises TradesMissing.
    """
    if first > written[market_no]:
        raise TradesMissing(
            f"trades {written[market_no]} to {first} of market {market_no} are lost"
        )
    return rows[written[market_no] - first :]


def described(scenario: "Scenario") -> dict[str, str]:
    """What the numbers in a run's rows stand for, as JSON: its markets and strategies."""
    world = scenario.world
    markets = [
        {
            "id": market.spec.market_id,
            "tick_size": str(market.spec.tick_size),
            "lot_size": str(market.spec.lot_size),
        }
        for market in world.markets
    ]
    strategies = [
        {"name": one.name, "strategy": one.strategy, "traders": one.heads}
        for one in world.populations
    ]
    return {"markets": json.dumps(markets), "strategies": json.dumps(strategies)}


def partition(run_id: int) -> str:
    """The table of a run's trades."""
    return f"recorded_trades_{int(run_id)}"


class DatabaseTrades:
    """The trades of one run.

    written   how many of each market are there already; counted on

    Raises DatabaseUnavailable.
    """

    def __init__(self, database_url: str, run_id: int, written: list[int]) -> None:
        self.written = list(written)
        self._run_id = run_id
        self._link = Link(database_url, f"recorder-{run_id}")
        with wrapped():
            self._link().execute(SESSION)

    def write(self, market_no: int, first: int, rows: Rows) -> None:
        """Committed when it returns. Raises DatabaseUnavailable, TradesMissing."""
        rows = unwritten(self.written, market_no, first, rows)
        if len(rows) == 0:
            return
        numbers = np.arange(len(rows), dtype=np.int64) + self.written[market_no]
        own: dict[str, Any] = {"run_id": self._run_id, "market_no": market_no, "trade_no": numbers}
        values = {name: rows[name] for name in rows.dtype.names or ()}
        statement = f"COPY {partition(self._run_id)} FROM STDIN (FORMAT binary)"
        with wrapped(), self._link().cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(HEADER)
            copy.write(TRADE_COLUMNS.encoded({**own, **values}, len(rows)))
            copy.write(TRAILER)
        self.written[market_no] += len(rows)

    def end(self) -> None:
        """Nothing more comes."""
        self._link.close()
