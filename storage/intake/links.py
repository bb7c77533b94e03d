"""Two orders of which a fill or the trigger of one cancels the other, linked by a client's name.

The first open order with a name in its market begins a link, the next one completes it. The market
knows a link by the first order's id, so an order that is linked has its id before it is written.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg

from sim.orders import OrderStatus, PlaceOrder
from sim.refusals import Name, Refusal, Refused
from sim.rows.messages import OrderType, Side
from sim.rows.order_types import waits_for_trigger
from storage.order_states import ENDED, OPEN

NUMBERS = "SELECT nextval('order_ids') FROM generate_series(1, %s)"
"""Drawn after the accounts are read: whoever orders in between draws less or changes the version,
so an account's ids still follow its orders."""

LEGS = f"""
SELECT o.account_id, o.market_id, o.link_id, o.id, o.side, o.order_type,
    o.filled_lots > 0 OR o.triggered_at_us > 0 OR EXISTS (
        SELECT FROM orders p WHERE p.link_order_id = o.link_order_id AND p.id <> o.id
            AND p.{ENDED} AND p.status <> {OrderStatus.REJECTED:d})
FROM unnest(%b::bigint[], %b::text[], %b::text[]) AS asked(account_id, market_id, link_id)
JOIN orders o USING (account_id, market_id, link_id)
WHERE o.{OPEN} ORDER BY o.id"""
"""Open orders with these names. One whose partner came and ended stands alone for good; one that
the market rejected never was a partner."""

Link = tuple[int, str, str]
"""Account, market, and the client's name."""


@dataclass(frozen=True)
class Leg:
    """An open order with a link; `is_used` where it has traded, was triggered, or lost its
    partner."""

    order_id: int
    side: Side
    waits: bool
    is_used: bool = False


class Linked(NamedTuple):
    """An order's own id, and the id that the market knows its link by."""

    order_id: int
    link_order_id: int


@dataclass
class Links:
    """The open orders of each link that a batch names, and ids for the batch's own."""

    legs: dict[Link, list[Leg]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: iter(()))


def check_link(order: PlaceOrder, links: Links) -> None:
    """Raises Refused where the market would not link the order."""
    name = order.terms.link
    legs = links.legs.get((order.account_id, order.spec.market_id, str(name)), [])
    if name is None or not legs:
        return
    if len(legs) > 1:
        raise not_linked(f"{name} links two open orders already", legs[0])
    if legs[0].is_used:
        raise not_linked(f"{name} links nothing more: its open order has traded, was triggered,"
                         " or lost its partner", legs[0])  # fmt: skip
    waits = waits_for_trigger(order.order_type) or legs[0].waits
    if not waits and order.side == legs[0].side:
        raise not_linked(
            f"{name} links a {order.side.name} LIMIT order already: of two that rest, the other"
            " one is on the other side, or else one waits for a trigger",
            legs[0],
        )


def linked(order: PlaceOrder, links: Links) -> Linked | None:
    """An accepted order joins its link, if it has one."""
    if order.terms.link is None:
        return None
    key = (order.account_id, order.spec.market_id, order.terms.link)
    legs, order_id = links.legs.setdefault(key, []), next(links.numbers)
    legs.append(Leg(order_id, order.side, waits_for_trigger(order.order_type)))
    return Linked(order_id, legs[0].order_id)


def not_linked(why: str, leg: Leg) -> Refused:
    """The refusal of a link."""
    details = {"field": Name.LINK_ID, "order_id": leg.order_id}
    return Refused(Refusal.INVALID_ORDER, f"{Name.LINK_ID} {why}", details)


async def load_links(
    connection: psycopg.AsyncConnection[Any], orders: Sequence[PlaceOrder]
) -> Links:
    """What is known of the links that these orders name, in a pipeline behind their accounts."""
    keys = [
        (order.account_id, order.spec.market_id, order.terms.link)
        for order in orders
        if order.terms.link is not None
    ]
    if not keys:
        return Links()
    numbers = await connection.execute(NUMBERS, (len(keys),))
    found = await connection.execute(LEGS, tuple(map(list, zip(*keys, strict=True))))
    links = Links(numbers=iter([row[0] for row in await numbers.fetchall()]))
    for account_id, market_id, name, order_id, side, order_type, is_used in await found.fetchall():
        leg = Leg(order_id, Side(side), waits_for_trigger(OrderType(order_type)), is_used)
        links.legs.setdefault((account_id, market_id, name), []).append(leg)
    return links
