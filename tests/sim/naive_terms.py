"""The naive book's orders that wait, end at a time, are linked or amended: all in one list."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from sim.rows.messages import (
    EXPIRED_A_ROW_MAX,
    TRIGGERED_A_ROW_MAX,
    CommandKind,
    EventKind,
    MarketStatus,
    OrderFlag,
    OrderType,
    Reason,
    Side,
    TimeInForce,
)

STOPS = {OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING}
LIMITS = {OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT}


def limits_when_triggered(order_type: int) -> bool:
    return order_type in LIMITS


@dataclass
class Order:
    """One open order; `accepted` is the number of the row that placed it.

    order_type  0 of one that rests. link: the other's id, its own while that is to come, 0
    """

    order_id: int
    account_id: int
    side: int
    price: int
    remaining: int
    flags: int
    accepted: int
    order_type: int = 0
    time_in_force: int = int(TimeInForce.GTC)
    trigger: int = 0
    best: int = 0
    expires: int = 0
    link: int = 0
    due: int = 0

    @property
    def reduce_only(self) -> bool:
        return bool(self.flags & OrderFlag.REDUCE_ONLY)

    @property
    def rests(self) -> bool:
        return self.order_type == 0

    @property
    def source(self) -> int:
        return self.flags & OrderFlag.TRIGGER_ON_MARK

    @property
    def rising(self) -> bool:
        return (self.side == Side.BUY) == (self.order_type in STOPS)

    @property
    def trigger_price(self) -> int:
        if self.order_type != OrderType.TRAILING:
            return self.trigger
        return self.best + (self.trigger if self.side == Side.BUY else -self.trigger)

    def is_met(self, price: int) -> bool:
        if price == 0 or (self.order_type == OrderType.TRAILING and self.best == 0):
            return False
        return price >= self.trigger_price if self.rising else price <= self.trigger_price


class NaiveTerms(ABC):
    """A part of NaiveBook; what it needs of the rest stands first."""

    orders: dict[int, Order]
    row: dict[str, int]
    status: MarketStatus
    input_seq: int
    last_price_ticks: int
    mark_ticks: int

    @abstractmethod
    def say_of_command(self, kind: EventKind, reason: Reason, quantity: int) -> None: ...

    @abstractmethod
    def say_plainly(self, kind: EventKind, reason: Reason, quantity: int = 0) -> None: ...

    @abstractmethod
    def say_about(self, order: Order, kind: EventKind, reason: Reason, lots: int) -> None: ...

    @abstractmethod
    def take_back(self, order: Order, reason: Reason) -> None: ...

    @abstractmethod
    def reachable(self) -> list[Order]: ...

    @abstractmethod
    def wrong_values(self, row: dict[str, int]) -> dict[Reason, bool]: ...

    @abstractmethod
    def reducible(self, account_id: int, side: int) -> int: ...

    @abstractmethod
    def enter(self, triggered: bool = False) -> int: ...

    def leave(self, order: Order) -> None:
        """The order is gone; who is linked with it stands alone."""
        del self.orders[order.order_id]
        if order.link in self.orders:
            self.orders[order.link].link = 0

    def may_link(self) -> bool:
        row = self.row
        if row["link_id"] in (0, row["order_id"]):
            return True
        first = self.orders.get(row["link_id"])
        if first is None or first.account_id != row["account_id"]:
            return False
        waits = row["order_type"] > OrderType.MARKET
        both_rest = not waits and first.rests
        return first.link == first.order_id and not (both_rest and first.side == row["side"])

    def use_link(self, order: Order) -> None:
        """The order has traded or was triggered."""
        partner = self.orders.get(order.link)
        order.link = 0
        if partner is not None and partner is not order:
            partner.link = 0
            self.take_back(partner, Reason.LINKED)

    def take_terms(self, traded: int) -> None:
        """The terms of an order that has come in."""
        row, other = self.row, self.orders.get(self.row["link_id"])
        order = self.orders.get(row["order_id"])
        if traded and other is not None and other is not order and other.link:
            other.link = 0
            self.take_back(other, Reason.LINKED)
        if order is not None:
            order.expires = row["expires_us"]
            if not traded:
                self.link(order, row["link_id"])

    def link(self, order: Order, link_id: int) -> None:
        order.link = link_id
        if link_id not in (0, order.order_id):
            self.orders[link_id].link = order.order_id

    def stand_by(self) -> None:
        row = self.row
        self.say_of_command(EventKind.WAITING, Reason.NONE, row["quantity_lots"])
        facts = (row["side"], row["price_ticks"], row["quantity_lots"], row["flags"])
        order = Order(row["order_id"], row["account_id"], *facts, self.input_seq)
        order.order_type, order.time_in_force = row["order_type"], row["time_in_force"]
        order.trigger, order.expires = row["trigger_ticks"], row["expires_us"]
        self.orders[order.order_id] = order
        self.link(order, row["link_id"])
        order.best = price = self.mark_ticks if order.source else self.last_price_ticks
        if order.is_met(price):
            self.come_due(order)

    def come_due(self, order: Order) -> None:
        order.due = 1 + max(other.due for other in self.orders.values())

    def tell_price(self, source: int, price: int) -> None:
        watching = [o for o in self.orders.values() if not o.rests and not o.due]
        watching = [order for order in watching if order.source == source]
        for order in watching:
            if order.order_type == OrderType.TRAILING:
                choose = min if order.side == Side.BUY else max
                order.best = choose(order.best or price, price)
        met = [order for order in watching if order.is_met(price)]
        for order in sorted(met, key=self.nearest_first):
            self.come_due(order)

    @staticmethod
    def nearest_first(order: Order) -> tuple[bool, int, int]:
        distance = order.trigger_price if order.rising else -order.trigger_price
        return not order.rising, distance, order.accepted

    def trigger_due(self) -> None:
        for _ in range(TRIGGERED_A_ROW_MAX):
            due = [order for order in self.orders.values() if order.due]
            if not due or self.status != MarketStatus.ACTIVE:
                return
            self.trigger(min(due, key=lambda order: order.due))

    def trigger(self, order: Order) -> None:
        self.input_seq += 1
        self.say_about(order, EventKind.TRIGGERED, Reason.NONE, order.remaining)
        self.use_link(order)
        self.leave(order)
        self.row = self.placing(order)
        limits = limits_when_triggered(order.order_type)
        self.row["order_type"] = OrderType.LIMIT if limits else OrderType.MARKET
        self.row["flags"] &= OrderFlag.POST_ONLY | OrderFlag.REDUCE_ONLY
        self.row["trigger_ticks"] = 0
        self.come_in(triggered=True)

    def come_in(self, triggered: bool = False) -> None:
        if self.row["flags"] & OrderFlag.POST_ONLY and self.reachable():
            lots = self.row["quantity_lots"]
            self.say_of_command(EventKind.CANCELED, Reason.POST_ONLY_WOULD_TAKE, lots)
        else:
            self.take_terms(self.enter(triggered))

    def placing(self, order: Order) -> dict[str, int]:
        """The PLACE that the order would be now."""
        return {
            "kind": CommandKind.PLACE,
            "time_us": self.row["time_us"],
            "order_id": order.order_id,
            "account_id": order.account_id,
            "quantity_lots": order.remaining,
            "price_ticks": order.price,
            "side": order.side,
            "order_type": order.order_type or OrderType.LIMIT,
            "time_in_force": order.time_in_force,
            "flags": order.flags,
            "trigger_ticks": order.trigger,
            "expires_us": order.expires,
            "link_id": order.link,
        }

    def waiting_orders(self) -> list[Order]:
        waits = (order for order in self.orders.values() if not order.rests)
        return sorted(waits, key=lambda order: order.accepted)

    def expire_due(self) -> None:
        late = [o for o in self.orders.values() if 0 < o.expires <= self.row["time_us"]]
        self.input_seq += 1
        for order in sorted(late, key=lambda o: (o.expires, o.accepted))[:EXPIRED_A_ROW_MAX]:
            self.say_about(order, EventKind.EXPIRED, Reason.TIME, order.remaining)
            self.leave(order)
        self.input_seq -= 1

    def amend_refusal(self, order: Order | None, wish: dict[str, int], is_moved: bool) -> Reason:
        flags = self.row["flags"]
        if flags not in (0, OrderFlag.REDUCE_ONLY, OrderFlag.MAY_OPEN):
            return Reason.INVALID_COMMAND
        if self.status != MarketStatus.ACTIVE:
            halted = self.status == MarketStatus.HALTED
            return Reason.MARKET_HALTED if halted else Reason.MARKET_CANCEL_ONLY
        if order is None:
            return Reason.ORDER_NOT_OPEN
        if order.account_id != self.row["account_id"]:
            return Reason.USER_MISMATCH
        if order.rests and wish["trigger_ticks"]:
            return Reason.INVALID_COMMAND
        wrong = [reason for reason, is_so in self.wrong_values(wish).items() if is_so]
        nothing = self.reducible(order.account_id, order.side) == 0
        if is_moved and flags == OrderFlag.REDUCE_ONLY and nothing:
            wrong.append(Reason.REDUCE_ONLY_WOULD_INCREASE)
        return min(wrong, default=Reason.NONE)

    @staticmethod
    def leaves_its_place(order: Order, wish: dict[str, int]) -> bool:
        if (wish["price_ticks"], wish["trigger_ticks"]) != (order.price, order.trigger):
            return True
        return wish["quantity_lots"] > order.remaining

    def amend(self) -> None:
        asked, order = self.row, self.orders.get(self.row["order_id"])
        wish = self.placing(order) if order else {}
        wish["quantity_lots"] = wish.get("quantity_lots", 0) + asked["quantity_lots"]
        for name in ("price_ticks", "trigger_ticks"):
            wish[name] = asked[name] or wish.get(name, 0)
        is_moved = order is not None and self.leaves_its_place(order, wish)
        if is_moved and asked["flags"] & OrderFlag.MAY_OPEN:
            wish["flags"] -= wish["flags"] & OrderFlag.REDUCE_ONLY
        elif is_moved and asked["flags"] & OrderFlag.REDUCE_ONLY:
            wish["flags"] |= OrderFlag.REDUCE_ONLY
        reason = self.amend_refusal(order, wish, is_moved)
        if order and reason == Reason.NONE and order.rests and wish["flags"] & OrderFlag.POST_ONLY:
            self.row = wish
            reason = Reason.POST_ONLY_WOULD_TAKE if self.reachable() else reason
            self.row = asked
        if order is None or reason != Reason.NONE:
            self.say_plainly(EventKind.AMEND_REJECTED, reason)
            return
        self.row = wish
        if not is_moved and wish["quantity_lots"] < order.remaining:
            self.say_about(
                order, EventKind.REDUCED, Reason.REQUESTED, order.remaining - wish["quantity_lots"]
            )
            order.remaining = wish["quantity_lots"]
            return
        self.say_of_command(EventKind.AMENDED, Reason.NONE, wish["quantity_lots"])
        if is_moved:
            self.come_anew(order)

    def come_anew(self, order: Order) -> None:
        """The amended order leaves and comes in; its partner waits for it meanwhile."""
        del self.orders[order.order_id]
        if order.link in self.orders:
            self.orders[order.link].link = order.link
        if order.rests:
            self.come_in()
        else:
            self.stand_by()
