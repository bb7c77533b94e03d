"""An order as a client means it, and the states that it passes through."""

from dataclasses import dataclass
from enum import IntEnum

from sim.market import MarketSpec
from sim.rows.messages import OrderType, Side, TimeInForce


class OrderStatus(IntEnum):
    """Up to PARTIALLY_FILLED an order is open; from FILLED on nothing changes any more."""

    PENDING = 1
    OPEN = 2
    PARTIALLY_FILLED = 3
    FILLED = 4
    CANCELED = 5
    REJECTED = 6
    EXPIRED = 7

    @property
    def is_open(self) -> bool:
        """True while the order may still trade."""
        return self <= LAST_OPEN_STATUS


LAST_OPEN_STATUS = OrderStatus.PARTIALLY_FILLED
"""Statements that look for open orders compare with it."""


@dataclass(frozen=True)
class Terms:
    """What few orders have: a trigger, a time at which they end, another order linked with them.

    trigger_ticks   the price that it waits for, the distance of a TRAILING one; 0 for none
    on_mark         whether it waits for mark, not for the last trade
    expires_us      when it ends; 0 for never
    link            what its client calls the link
    """

    trigger_ticks: int = 0
    on_mark: bool = False
    expires_us: int = 0
    link: str | None = None


NO_TERMS = Terms()


@dataclass(frozen=True)
class PlaceOrder:
    """One order, on the grid of its market, not yet checked against money.

    price_ticks is 0 for one that is or becomes a MARKET order, leverage None where the one in force
    is meant. body_hash identifies what it means: the same client_order_id with another hash is
    another order under a used name.
    """

    account_id: int
    spec: MarketSpec
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity_lots: int
    price_ticks: int
    leverage: int | None
    reduce_only: bool
    post_only: bool
    client_order_id: str | None
    body_hash: bytes
    terms: Terms = NO_TERMS


@dataclass(frozen=True)
class AcceptedOrder:
    """The exchange's durable yes. `repeated` when an earlier request had made this order."""

    order_id: int
    status: OrderStatus
    repeated: bool
