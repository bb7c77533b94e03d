"""What one market of a simulation writes down for the report: trades, quotes, standings."""

from typing import Any

import numpy as np
import numpy.typing as npt

from sim.array_accounts import MarketAccounts
from sim.messages import EventKind, Rows
from sim.run_record import QUOTE, TRADE

Integers = npt.NDArray[np.int64]

TRADES_KEPT_MAX = 5_000_000
"""Of one market, 48 bytes each; later ones are left out."""

SAMPLED_ONE_OF = 16
VALUE, PAID, FUNDED, TRADED, HELD = range(5)
"""Columns of a strategy's sums in one market: gain, fees, funding, volume in atoms; lots held."""


class Tape:
    """record: none, sampled or all. strategies: the accounts of each, in order."""

    def __init__(self, record: str, strategies: list[range]) -> None:
        self._record, self._strategies = record, strategies
        self._trades: list[Rows] = []
        self._untaken: list[Rows] = []
        self._counted, self._kept, self._handing_out = 0, 0, False
        self._quotes: list[tuple[int, ...]] = []
        self._sums: list[Integers] = []

    def note_trades(self, events: Rows) -> None:
        """The TRADE rows among a step's events."""
        if self._record == "none":
            return
        found = events[events["kind"] == EventKind.TRADE]
        if self._record == "sampled":
            found = found[found["event_seq"] % SAMPLED_ONE_OF == 0]
        if len(found):
            self._keep(trade_rows(found))

    def _keep(self, rows: Rows) -> None:
        self._counted += len(rows)
        if self._kept < TRADES_KEPT_MAX:
            self._trades.append(rows)
            self._kept += len(rows)
        if self._handing_out:
            self._untaken.append(rows)

    def hand_out(self, written: int) -> None:
        """Keep new trades for `taken`, and of those so far all after the first `written`.

        Raises LookupError where these are not kept any more.
        """
        missing = self._counted - written
        if missing < 0 or (missing > 0 and self._kept < self._counted):
            raise LookupError(f"{missing} trades are not kept any more")
        self._handing_out, self._untaken = True, [self.trades[written:]] if missing else []

    def taken(self) -> tuple[int, Rows]:
        """TRADE rows since the last call, after the number of those before them."""
        rows = np.concatenate([np.empty(0, TRADE), *self._untaken])
        self._untaken = []
        return self._counted - len(rows), rows

    def keep_only(self) -> None:
        """Nobody calls `taken` any more."""
        self._handing_out, self._untaken = False, []

    def note_quote(self, quote: tuple[int, ...]) -> None:
        """One QUOTE."""
        self._quotes.append(quote)

    def note_standings(self, accounts: MarketAccounts, mark_ticks: int) -> None:
        """Sums of each strategy, as columns VALUE to HELD."""
        sums = np.zeros((len(self._strategies), 5), np.int64)
        for place, ids in enumerate(self._strategies):
            sums[place] = accounts.standings(ids.start, ids.stop, mark_ticks)
        self._sums.append(sums)

    @property
    def trades(self) -> Rows:
        """TRADE rows so far."""
        return np.concatenate([np.empty(0, TRADE), *self._trades])

    @property
    def quotes(self) -> Rows:
        """QUOTE rows so far."""
        return np.array(self._quotes, QUOTE)

    @property
    def sums(self) -> Integers:
        """int64 (samples, strategies, 5)."""
        return np.array(self._sums, np.int64).reshape(-1, len(self._strategies), 5)

    def state(self) -> dict[str, Any]:
        """What `restore` takes."""
        handed = (self._counted, self._handing_out, list(self._untaken))
        trades, quotes, sums = self.trades, self.quotes, self.sums
        return {"trades": trades, "quotes": quotes, "sums": sums, "handed": handed}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `state()`."""
        self._trades, self._kept = [state["trades"]], len(state["trades"])
        self._counted, self._handing_out, self._untaken = state["handed"]
        self._quotes = state["quotes"].tolist()
        self._sums = list(state["sums"])


def trade_rows(events: Rows) -> Rows:
    """EVENT rows of trades as TRADE rows."""
    rows = np.empty(len(events), TRADE)
    for name in ("time_us", "price_ticks", "quantity_lots"):
        rows[name] = events[name]
    rows["taker_account"], rows["maker_account"] = events["account_id"], events["maker_account_id"]
    rows["taker_side"] = events["side"]
    return rows
