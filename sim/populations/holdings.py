"""What a population knows of itself, learned from events alone: positions and resting orders.

Events decide, not intentions: an order that was refused never appears, one that
somebody else withdrew disappears, and a lost answer leaves no ghost.
"""

from dataclasses import dataclass

import numpy as np

from sim.messages import EventKind, Rows, Side
from sim.populations.population import Integers, no_rows

ENDINGS = (EventKind.CANCELED, EventKind.EXPIRED, EventKind.CANCEL_REJECTED)


@dataclass
class RestingOrders:
    """Open orders of one market: int64 arrays of one length, sorted by id.

    ids              the ids of a host fall, so newer orders stand first
    traders          place in the population
    sides            a Side
    remaining_lots   > 0
    """

    ids: Integers
    traders: Integers
    sides: Integers
    prices_ticks: Integers
    remaining_lots: Integers

    @classmethod
    def none(cls) -> "RestingOrders":
        """No orders."""
        return cls(no_rows(), no_rows(), no_rows(), no_rows(), no_rows())

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, rested: Rows, first_account: int) -> None:
        """RESTED events of these traders."""
        if len(rested) == 0:
            return
        ids = np.concatenate([self.ids, rested["order_id"]])
        order = np.argsort(ids, kind="stable")
        self.ids = ids[order]
        self.traders = np.concatenate([self.traders, rested["account_id"] - first_account])[order]
        self.sides = np.concatenate([self.sides, rested["side"].astype(np.int64)])[order]
        prices_ticks = rested["price_ticks"].astype(np.int64)
        self.prices_ticks = np.concatenate([self.prices_ticks, prices_ticks])[order]
        self.remaining_lots = np.concatenate([self.remaining_lots, rested["quantity_lots"]])[order]

    def fill(self, ids: Integers, quantity_lots: Integers) -> None:
        """Fills of resting orders; ids that are not here are passed over."""
        places, known = self._find(ids)
        np.subtract.at(self.remaining_lots, places[known], quantity_lots[known])

    def end(self, ids: Integers) -> None:
        """Orders that are no longer open; ids that are not here are passed over."""
        places, known = self._find(ids)
        self.remaining_lots[places[known]] = 0

    def sweep(self) -> None:
        """Drop what has nothing left."""
        if not np.all(alive := self.remaining_lots > 0):
            self.keep(alive)

    def keep(self, chosen: np.ndarray) -> None:
        """Only the orders that a bool array of this length chooses."""
        self.ids, self.traders, self.sides = (
            self.ids[chosen],
            self.traders[chosen],
            self.sides[chosen],
        )
        self.prices_ticks = self.prices_ticks[chosen]
        self.remaining_lots = self.remaining_lots[chosen]

    def open_lots(self, side: Side, traders: int) -> Integers:
        """Lots resting on one side, by trader: int64 (traders,)."""
        total = np.zeros(traders, dtype=np.int64)
        mine = self.sides == side
        np.add.at(total, self.traders[mine], self.remaining_lots[mine])
        return total

    def counts(self, traders: int) -> Integers:
        """Open orders by trader: int64 (traders,)."""
        return np.bincount(self.traders, minlength=traders).astype(np.int64)

    def _find(self, ids: Integers) -> tuple[Integers, np.ndarray]:
        if len(self.ids) == 0:
            return np.zeros(len(ids), dtype=np.int64), np.zeros(len(ids), dtype=np.bool_)
        places = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return places, self.ids[places] == ids


class Holdings:
    """Positions (lots, long positive) and resting orders of one population in one market."""

    def __init__(self, accounts: range) -> None:
        self.accounts = accounts
        self.positions_lots: Integers = np.zeros(len(accounts), dtype=np.int64)
        self.orders = RestingOrders.none()

    def enter(self, positions_lots: Integers | None) -> None:
        """All orders are gone; positions are as told, or as counted where None."""
        self.orders = RestingOrders.none()
        if positions_lots is not None:
            self.positions_lots = positions_lots.astype(np.int64, copy=True)

    def learn(self, events: Rows) -> None:
        """EVENT rows in the market's order; those of other accounts are passed over."""
        kinds = events["kind"]
        mine = self._are_mine(events["account_id"])
        self.orders.add(events[(kinds == EventKind.RESTED) & mine], self.accounts.start)
        self._learn_trades(events[kinds == EventKind.TRADE])
        self.orders.end(events["order_id"][np.isin(kinds, ENDINGS) & mine])
        self.orders.sweep()

    def _learn_trades(self, trades: Rows) -> None:
        signed = np.where(trades["side"] == Side.BUY, 1, -1) * trades["quantity_lots"]
        self._move(trades["account_id"], signed)
        self._move(trades["maker_account_id"], -signed)
        made = self._are_mine(trades["maker_account_id"])
        self.orders.fill(trades["maker_order_id"][made], trades["quantity_lots"][made])

    def _move(self, account_ids: Integers, signed_lots: Integers) -> None:
        mine = self._are_mine(account_ids)
        places = account_ids[mine] - self.accounts.start
        np.add.at(self.positions_lots, places, signed_lots[mine])

    def _are_mine(self, account_ids: Integers) -> np.ndarray:
        return (account_ids >= self.accounts.start) & (account_ids < self.accounts.stop)

    def room_lots(self, sides: Integers, traders: Integers, limit_lots: int) -> Integers:
        """What these traders may still order on these sides, open orders counted: int64, ≥ 0."""
        count = len(self.accounts)
        buying, selling = (self.orders.open_lots(side, count)[traders] for side in Side)
        position = self.positions_lots[traders]
        room: Integers = limit_lots - np.where(
            sides == Side.BUY, position + buying, selling - position
        )
        return np.maximum(room, 0)
