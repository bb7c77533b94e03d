"""What a population knows of itself, learned from events alone: positions and resting orders.

Events decide, not intentions: an order that was refused never appears, one that
somebody else withdrew disappears, and a lost answer leaves no ghost.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.populations.held_orders import (
    COUNTERS,
    HELD_ORDER,
    LIVE,
    TRADER,
    learn_events,
    list_orders,
)
from sim.populations.population import Integers
from sim.rows.messages import Rows, Side

ORDERS_AT_FIRST = 64


@dataclass(frozen=True)
class RestingOrders:
    """Open orders of some traders: int64 arrays of one length, by trader, oldest first of each.

    traders          place in the population
    rows             place among the traders who were asked for
    sides            a Side
    remaining_lots   > 0
    """

    traders: Integers
    rows: Integers
    ids: Integers
    sides: Integers
    prices_ticks: Integers
    remaining_lots: Integers

    def __len__(self) -> int:
        return len(self.ids)

    def open_lots(self, side: Side, traders: int) -> Integers:
        """Lots resting on one side, by trader: int64 (traders,)."""
        total = np.zeros(traders, dtype=np.int64)
        mine = self.sides == side
        np.add.at(total, self.traders[mine], self.remaining_lots[mine])
        return total

    def counts(self, traders: int) -> Integers:
        """Open orders by trader: int64 (traders,)."""
        return np.bincount(self.traders, minlength=traders).astype(np.int64)


class Holdings:
    """Positions (lots, long positive) and resting orders of one population in one market.

    traders        TRADER rows
    order_slots    HELD_ORDER rows; counters: see held_orders.py
    """

    def __init__(self, accounts: range) -> None:
        self.accounts = accounts
        self.traders: Rows = np.zeros(len(accounts), TRADER)
        self._forget_orders()

    def _forget_orders(self) -> None:
        for name in ("buying_lots", "selling_lots", "newest", "orders"):
            self.traders[name] = 0
        self.order_slots: Rows = np.zeros(ORDERS_AT_FIRST, HELD_ORDER)
        self.counters: Integers = np.zeros(COUNTERS, np.int64)

    @property
    def positions_lots(self) -> Integers:
        """By trader; a view of what this population counts."""
        positions: Integers = self.traders["position_lots"]
        return positions

    @positions_lots.setter
    def positions_lots(self, positions_lots: Integers) -> None:
        self.traders["position_lots"] = positions_lots

    def enter(self, positions_lots: Integers | None) -> None:
        """All orders are gone; positions are as told, or as counted where None."""
        self._forget_orders()
        if positions_lots is not None:
            self.positions_lots = positions_lots

    def learn(self, packed: Integers) -> None:
        """What happened to these traders, in the market's order, as in rows/packed.py."""
        done = 0
        while True:
            kept = (self.traders, self.order_slots, self.counters)
            done = learn_events(*kept, packed, done)
            if done == len(packed):
                return
            room = np.zeros(len(self.order_slots), HELD_ORDER)
            self.order_slots = np.concatenate([self.order_slots, room])

    @property
    def open_orders(self) -> int:
        """How many orders rest."""
        return int(self.counters[LIVE])

    def orders_count(self, traders: Integers) -> int:
        """How many orders the traders at these places have open."""
        return int(self.traders["orders"][traders].sum())

    @property
    def orders(self) -> RestingOrders:
        """All open orders."""
        return self.orders_of(np.arange(len(self.accounts)))

    def orders_of(self, traders: Integers) -> RestingOrders:
        """The open orders of traders at these places."""
        rows = np.empty((self.orders_count(traders), 6), np.int64)
        list_orders(self.traders, self.order_slots, traders, rows)
        who, row, ids, sides, prices_ticks, lots = rows.T
        return RestingOrders(who, row, ids, sides, prices_ticks, lots)

    def room_lots(self, sides: Integers, traders: Integers, limit_lots: int) -> Integers:
        """What these traders may still order on these sides, open orders counted: int64, ≥ 0."""
        theirs: npt.NDArray[np.void] = self.traders[traders]
        position = theirs["position_lots"]
        long, short = position + theirs["buying_lots"], theirs["selling_lots"] - position
        room: Integers = limit_lots - np.where(sides == Side.BUY, long, short)
        return np.maximum(room, 0)
