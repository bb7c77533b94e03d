"""Auditors that never look into the engine: positions, cash and book from events alone.

Order ids are 1 … count (random_commands.py) and are used as places in arrays. An id
that is used again once its order is gone simply goes on adding.
"""

from collections import Counter, defaultdict

import numpy as np
import numpy.typing as npt

from sim.rows.messages import CommandKind, EventKind, OrderFlag, Reason, Rows, Side


def causes(events: Rows, first_input: int) -> npt.NDArray[np.int64]:
    """The place in its batch of the row that each event comes from; a triggered order is a row of
    its own behind the one that triggered it."""
    own = np.sort(events["input_seq"][events["kind"] == EventKind.TRIGGERED])
    before = np.searchsorted(own, events["input_seq"], side="right")
    places: npt.NDArray[np.int64] = events["input_seq"] - first_input - before
    return places


class Auditor:
    def __init__(self, count: int, accounts: int) -> None:
        self.positions = np.zeros(accounts + 1, np.int64)
        self.cash = np.zeros(accounts + 1, np.int64)
        self.ordered, self.traded, self.ended = np.zeros((3, count + 1), np.int64)
        self.rested, self.waited = np.zeros((2, count + 1), np.int64)
        self.facts = np.zeros((count + 1, 4), np.int64)
        self.event_seq = self.traded_lots = 0

    def take(self, commands: Rows, events: Rows, first_input: int) -> None:
        """Book one batch; `first_input` is the input_seq of its first row."""
        numbers = events["event_seq"]
        assert np.array_equal(numbers, self.event_seq + 1 + np.arange(len(events)))
        self.event_seq += len(events)
        places = causes(events, first_input)
        assert np.array_equal(events["time_us"], commands["time_us"][places])
        self.take_acceptances(commands, events, places)
        self.take_amendments(events)
        self.take_trades(events[events["kind"] == EventKind.TRADE])
        self.take_rests_and_endings(events)

    def take_acceptances(self, commands: Rows, events: Rows, places: npt.NDArray[np.int64]) -> None:
        """Every PLACE that was not rejected counts with what it ordered."""
        rejected = places[events["kind"] == EventKind.REJECTED]
        accepted = commands["kind"] == CommandKind.PLACE
        accepted[rejected] = False
        placed = commands[accepted]
        np.add.at(self.ordered, placed["order_id"], placed["quantity_lots"])

    def take_amendments(self, events: Rows) -> None:
        """An order counts with more or less from where it is amended."""
        amended = set(events["order_id"][events["kind"] == EventKind.AMENDED].tolist())
        left = {order: int((self.ordered - self.traded - self.ended)[order]) for order in amended}
        ids = list(amended)
        theirs = np.isin(events["order_id"], ids) | np.isin(events["maker_order_id"], ids)
        for event in events[theirs].tolist():
            _, _, _, order, _, maker, _, lots, _, kind, *_ = event
            if kind == EventKind.AMENDED:
                self.ordered[order] += lots - left[order]
                left[order] = lots
            elif kind in (EventKind.TRADE, *LESS):
                for one in {order, maker} & amended:
                    left[one] -= lots

    def take_trades(self, trades: Rows) -> None:
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
        self.rested[rested["order_id"]] = rested["event_seq"]
        waiting = events[events["kind"] == EventKind.WAITING]
        self.waited[waiting["order_id"]] = waiting["event_seq"]
        for place, name in enumerate(("account_id", "side", "price_ticks", "event_seq")):
            self.facts[rested["order_id"], place] = rested[name]
        endings = events[np.isin(events["kind"], [EventKind.CANCELED, EventKind.EXPIRED])]
        assert (endings["quantity_lots"] > 0).all()
        np.add.at(self.ended, endings["order_id"], endings["quantity_lots"])
        cuts = events[events["kind"] == EventKind.REDUCED]
        assert (cuts["quantity_lots"] > 0).all()
        assert np.isin(cuts["reason"], [Reason.REDUCE_ONLY_EXCESS, Reason.REQUESTED]).all()
        np.add.at(self.ended, cuts["order_id"], cuts["quantity_lots"])
        assert Reason.NONE not in endings["reason"]

    def remaining(self) -> npt.NDArray[np.int64]:
        """Of every order, what neither traded nor ended. Never below 0; if above, it is open."""
        left = self.ordered - self.traded - self.ended
        assert (left >= 0).all()
        assert (self.rested + self.waited)[left > 0].all()
        return left

    def book(self) -> list[tuple[int, ...]]:
        """(order id, account, side, price, remaining) in price-time order."""
        left = self.remaining()
        order_ids = np.flatnonzero((left > 0) & (self.rested > self.waited))
        accounts, sides, prices, seqs = self.facts[order_ids].T
        towards = np.where(sides == Side.BUY, -prices, prices)
        order = np.lexsort((seqs, towards, sides))
        columns = (order_ids, accounts, sides, prices, left[order_ids])
        return list(zip(*(column[order].tolist() for column in columns), strict=True))

    def waiting(self) -> list[tuple[int, int]]:
        """(order id, remaining) of what waits, by age."""
        left = self.remaining()
        order_ids = np.flatnonzero((left > 0) & (self.waited > self.rested))
        order_ids = order_ids[np.argsort(self.waited[order_ids])]
        return list(zip(order_ids.tolist(), left[order_ids].tolist(), strict=True))

    def check_conservation(self) -> None:
        """What one side gained the other lost, in lots and in money."""
        assert self.positions.sum() == 0
        assert self.cash.sum() == 0
        assert self.traded.sum() == 2 * self.traded_lots


LESS = (EventKind.CANCELED, EventKind.EXPIRED, EventKind.REDUCED)
"""What takes lots off an order beside trades."""


class ReduceOnlyAuditor:
    """After every row, what rests to reduce a position is no more than the position.

    cuts   how many by kind of event and by whether the order rested
    """

    def __init__(self) -> None:
        self.positions: dict[int, int] = defaultdict(int)
        self.resting: dict[int, tuple[int, int, int, int]] = {}
        self.sums: dict[tuple[int, int], int] = defaultdict(int)
        self.cuts: Counter[tuple[int, bool]] = Counter()
        self.checked = 0

    def take(self, events: Rows) -> None:
        row = 0
        touched: set[int] = set()
        causes = events[["input_seq", "account_id", "maker_account_id"]].tolist()
        for event, (cause, account, maker) in zip(events.tolist(), causes, strict=True):
            if cause != row:
                self.check(touched)
                row, touched = cause, set()
            self.learn(event)
            touched |= {account, maker}
        self.check(touched)

    def learn(self, event: tuple[int, ...]) -> None:
        _, _, _, order_id, account, maker_order, maker, lots, price, *codes = event
        kind, reason, side, flags = codes
        if reason == Reason.REDUCE_ONLY_EXCESS:
            self.cuts[kind, order_id in self.resting] += 1
        if kind == EventKind.TRADE:
            signed = lots if side == Side.BUY else -lots
            self.positions[account] += signed
            self.positions[maker] -= signed
            self.less(maker_order, lots)
        elif kind == EventKind.RESTED and flags & OrderFlag.REDUCE_ONLY:
            self.resting[order_id] = (account, side, lots, price)
            self.sums[account, side] += lots
        elif kind in LESS:
            self.less(order_id, lots)
        elif kind == EventKind.AMENDED:
            self.leave_to_come_again(order_id, lots, price)

    def leave_to_come_again(self, order_id: int, lots: int, price: int) -> None:
        """An order that is amended to what it is stays where it is."""
        _, _, *standing = self.resting.get(order_id, (0, 0, lots, price))
        if standing != [lots, price]:
            self.less(order_id, standing[0])

    def less(self, order_id: int, lots: int) -> None:
        if order_id in self.resting:
            account, side, left, price = self.resting.pop(order_id)
            self.sums[account, side] -= lots
            if left > lots:
                self.resting[order_id] = (account, side, left - lots, price)

    def check(self, accounts: set[int]) -> None:
        for account in accounts:
            position = self.positions[account]
            assert self.sums[account, Side.SELL] <= max(0, position), account
            assert self.sums[account, Side.BUY] <= max(0, -position), account
        self.checked += len(accounts)


class BandAuditor:
    """No trade is beyond the band around the mark that its row had before it."""

    def __init__(self, price_band_ppm: int) -> None:
        self.band_ppm, self.mark_ticks, self.judged = price_band_ppm, 0, 0

    def take(self, commands: Rows, events: Rows, first_input: int) -> None:
        marks = self.marks_at(commands)
        trades = events[events["kind"] == EventKind.TRADE]
        mark = marks[causes(events, first_input)[events["kind"] == EventKind.TRADE]]
        mark = mark.astype(np.int64)
        away = trades["price_ticks"].astype(np.int64) - mark
        away = np.where(trades["side"] == Side.BUY, away, -away)[mark > 0]
        assert (away * 1_000_000 <= mark[mark > 0] * self.band_ppm).all()
        self.judged += len(away)

    def marks_at(self, commands: Rows) -> npt.NDArray[np.int64]:
        """The mark in force at each row."""
        is_mark = (commands["kind"] == CommandKind.SET_MARK) & (commands["price_ticks"] > 0)
        last = np.maximum.accumulate(np.where(is_mark, np.arange(1, len(commands) + 1), 0))
        known = np.append(self.mark_ticks, commands["price_ticks"])
        self.mark_ticks = int(known[last[-1]])
        return known[last]
