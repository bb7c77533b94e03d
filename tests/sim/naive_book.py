"""A second matching engine, written for plainness: lists, a sort for every look at the book.

It shares the row types of messages.py with the fast engine and nothing else.
"""

import copy
import pickle
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from sim.market import MarketSpec
from sim.rows.messages import (
    EVENT,
    TRAILING_ORDERS_MAX,
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
from tests.sim.naive_terms import NaiveTerms, Order, limits_when_triggered

SIDES, TYPES, TIMES = set(Side), set(OrderType), set(TimeInForce)


class NaiveBook(NaiveTerms):
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
        for row in commands.tolist():
            self.row = dict(zip(commands.dtype.names or (), row, strict=True))
            self.expire_due()
            self.input_seq += 1
            actions: dict[int, Callable[[], None]] = {
                CommandKind.PLACE: self.place,
                CommandKind.CANCEL: self.cancel,
                CommandKind.CANCEL_ALL: self.cancel_all,
                CommandKind.SET_STATUS: self.set_status,
                CommandKind.SET_MARK: self.set_mark,
                CommandKind.TICK: lambda: None,
                CommandKind.AMEND: self.amend,
            }
            actions.get(self.row["kind"], lambda: self.reject(Reason.INVALID_COMMAND))()
            self.trigger_due()
        return np.array(self.events, dtype=EVENT)

    def say(
        self,
        kind: EventKind,
        reason: Reason,
        order_id: int,
        account_id: int,
        quantity: int,
        price: int,
        side: int,
        flags: int,
        maker: tuple[int, int] = (0, 0),
    ) -> None:
        self.event_seq += 1
        cause = (self.event_seq, self.input_seq, self.row["time_us"])
        about = (order_id, account_id, *maker, quantity, price)
        self.events.append((*cause, *about, kind, reason, side, flags))

    def say_of_command(self, kind: EventKind, reason: Reason, quantity: int) -> None:
        row = self.row
        who = (row["order_id"], row["account_id"], quantity)
        self.say(kind, reason, *who, row["price_ticks"], row["side"], row["flags"])

    def say_plainly(self, kind: EventKind, reason: Reason, quantity: int = 0) -> None:
        self.say(kind, reason, self.row["order_id"], self.row["account_id"], quantity, 0, 0, 0)

    def say_about(self, order: Order, kind: EventKind, reason: Reason, lots: int) -> None:
        facts = (order.order_id, order.account_id, lots, order.price, order.side, order.flags)
        self.say(kind, reason, *facts)

    def reject(self, reason: Reason) -> None:
        self.say_of_command(EventKind.REJECTED, reason, self.row["quantity_lots"])

    def queue(self, side: int) -> list[Order]:
        """Resting orders of a side, the first to trade first."""
        sign = -1 if side == Side.BUY else 1
        mine = [order for order in self.orders.values() if order.side == side and order.rests]
        return sorted(mine, key=lambda order: (sign * order.price, order.accepted))

    def in_reach(self) -> list[Order]:
        """Opposite orders that the command's own limit reaches."""
        buys, price = self.row["side"] == Side.BUY, self.row["price_ticks"]
        queue = self.queue(3 - self.row["side"])
        if self.row["order_type"] == OrderType.MARKET and price == 0:
            return queue
        return [o for o in queue if (o.price <= price if buys else o.price >= price)]

    def in_band(self, price: int) -> bool:
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

    def reducible(self, account_id: int, side: int) -> int:
        position = self.positions.get(account_id, 0)
        return max(0, -position) if side == Side.BUY else max(0, position)

    def makes_sense(self) -> bool:
        row, waits = self.row, self.row["order_type"] > OrderType.MARKET
        stands = waits or (
            row["order_type"] == OrderType.LIMIT and row["time_in_force"] == TimeInForce.GTC
        )
        has_terms = row["expires_us"] or row["link_id"]
        forced = set() if has_terms or waits else {4, 5, 6, 7}
        flags = {1, 2, 3} | forced | ({8, 9, 10, 11} if waits else set())
        return (
            row["side"] in SIDES
            and row["order_type"] in TYPES
            and row["time_in_force"] in TIMES
            and row["order_id"] != 0
            and row["flags"] in flags | {0}
            and (stands or not has_terms)
            and row["expires_us"] >= 0
            and (waits or row["trigger_ticks"] == 0)
        )

    def wrong_values(self, row: dict[str, int]) -> dict[Reason, bool]:
        """Quantity and prices of a PLACE, or of what an order is amended to."""
        spec, waits = self.spec, row["order_type"] > OrderType.MARKET
        least = 1 if row["flags"] & OrderFlag.REDUCE_ONLY else spec.min_quantity_lots
        limit = limits_when_triggered(row["order_type"])
        wrong_trigger = waits and not 1 <= row["trigger_ticks"] <= spec.max_price_ticks
        wrong_price = not limit <= row["price_ticks"] <= spec.max_price_ticks
        return {
            Reason.INVALID_QUANTITY: not least <= row["quantity_lots"] <= spec.max_quantity_lots,
            Reason.INVALID_PRICE: wrong_price or wrong_trigger,
        }

    def broken_rules(self) -> list[Reason]:
        """Every reason to reject the PLACE; the smallest is the one that counts."""
        row, flags = self.row, self.row["flags"]
        if not self.makes_sense():
            return [Reason.INVALID_COMMAND]
        waits = row["order_type"] > OrderType.MARKET
        post, reduces = bool(flags & OrderFlag.POST_ONLY), bool(flags & OrderFlag.REDUCE_ONLY)
        limit = limits_when_triggered(row["order_type"])
        reducible = self.reducible(row["account_id"], row["side"])
        trailing = [o for o in self.orders.values() if o.order_type == OrderType.TRAILING]
        rules = {
            Reason.MARKET_HALTED: self.status == MarketStatus.HALTED,
            Reason.MARKET_CANCEL_ONLY: self.status == MarketStatus.CANCEL_ONLY,
            **self.wrong_values(row),
            Reason.POST_ONLY_REQUIRES_LIMIT_ORDER: post and not limit,
            Reason.POST_ONLY_REQUIRES_GTC: post and row["time_in_force"] != TimeInForce.GTC,
            Reason.DUPLICATE_ORDER_ID: row["order_id"] in self.orders,
            Reason.REDUCE_ONLY_WOULD_INCREASE: reduces and reducible == 0,
            Reason.POST_ONLY_WOULD_TAKE: post and not waits and bool(self.reachable()),
            Reason.LINK_REFUSED: not self.may_link(),
            Reason.TOO_MANY_TRAILING: row["order_type"] == OrderType.TRAILING
            and len(trailing) >= TRAILING_ORDERS_MAX,
        }
        return [reason for reason, broken in rules.items() if broken]

    def place(self) -> None:
        broken, row = self.broken_rules(), self.row
        if broken:
            self.reject(min(broken))
        elif 0 < row["expires_us"] <= row["time_us"]:
            self.say_of_command(EventKind.EXPIRED, Reason.TIME, row["quantity_lots"])
        elif row["order_type"] > OrderType.MARKET:
            self.stand_by()
        else:
            self.take_terms(self.enter())

    def enter(self, triggered: bool = False) -> int:
        """An accepted order trades and rests; answers how many lots traded."""
        quantity, excess = self.row["quantity_lots"], 0
        if self.row["flags"] & OrderFlag.REDUCE_ONLY:
            allowed = self.reducible(self.row["account_id"], self.row["side"])
            excess = max(0, quantity - allowed)
        fill_or_kill = self.row["time_in_force"] == TimeInForce.FOK
        if fill_or_kill and (excess or not self.would_trade(quantity)):
            self.say_of_command(EventKind.EXPIRED, Reason.FOK_UNFILLABLE, quantity)
            return 0
        left, ending = self.trade_through(quantity - excess, triggered)
        if left:
            self.settle(left + excess, ending)
        elif excess:
            self.say_of_command(EventKind.CANCELED, Reason.REDUCE_ONLY_EXCESS, excess)
        return quantity - excess - left

    def would_trade(self, quantity: int) -> bool:
        """Whether all of it trades: tried on a copy."""
        trial = copy.copy(self)
        trial.orders = {order_id: copy.copy(order) for order_id, order in self.orders.items()}
        trial.positions, trial.events = self.positions.copy(), []
        left, _ = trial.trade_through(quantity)
        return left == 0

    def trade_through(self, left: int, own_give_way: bool = False) -> tuple[int, Reason]:
        """Trades; answers what is left and whether self-trade prevention ended it."""
        ending = Reason.NONE
        while left and (makers := self.reachable()):
            maker = makers[0]
            if maker.account_id == self.row["account_id"]:
                if own_give_way:
                    self.take_back(maker, Reason.SELF_TRADE_PREVENTION)
                    continue
                ending = Reason.SELF_TRADE_PREVENTION
                break
            done = min(left, maker.remaining)
            self.trade(maker, done)
            left -= done
            self.use_link(maker)
            if maker.remaining == 0:
                self.leave(maker)
            self.cut_reduce_only(maker.account_id)
            self.tell_price(0, maker.price)
        self.cut_reduce_only(self.row["account_id"])
        return left, ending

    def reducing(self, account_id: int, side: int) -> list[Order]:
        """Resting reduce-only orders, the newest first."""
        mine = [o for o in self.orders.values() if o.account_id == account_id and o.side == side]
        reducing = (order for order in mine if order.reduce_only and order.rests)
        return sorted(reducing, key=lambda order: -order.accepted)

    def too_much(self, account_id: int, side: int) -> int:
        """What rests to reduce a position and more than that."""
        resting = sum(order.remaining for order in self.reducing(account_id, side))
        return resting - self.reducible(account_id, side)

    def cut_reduce_only(self, account_id: int) -> None:
        newest_first = sorted(self.orders.values(), key=lambda order: -order.accepted)
        for order in newest_first:
            if order.account_id == account_id and order.reduce_only:
                excess = self.too_much(account_id, order.side)
                if not order.rests:
                    excess = 0 if self.reducible(account_id, order.side) else order.remaining
                cut = min(excess, order.remaining)
                if cut <= 0:
                    continue
                if cut == order.remaining:
                    self.take_back(order, Reason.REDUCE_ONLY_EXCESS)
                    continue
                order.remaining -= cut
                self.say_about(order, EventKind.REDUCED, Reason.REDUCE_ONLY_EXCESS, cut)

    def trade(self, maker: Order, quantity: int) -> None:
        row, signed = self.row, quantity if self.row["side"] == Side.BUY else -quantity
        for account_id, change in ((row["account_id"], signed), (maker.account_id, -signed)):
            self.positions[account_id] = self.positions.get(account_id, 0) + change
        maker.remaining -= quantity
        self.last_price_ticks = maker.price
        who = (row["order_id"], row["account_id"], quantity, maker.price, row["side"], row["flags"])
        self.say(EventKind.TRADE, Reason.NONE, *who, maker=(maker.order_id, maker.account_id))

    def settle(self, left: int, ending: Reason) -> None:
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

    def take_back(self, order: Order, reason: Reason) -> None:
        self.leave(order)
        self.say_about(order, EventKind.CANCELED, reason, order.remaining)

    def asked_by(self) -> Reason:
        asked = int(self.row["reason"])
        known = asked in (Reason.DEAD_MANS_SWITCH, Reason.OPERATOR)
        return Reason(asked) if known else Reason.REQUESTED

    def cancel(self) -> None:
        order = self.orders.get(self.row["order_id"])
        if self.status == MarketStatus.HALTED:
            self.say_plainly(EventKind.CANCEL_REJECTED, Reason.MARKET_HALTED)
        elif order is None:
            self.say_plainly(EventKind.CANCEL_REJECTED, Reason.ORDER_NOT_OPEN)
        elif order.account_id != self.row["account_id"]:
            self.say_plainly(EventKind.CANCEL_REJECTED, Reason.USER_MISMATCH)
        else:
            self.take_back(order, self.asked_by())

    def cancel_all(self) -> None:
        if self.status == MarketStatus.HALTED:
            self.say_plainly(EventKind.CANCEL_REJECTED, Reason.MARKET_HALTED)
            return
        for order in sorted(self.orders.values(), key=lambda order: order.accepted):
            if order.account_id == self.row["account_id"]:
                self.take_back(order, self.asked_by())

    def set_status(self) -> None:
        if self.row["status"] not in set(MarketStatus):
            self.reject(Reason.INVALID_COMMAND)
            return
        self.status = MarketStatus(self.row["status"])
        self.say_plainly(EventKind.STATUS_CHANGED, Reason.NONE, self.row["status"])

    def set_mark(self) -> None:
        if self.row["price_ticks"] <= 0:
            self.reject(Reason.INVALID_COMMAND)
        else:
            self.mark_ticks = self.row["price_ticks"]
            self.tell_price(8, self.mark_ticks)

    def position_lots(self, account_id: int) -> int:
        return self.positions.get(account_id, 0)

    @property
    def open_order_count(self) -> int:
        return len(self.orders)

    @property
    def best_bid_ticks(self) -> int:
        return max((o.price for o in self.queue(Side.BUY)), default=0)

    @property
    def best_ask_ticks(self) -> int:
        return min((o.price for o in self.queue(Side.SELL)), default=0)

    def depth(self, levels: int) -> tuple[list[list[int]], list[list[int]]]:
        """Lists of [price, quantity, orders] instead of arrays."""
        return self.side_depth(Side.BUY)[:levels], self.side_depth(Side.SELL)[:levels]

    def side_depth(self, side: int) -> list[list[int]]:
        found: dict[int, list[int]] = {}
        for order in self.queue(side):
            row = found.setdefault(order.price, [order.price, 0, 0])
            row[1] += order.remaining
            row[2] += 1
        return list(found.values())

    def resting_orders(self) -> Rows:
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
