"""An auditor that never looks into the engine: positions, cash and book from events alone.

Order ids are 1 … count (random_commands.py) and are used as places in arrays. An id
that is used again once its order is gone simply goes on adding.
"""

import numpy as np

from sim.rows.messages import CommandKind, EventKind, Reason, Rows, Side


class Auditor:
    def __init__(self, count: int, accounts: int) -> None:
        self.positions = np.zeros(accounts + 1, np.int64)
        self.cash = np.zeros(accounts + 1, np.int64)
        self.ordered, self.traded, self.ended, self.rests = np.zeros((4, count + 1), np.int64)
        self.facts = np.zeros((count + 1, 4), np.int64)
        self.event_seq = self.traded_lots = 0

    def take(self, commands: Rows, events: Rows, first_input: int) -> None:
        """Book one batch; `first_input` is the input_seq of its first row."""
        numbers = events["event_seq"]
        assert np.array_equal(numbers, self.event_seq + 1 + np.arange(len(events)))
        self.event_seq += len(events)
        cause = commands[events["input_seq"] - first_input]
        assert np.array_equal(events["time_us"], cause["time_us"])
        self.take_acceptances(commands, events, first_input)
        self.take_trades(events[events["kind"] == EventKind.TRADE], cause)
        self.take_rests_and_endings(events)

    def take_acceptances(self, commands: Rows, events: Rows, first_input: int) -> None:
        """Every PLACE that was not rejected counts with what it ordered."""
        rejected = events["input_seq"][events["kind"] == EventKind.REJECTED] - first_input
        accepted = commands["kind"] == CommandKind.PLACE
        accepted[rejected] = False
        placed = commands[accepted]
        np.add.at(self.ordered, placed["order_id"], placed["quantity_lots"])

    def take_trades(self, trades: Rows, cause: Rows) -> None:
        lots = trades["quantity_lots"]
        signed = np.where(trades["side"] == Side.BUY, lots, -lots)
        for column, change in (("account_id", signed), ("maker_account_id", -signed)):
            np.add.at(self.positions, trades[column], change)
            np.add.at(self.cash, trades[column], -change * trades["price_ticks"])
        np.add.at(self.traded, trades["order_id"], lots)
        np.add.at(self.traded, trades["maker_order_id"], lots)
        assert (lots > 0).all()
        assert (trades["account_id"] != trades["maker_account_id"]).all()
        self.traded_lots += int(lots.sum())

    def take_rests_and_endings(self, events: Rows) -> None:
        rested = events[events["kind"] == EventKind.RESTED]
        self.rests[rested["order_id"]] = 1
        for place, name in enumerate(("account_id", "side", "price_ticks", "event_seq")):
            self.facts[rested["order_id"], place] = rested[name]
        endings = events[np.isin(events["kind"], [EventKind.CANCELED, EventKind.EXPIRED])]
        assert (endings["quantity_lots"] > 0).all()
        np.add.at(self.ended, endings["order_id"], endings["quantity_lots"])
        assert Reason.NONE not in endings["reason"]

    def remaining(self) -> np.ndarray:
        """Of every order, what neither traded nor ended. Never below 0; if above, it rests."""
        left = self.ordered - self.traded - self.ended
        assert (left >= 0).all()
        assert (self.rests[left > 0] == 1).all()
        return left

    def book(self) -> list[tuple[int, ...]]:
        """(order id, account, side, price, remaining) in price-time order."""
        left = self.remaining()
        order_ids = np.flatnonzero(left)
        accounts, sides, prices, seqs = self.facts[order_ids].T
        towards = np.where(sides == Side.BUY, -prices, prices)
        order = np.lexsort((seqs, towards, sides))
        columns = (order_ids, accounts, sides, prices, left[order_ids])
        return list(zip(*(column[order].tolist() for column in columns), strict=True))

    def check_conservation(self) -> None:
        """What one side gained the other lost, in lots and in money."""
        assert self.positions.sum() == 0
        assert self.cash.sum() == 0
        assert self.traded.sum() == 2 * self.traded_lots
