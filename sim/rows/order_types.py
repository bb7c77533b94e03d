"""What its type says of an order: plain functions of integers, for Python and for kernels alike."""

from sim.rows.kernels import rule
from sim.rows.messages import OrderType, TimeInForce

LIMIT, MARKET = int(OrderType.LIMIT), int(OrderType.MARKET)
STOP, TRAILING = int(OrderType.STOP), int(OrderType.TRAILING)
STOP_LIMIT, TAKE_PROFIT_LIMIT = int(OrderType.STOP_LIMIT), int(OrderType.TAKE_PROFIT_LIMIT)
LAST_TYPE, GTC = int(max(OrderType)), int(TimeInForce.GTC)


@rule
def waits_for_trigger(order_type: int) -> bool:
    """Whether an order of this type waits before it comes in."""
    return order_type > MARKET


@rule
def type_when_triggered(order_type: int) -> int:
    """LIMIT or MARKET, what an order is once it no longer waits."""
    return LIMIT if order_type in (LIMIT, STOP_LIMIT, TAKE_PROFIT_LIMIT) else MARKET


@rule
def is_stop(order_type: int) -> bool:
    """Of one that waits: whether it is met by a price that goes against whoever has the position
    that it closes; else it takes a profit."""
    return order_type in (STOP, STOP_LIMIT, TRAILING)


@rule
def may_have_terms(order_type: int, time_in_force: int) -> bool:
    """Whether an order stands: only then can it end at a time or be linked."""
    return waits_for_trigger(order_type) or (order_type == LIMIT and time_in_force == GTC)
