"""Words and figures of orders that all families have in common: statuses, reasons, times in force,
prices and quantities as decimal text."""

from collections.abc import Sequence

from sim.market import MarketSpec
from sim.orders import OrderStatus
from sim.rows.messages import Reason, TimeInForce
from sim.units import format_steps
from storage.reading.order_lists import OrderView

GTD = "GTD"
"""GTC that ends at a time."""

ENDED_EARLY = (OrderStatus.CANCELED, OrderStatus.EXPIRED)
CANCEL_REASONS = {
    Reason.REQUESTED: "CLIENT",
    Reason.SELF_TRADE_PREVENTION: "SELF_TRADE",
}
"""Where clients' word is not the engine's."""

CANCELLED = "CANCELLED"
"""With two l, as all documents spell it."""


STATUSES = ("PENDING", "OPEN", "PARTIALLY_FILLED", "FILLED", "CANCELLED", "REJECTED", "EXPIRED")


def listed_statuses(text: str, known: Sequence[str]) -> str:
    """Statuses with commas between. Raises ValueError that names those that are known."""
    if set(text.split(",")) <= set(known):
        return text
    raise ValueError(f"must be of {', '.join(known)}, several with commas between")


def status_text(status: OrderStatus) -> str:
    """A status as clients name it."""
    return CANCELLED if status == OrderStatus.CANCELED else status.name


def status_of(text: str) -> OrderStatus:
    """And back."""
    return OrderStatus.CANCELED if text == CANCELLED else OrderStatus[text]


def statuses_of(text: str | None, is_open: bool | None) -> frozenset[OrderStatus] | None:
    """The statuses that a query asks for; None for all."""
    if text is None and is_open is None:
        return None
    named = OrderStatus if text is None else map(status_of, text.split(","))
    return frozenset(status for status in named if is_open in (None, status.is_open))


def cancel_reason(order: OrderView) -> str:
    """Who or what ended an order before it was filled."""
    return CANCEL_REASONS.get(order.reason, order.reason.name)


def time_in_force_of(text: str | None) -> TimeInForce | None:
    """A time in force by its name; None where none is said."""
    return None if text is None else TimeInForce.GTC if text == GTD else TimeInForce[text]


def time_in_force_text(order: OrderView) -> str:
    """And back."""
    return GTD if order.expires_us else order.time_in_force.name


def price_text(spec: MarketSpec, ticks: int) -> str:
    """Ticks as a decimal price."""
    return format_steps(ticks, spec.tick_size)


def quantity_text(spec: MarketSpec, lots: int) -> str:
    """Lots as a decimal quantity."""
    return format_steps(lots, spec.lot_size)
