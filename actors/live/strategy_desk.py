"""What a market keeps for its strategies: cursors, accounts, and events they have not seen."""

from dataclasses import dataclass, field

import numpy as np

from actors.live.inbox import Registration
from sim.book.engine import MarketEngine
from sim.hosting.views import levels_of, view_of
from sim.populations.population import Integers, MarketView, StrategyReply
from sim.rows.messages import CommandKind, EventKind, Rows, empty_commands, mark_row
from sim.rows.packed import NO_PACKED, bounds_of, joined_packed, packed_for
from storage.postgres.database import now_us

UNSEEN_BATCHES_MAX = 10_000
"""Event batches kept for a strategy that does not ask; older ones are forgotten."""


@dataclass
class _Admitted:
    accounts: range
    unseen: list[Integers] = field(default_factory=list)
    is_new: bool = True


class StrategyDesk:
    """Knows each strategy by number."""

    def __init__(self, cursors: dict[int, int]) -> None:
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
        self._admitted[item.strategy_no] = _Admitted(
            range(item.first_account, item.last_account + 1)
        )

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

    def after_mark(self, rows: Rows, known_ticks: int) -> Rows:
        """The rows of a batch, behind a SET_MARK row where the book knows another mark than we.

        A batch of nothing stays one: a quiet market writes no rows.
        """
        mark_ticks = self.mark_ticks
        if not len(rows) or mark_ticks <= 0 or mark_ticks == known_ticks:
            return rows
        return np.concatenate([mark_row(mark_ticks, int(rows["time_us"][0])), rows])

    def learn(self, events: Rows, strategies: dict[int, int]) -> None:
        """Note applied batches, and keep each strategy's own events for its next reply."""
        self.cursors.update(strategies)
        traded = events["kind"] == EventKind.TRADE
        self._volume_lots += int(events["quantity_lots"][traded].sum())
        for admitted in self._admitted.values():
            [own] = packed_for(events, bounds_of([admitted.accounts]))
            if len(own):
                admitted.unseen.append(own)
                del admitted.unseen[:-UNSEEN_BATCHES_MAX]

    def reply(self, strategy_no: int, engine: MarketEngine) -> StrategyReply:
        """What a strategy is told after its batch; its unseen events are handed over.

        The first reply after a registration also tells what its accounts hold.
        """
        admitted = self._admitted.get(strategy_no)
        view = self.view(engine)
        if admitted is None:
            return StrategyReply(self.last_batch(strategy_no), view, NO_PACKED)
        events = joined_packed(admitted.unseen)
        held = None
        if admitted.is_new:
            held = np.array([engine.position_lots(one) for one in admitted.accounts], np.int64)
        admitted.unseen, admitted.is_new = [], False
        return StrategyReply(self.last_batch(strategy_no), view, events, held)

    def view(self, engine: MarketEngine) -> MarketView:
        """The market as strategies see it now."""
        prices_ticks = (self.index_ticks, self.mark_ticks)
        return view_of(engine, levels_of(engine), now_us(), prices_ticks, self._volume_lots)
