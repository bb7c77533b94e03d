"""What one market of a simulation writes down for the report: trades, quotes, standings."""

from typing import Any

import numpy as np
import numpy.typing as npt

from sim.money.accounts import MarketAccounts
from sim.record.run import QUOTE, TRADE
from sim.rows.kernels import Number, cached_kernel, inlined
from sim.rows.messages import EventKind, Rows

Integers = npt.NDArray[np.int64]

TRADES_KEPT_MAX = 5_000_000
"""Of one market, 48 bytes each; later ones are left out."""

SAMPLED_ONE_OF = 16
TRADE_KIND = int(EventKind.TRADE)
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
        found = trade_rows(events, SAMPLED_ONE_OF if self._record == "sampled" else 1)
        if len(found):
            self._keep(found)

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


def trade_rows(events: Rows, one_of: int = 1) -> Rows:
    """The TRADE rows among EVENT rows; of these, those whose number `one_of` divides."""
    rows = np.empty(count_trades(events, one_of), TRADE)
    write_trades(events, one_of, rows)
    return rows


@inlined
def _is_told(event: Number, one_of: int) -> Number:
    return event.kind == TRADE_KIND and (one_of == 1 or event.event_seq % one_of == 0)


@cached_kernel()
def count_trades(events: Rows, one_of: int) -> Number:
    """How many rows `write_trades` writes."""
    count = 0
    for place in range(len(events)):
        if _is_told(events[place], one_of):
            count += 1
    return count


@cached_kernel()
def write_trades(events: Rows, one_of: int, rows: Rows) -> None:
    """Fill TRADE rows from EVENT rows, in their order."""
    count = 0
    for place in range(len(events)):
        event: Number = events[place]
        if _is_told(event, one_of):
            row: Number = rows[count]
            row.time_us = event.time_us
            row.price_ticks = event.price_ticks
            row.quantity_lots = event.quantity_lots
            row.taker_account = event.account_id
            row.maker_account = event.maker_account_id
            row.taker_side = event.side
            count += 1
