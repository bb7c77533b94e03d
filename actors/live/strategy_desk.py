"""What a market keeps for its strategies: cursors, accounts, and events they have not seen."""

from dataclasses import dataclass, field

import numpy as np

from actors.live.inbox import Registration
from sim.hosting.host import MarketHost
from sim.populations.population import Integers, StrategyReply
from sim.rows.messages import CommandKind, Rows, empty_commands
from sim.rows.packed import NO_PACKED, joined_packed
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

    def __init__(self, host: MarketHost, cursors: dict[int, int]) -> None:
        self._host = host
        self._admitted: dict[int, _Admitted] = {}
        self.cursors = dict(cursors)

    def last_batch(self, strategy_no: int) -> int:
        """The last batch of a strategy that was applied; 0 for none."""
        return self.cursors.get(strategy_no, 0)

    def admit(self, item: Registration) -> None:
        """Remember whose events a strategy wants."""
        self._admitted[item.strategy_no] = _Admitted(
            range(item.first_account, item.last_account + 1)
        )
        self._host.tell_to([admitted.accounts for admitted in self._admitted.values()])

    def withdrawal(self, item: Registration, time_us: int) -> Rows:
        """CANCEL rows for what the strategy's accounts have in the book."""
        orders = self._host.engine.open_orders()
        accounts = orders["account_id"]
        own = orders[(accounts >= item.first_account) & (accounts <= item.last_account)]
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
        self._host.count_volume(events)
        for admitted, own in zip(self._admitted.values(), self._host.told(events), strict=True):
            if len(own):
                admitted.unseen.append(own)
                del admitted.unseen[:-UNSEEN_BATCHES_MAX]

    def reply(self, strategy_no: int) -> StrategyReply:
        """What a strategy is told after its batch; its unseen events are handed over.

        The first reply after a registration also tells what its accounts hold.
        """
        admitted = self._admitted.get(strategy_no)
        view = self._host.view(now_us())
        if admitted is None:
            return StrategyReply(self.last_batch(strategy_no), view, NO_PACKED)
        events = joined_packed(admitted.unseen)
        held = None
        if admitted.is_new:
            lots_of = self._host.engine.position_lots
            held = np.array([lots_of(one) for one in admitted.accounts], np.int64)
        admitted.unseen, admitted.is_new = [], False
        return StrategyReply(self.last_batch(strategy_no), view, events, held)
