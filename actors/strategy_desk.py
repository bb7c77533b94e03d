"""What a market keeps for its strategies: cursors, accounts, and events they have not seen."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from actors.inbox import Registration
from sim.engine import MarketEngine
from sim.market import MarketSpec
from sim.messages import EVENT, CommandKind, EventKind, Rows, empty_commands
from sim.populations.population import MarketView, StrategyReply
from storage.database import now_us

UNSEEN_BATCHES_MAX = 10_000
"""Event batches kept for a strategy that does not ask; older ones are forgotten."""

VIEW_LEVELS = 20


@dataclass
class _Admitted:
    first_account: int
    last_account: int
    unseen: list[Rows] = field(default_factory=list)
    is_new: bool = True


class StrategyDesk:
    """Knows each strategy by number."""

    def __init__(self, spec: MarketSpec, cursors: dict[int, int]) -> None:
        self._spec = spec
        self._admitted: dict[int, _Admitted] = {}
        self.cursors = dict(cursors)
        self.index_ticks = 0
        self.mark_ticks = 0
        self._volume_lots = 0

    def last_batch(self, strategy_no: int) -> int:
        """The last batch of a strategy that was applied; 0 for none."""
        return self.cursors.get(strategy_no, 0)

    def admit(self, item: Registration) -> None:
        """Remember whose events a strategy wants."""
        self._admitted[item.strategy_no] = _Admitted(item.first_account, item.last_account)

    def withdrawal(self, item: Registration, resting: Rows, time_us: int) -> Rows:
        """CANCEL rows for what the strategy's accounts have in the book."""
        accounts = resting["account_id"]
        own = resting[(accounts >= item.first_account) & (accounts <= item.last_account)]
        rows = empty_commands(own.size)
        rows["kind"] = CommandKind.CANCEL
        rows["order_id"] = own["order_id"]
        rows["account_id"] = own["account_id"]
        return self.stamped(rows, time_us)

    def stamped(self, rows: Rows, time_us: int) -> Rows:
        """A strategy's rows as they are applied: no client number, the market's time."""
        stamped = rows.copy()
        stamped["command_seq"] = 0
        stamped["time_us"] = time_us
        return stamped

    def learn(self, events: Rows, strategies: dict[int, int]) -> None:
        """Note applied batches, and keep each strategy's own events for its next reply."""
        self.cursors.update(strategies)
        traded = events["kind"] == EventKind.TRADE
        self._volume_lots += int(events["quantity_lots"][traded].sum())
        for admitted in self._admitted.values():
            own = between(events["account_id"], admitted) | between(
                events["maker_account_id"], admitted
            )
            if own.any():
                admitted.unseen.append(events[own])
                del admitted.unseen[:-UNSEEN_BATCHES_MAX]

    def reply(self, strategy_no: int, engine: MarketEngine, event_seq: int) -> StrategyReply:
        """What a strategy is told after its batch; its unseen events are handed over.

        The first reply after a registration also tells what its accounts hold.
        """
        admitted = self._admitted.get(strategy_no)
        view = self.view(engine, event_seq)
        if admitted is None:
            return StrategyReply(self.last_batch(strategy_no), view, empty_events())
        events = np.concatenate(admitted.unseen) if admitted.unseen else empty_events()
        held = None
        if admitted.is_new:
            accounts = range(admitted.first_account, admitted.last_account + 1)
            held = np.array([engine.position_lots(account) for account in accounts], np.int64)
        admitted.unseen, admitted.is_new = [], False
        return StrategyReply(self.last_batch(strategy_no), view, events, held)

    def view(self, engine: MarketEngine, event_seq: int) -> MarketView:
        """The market as strategies see it now."""
        bids, asks = engine.depth(VIEW_LEVELS)
        return MarketView(
            spec=self._spec,
            event_seq=event_seq,
            time_us=now_us(),
            index_ticks=self.index_ticks,
            mark_ticks=self.mark_ticks,
            best_bid_ticks=engine.best_bid_ticks,
            best_ask_ticks=engine.best_ask_ticks,
            last_price_ticks=engine.last_price_ticks,
            bids=bids,
            asks=asks,
            volume_lots=self._volume_lots,
        )


def between(accounts: Any, admitted: _Admitted) -> npt.NDArray[np.bool_]:
    """Mask of accounts that are the strategy's."""
    mask: npt.NDArray[np.bool_] = (accounts >= admitted.first_account) & (
        accounts <= admitted.last_account
    )
    return mask


def empty_events() -> Rows:
    """No EVENT rows."""
    return np.empty(0, dtype=EVENT)
