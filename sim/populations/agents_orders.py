"""Orders of agents' sessions as COMMAND rows: those that trade at once, and exits that wait."""

from collections.abc import Sequence
from typing import NamedTuple

from sim.market import MarketSpec
from sim.money.waiting import worst_behind_ticks
from sim.populations.command_rows import LEVERAGE
from sim.rows.messages import (
    CommandKind,
    OrderFlag,
    OrderType,
    Rows,
    Side,
    TimeInForce,
    empty_commands,
)


class SessionOrder(NamedTuple):
    """An order of the head in a place of the population."""

    head: int
    side: Side
    order_type: OrderType
    price_ticks: int
    lots: int
    flags: int
    trigger_ticks: int = 0


def at_once(head: int, side: Side, limit_ticks: int, lots: int, reduces: bool) -> SessionOrder:
    """One that trades at once, no further than its limit."""
    flags = int(OrderFlag.REDUCE_ONLY) if reduces else 0
    return SessionOrder(head, side, OrderType.MARKET, limit_ticks, lots, flags)


def leaving(
    head: int, side: Side, lots: int, at: tuple[OrderType, int], spec: MarketSpec
) -> SessionOrder:
    """One that leaves a position where mark comes to a price; `at` is its type, and the price."""
    kind, trigger_ticks = at
    limit_ticks = worst_behind_ticks(trigger_ticks, side, spec)
    flags = int(OrderFlag.REDUCE_ONLY | OrderFlag.TRIGGER_ON_MARK)
    return SessionOrder(head, side, kind, limit_ticks, lots, flags, trigger_ticks)


def rows_of(orders: Sequence[SessionOrder], first_account: int) -> Rows:
    """COMMAND rows, in the order of the orders."""
    rows = empty_commands(len(orders))
    for row, order in zip(rows, orders, strict=True):
        waits = order.order_type != OrderType.MARKET
        row["kind"], row["account_id"] = CommandKind.PLACE, first_account + order.head
        row["side"], row["order_type"] = order.side, order.order_type
        row["time_in_force"] = TimeInForce.GTC if waits else TimeInForce.IOC
        row["price_ticks"], row["quantity_lots"] = order.price_ticks, order.lots
        row["flags"], row["trigger_ticks"] = order.flags, order.trigger_ticks
        row["leverage"] = LEVERAGE
    return rows
