"""A second matching engine, written for plainness: lists, a sort for every look at the book.

It shares the row types of messages.py with the fast engine and nothing else.
"""

import copy
import pickle
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from sim.market import MarketSpec
from sim.rows.messages import (
    EVENT,
    CommandKind,
    EventKind,
    MarketStatus,
    OrderFlag,
    OrderType,
    Reason,
    Rows,
    Side,
    TimeInForce,
)

SIDES, TYPES, TIMES = set(Side), set(OrderType), set(TimeInForce)


@dataclass
class Order:
    """One order that rests; `accepted` is the number of the row that placed it."""

    order_id: int
    account_id: int
    side: int
    price: int
    remaining: int
    flags: int
    accepted: int

    @property
    def reduce_only(self) -> bool:
        return bool(self.flags & OrderFlag.REDUCE_ONLY)


class NaiveBook:
    """The interface of MarketEngine, as far as the contract suite needs it."""

    def __init__(self, spec: MarketSpec) -> None:
        self.spec = spec
        self.orders: dict[int, Order] = {}
        self.positions: dict[int, int] = {}
        self.status = MarketStatus.ACTIVE
        self.event_seq = self.input_seq = self.last_price_ticks = self.mark_ticks = 0
        self.events: list[tuple[int, ...]] = []

    def apply(self, commands: Rows) -> Rows:
        self.events = []
        for row in commands:
            self.input_seq += 1
            self.row = {name: int(row[name]) for name in commands.dtype.names if name != "reserved"}
            action = {
                CommandKind.PLACE: self.place,
                CommandKind.CANCEL: self.cancel,
                CommandKind.CANCEL_ALL: self.cancel_all,
                CommandKind.SET_STATUS: self.set_status,
                CommandKind.SET_MARK: self.set_mark,
            }.get(self.row["kind"], lambda: self.reject(Reason.INVALID_COMMAND))
            action()
        return np.array(self.events, dtype=EVENT)

    def say(self, kind, reason, order_id, account_id, quantity, price, side, flags, maker=(0, 0)):
        self.event_seq += 1
        cause = (self.event_seq, self.input_seq, self.row["time_us"])
        about = (order_id, account_id, *maker, quantity, price)
        self.events.append((*cause, *about, kind, reason, side, flags))

    def say_of_command(self, kind, reason, quantity):
        row = self.row
        who = (row["order_id"], row["account_id"], quantity)
        self.say(kind, reason, *who, row["price_ticks"], row["side"], row["flags"])

    def say_plainly(self, kind, reason, quantity=0):
        self.say(kind, reason, self.row["order_id"], self.row["account_id"], quantity, 0, 0, 0)

    def reject(self, reason):
        self.say_of_command(EventKind.REJECTED, reason, self.row["quantity_lots"])

    def queue(self, side) -> list[Order]:
        """Resting orders of a side, the first to trade first."""
        sign = -1 if side == Side.BUY else 1
        mine = [order for order in self.orders.values() if order.side == side]
        return sorted(mine, key=lambda order: (sign * order.price, order.accepted))

    def in_reach(self) -> list[Order]:
        """Opposite orders that the command's own limit reaches."""
        buys, price = self.row["side"] == Side.BUY, self.row["price_ticks"]
        queue = self.queue(3 - self.row["side"])
        if self.row["order_type"] == OrderType.MARKET and price == 0:
            return queue
        return [o for o in queue if (o.price <= price if buys else o.price >= price)]

    def in_band(self, price) -> bool:
        """Whether the command's side may take at a price: mark and a band that rounds inward."""
        band = Fraction(self.spec.price_band_ppm, 1_000_000)
        if self.mark_ticks == 0:
            return True
        if self.row["side"] == Side.BUY:
            return price <= self.mark_ticks * (1 + band)
        return price >= self.mark_ticks * (1 - band)

    def reachable(self) -> list[Order]:
        """Opposite orders that it may trade with."""
        return [order for order in self.in_reach() if self.in_band(order.price)]

    def reducible(self, account_id, side) -> int:
        position = self.positions.get(account_id, 0)
        return max(0, -position) if side == Side.BUY else max(0, position)

    def broken_rules(self):
        """Every reason to reject the PLACE; the smallest is the one that counts."""
        row, flags = self.row, self.row["flags"]
        known = (
            row["side"] in SIDES and row["order_type"] in TYPES and row["time_in_force"] in TIMES
        )
        if not known or row["order_id"] == 0 or flags >= 8:
            return [Reason.INVALID_COMMAND]
        post, limit = flags & OrderFlag.POST_ONLY, row["order_type"] == OrderType.LIMIT
        reducible, spec = self.reducible(row["account_id"], row["side"]), self.spec
        least = 1 if flags & OrderFlag.REDUCE_ONLY else spec.min_quantity_lots
        rules = {
            Reason.MARKET_HALTED: self.status == MarketStatus.HALTED,
            Reason.MARKET_CANCEL_ONLY: self.status == MarketStatus.CANCEL_ONLY,
            Reason.INVALID_QUANTITY: not least <= row["quantity_lots"] <= spec.max_quantity_lots,
            Reason.INVALID_PRICE: not limit <= row["price_ticks"] <= spec.max_price_ticks,
            Reason.POST_ONLY_REQUIRES_LIMIT_ORDER: post and not limit,
            Reason.POST_ONLY_REQUIRES_GTC: post and row["time_in_force"] != TimeInForce.GTC,
            Reason.DUPLICATE_ORDER_ID: row["order_id"] in self.orders,
            Reason.REDUCE_ONLY_WOULD_INCREASE: flags & OrderFlag.REDUCE_ONLY and reducible == 0,
            Reason.POST_ONLY_WOULD_TAKE: post and self.reachable(),
        }
        return [reason for reason, broken in rules.items() if broken]

    def place(self):
        broken = self.broken_rules()
        if broken:
            self.reject(min(broken))
            return
        quantity, excess = self.row["quantity_lots"], 0
        if self.row["flags"] & OrderFlag.REDUCE_ONLY:
            allowed = self.reducible(self.row["account_id"], self.row["side"])
            excess = max(0, quantity - allowed)
        fill_or_kill = self.row["time_in_force"] == TimeInForce.FOK
        if fill_or_kill and (excess or not self.would_trade(quantity)):
            self.say_of_command(EventKind.EXPIRED, Reason.FOK_UNFILLABLE, quantity)
            return
        left, ending = self.trade_through(quantity - excess)
        if left:
            self.settle(left + excess, ending)
        elif excess:
            self.say_of_command(EventKind.CANCELED, Reason.REDUCE_ONLY_EXCESS, excess)

    def would_trade(self, quantity) -> bool:
        """Whether all of it trades: tried on a copy."""
        left, _ = copy.deepcopy(self).trade_through(quantity)
        return left == 0

    def trade_through(self, left):
        """Trades; answers what is left and whether self-trade prevention ended it."""
        ending = Reason.NONE
        while left and (makers := self.reachable()):
            maker = makers[0]
            if maker.account_id == self.row["account_id"]:
                ending = Reason.SELF_TRADE_PREVENTION
                break
            done = min(left, maker.remaining)
            self.trade(maker, done)
            left -= done
            if maker.remaining == 0:
                del self.orders[maker.order_id]
            self.cut_reduce_only(maker.account_id)
        self.cut_reduce_only(self.row["account_id"])
        return left, ending

    def reducing(self, account_id, side) -> list[Order]:
        """Resting reduce-only orders, the newest first."""
        mine = [o for o in self.orders.values() if o.account_id == account_id and o.side == side]
        return sorted((o for o in mine if o.reduce_only), key=lambda order: -order.accepted)

    def too_much(self, account_id, side) -> int:
        """What rests to reduce a position and more than that."""
        resting = sum(order.remaining for order in self.reducing(account_id, side))
        return resting - self.reducible(account_id, side)

    def cut_reduce_only(self, account_id):
        for side in (Side.BUY, Side.SELL):
            for order in self.reducing(account_id, side):
                cut = min(self.too_much(account_id, side), order.remaining)
                if cut <= 0:
                    break
                if cut == order.remaining:
                    self.take_back(order, Reason.REDUCE_ONLY_EXCESS)
                    continue
                order.remaining -= cut
                facts = (order.order_id, order.account_id, cut, order.price)
                self.say(
                    EventKind.REDUCED, Reason.REDUCE_ONLY_EXCESS, *facts, order.side, order.flags
                )

    def trade(self, maker, quantity):
        row, signed = self.row, quantity if self.row["side"] == Side.BUY else -quantity
        for account_id, change in ((row["account_id"], signed), (maker.account_id, -signed)):
            self.positions[account_id] = self.positions.get(account_id, 0) + change
        maker.remaining -= quantity
        self.last_price_ticks = maker.price
        who = (row["order_id"], row["account_id"], quantity, maker.price, row["side"], row["flags"])
        self.say(EventKind.TRADE, Reason.NONE, *who, maker=(maker.order_id, maker.account_id))

    def settle(self, left, ending):
        row = self.row
        is_market = row["order_type"] == OrderType.MARKET
        if ending == Reason.NONE and (is_market or row["time_in_force"] != TimeInForce.GTC):
            ending = Reason.MARKET_LIQUIDITY_EXHAUSTED if is_market else Reason.IOC_UNFILLED
            ending = Reason.PRICE_BAND if self.in_reach() else ending
        if ending != Reason.NONE:
            self.say_of_command(EventKind.EXPIRED, ending, left)
            return
        if not self.in_band(row["price_ticks"]):
            self.say_of_command(EventKind.CANCELED, Reason.PRICE_BAND, left)
            return
        if row["flags"] & OrderFlag.REDUCE_ONLY:
            room = max(0, -self.too_much(row["account_id"], row["side"]))
            kind = EventKind.REDUCED if room else EventKind.CANCELED
            if left > room:
                self.say_of_command(kind, Reason.REDUCE_ONLY_EXCESS, left - room)
                left = room
            if not left:
                return
        self.say_of_command(EventKind.RESTED, Reason.NONE, left)
        facts = (row["side"], row["price_ticks"], left, row["flags"], self.input_seq)
        self.orders[row["order_id"]] = Order(row["order_id"], row["account_id"], *facts)

    def take_back(self, order, reason):
        del self.orders[order.order_id]
        facts = (order.remaining, order.price, order.side, order.flags)
        self.say(EventKind.CANCELED, reason, order.order_id, order.account_id, *facts)

    def asked_by(self):
        asked = int(self.row["reason"])
        known = asked in (Reason.DEAD_MANS_SWITCH, Reason.OPERATOR)
        return Reason(asked) if known else Reason.REQUESTED

    def cancel(self):
        order = self.orders.get(self.row["order_id"])
        if self.status == MarketStatus.HALTED:
            self.say_plainly(EventKind.CANCEL_REJECTED, Reason.MARKET_HALTED)
        elif order is None:
            self.say_plainly(EventKind.CANCEL_REJECTED, Reason.ORDER_NOT_OPEN)
        elif order.account_id != self.row["account_id"]:
            self.say_plainly(EventKind.CANCEL_REJECTED, Reason.USER_MISMATCH)
        else:
            self.take_back(order, self.asked_by())

    def cancel_all(self):
        if self.status == MarketStatus.HALTED:
            self.say_plainly(EventKind.CANCEL_REJECTED, Reason.MARKET_HALTED)
            return
        for order in sorted(self.orders.values(), key=lambda order: order.accepted):
            if order.account_id == self.row["account_id"]:
                self.take_back(order, self.asked_by())

    def set_status(self):
        if self.row["status"] not in set(MarketStatus):
            self.reject(Reason.INVALID_COMMAND)
            return
        self.status = MarketStatus(self.row["status"])
        self.say_plainly(EventKind.STATUS_CHANGED, Reason.NONE, self.row["status"])

    def set_mark(self):
        if self.row["price_ticks"] <= 0:
            self.reject(Reason.INVALID_COMMAND)
        else:
            self.mark_ticks = self.row["price_ticks"]

    def position_lots(self, account_id: int) -> int:
        return self.positions.get(account_id, 0)

    @property
    def open_order_count(self) -> int:
        return len(self.orders)

    @property
    def best_bid_ticks(self) -> int:
        return max((o.price for o in self.orders.values() if o.side == Side.BUY), default=0)

    @property
    def best_ask_ticks(self) -> int:
        return min((o.price for o in self.orders.values() if o.side == Side.SELL), default=0)

    def depth(self, levels: int):
        """Lists of [price, quantity, orders] instead of arrays."""
        return tuple(self.side_depth(side)[:levels] for side in (Side.BUY, Side.SELL))

    def side_depth(self, side):
        found: dict[int, list[int]] = {}
        for order in self.queue(side):
            row = found.setdefault(order.price, [order.price, 0, 0])
            row[1] += order.remaining
            row[2] += 1
        return list(found.values())

    def resting_orders(self) -> np.ndarray:
        names = ["order_id", "account_id", "side", "price_ticks", "remaining_lots", "flags"]
        rows = [
            (o.order_id, o.account_id, o.side, o.price, o.remaining, o.flags)
            for side in (Side.BUY, Side.SELL)
            for o in self.queue(side)
        ]
        return np.array(rows, dtype=[(name, "<i8") for name in names])

    def snapshot(self) -> bytes:
        return pickle.dumps(self.__dict__)

    @classmethod
    def restore(cls, spec: MarketSpec, data: bytes) -> "NaiveBook":
        book = cls(spec)
        book.__dict__.update(pickle.loads(data))
        return book
