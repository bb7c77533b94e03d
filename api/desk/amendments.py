"""Amending an open order: what of it is to be otherwise, in a client's words."""

from dataclasses import dataclass, replace
from decimal import Decimal

from api.desk.digests import digest
from api.desk.on_grid import impossible, off_grid, on_grid
from api.desk.order_terms import TermsWish, called, checked_trigger
from sim.market import MarketSpec
from sim.refusals import Name, Refusal, Refused
from sim.rows.messages import OrderType
from sim.rows.order_types import LIMIT, type_when_triggered, waits_for_trigger
from sim.units import format_steps, shortest
from storage.intake.amendments import OpenOrder, amend
from storage.intake.idempotency import Asked, Outcome, once
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import Connection

ROUTE = "orders/amend"


@dataclass(frozen=True)
class AmendWish:
    """What is to be otherwise, as decimal text; None stays as it is.

    quantity   what the order is for in all, with what is filled of it
    """

    quantity: str | None
    price: str | None
    trigger_price: str | None
    trailing_offset: str | None


async def amend_order(
    pool: AsyncPool, whose: tuple[int, int], order_id: int, wish: AmendWish, key: str | None
) -> None:
    """Ask the market to make an open order what is wished. Raises Refused.

    whose   the account and the user who asks
    """
    account_id, asker = whose
    asked = Asked(account_id, ROUTE, meaning_of(order_id, wish), key, asker)

    async def work(connection: Connection) -> Outcome:
        await amend(connection, asked, order_id, lambda order: amended(order, wish))
        return {}

    await once(pool, asked, work)


def meaning_of(order_id: int, wish: AmendWish) -> bytes:
    """What makes two requests the same amendment, however its decimals are spelled."""
    texts = vars(wish).values()
    return digest(str(order_id), *(repr(text and shortest(text)) for text in texts))


def amended(order: OpenOrder, wish: AmendWish) -> OpenOrder:
    """The order as it is wished, legal in its market. Raises Refused INVALID_ORDER."""
    place = order.place
    if place.order_type == OrderType.MARKET:
        raise Refused(Refusal.INVALID_ORDER, "A MARKET order trades at once, as it is")
    quantity_lots = wished_quantity(order, wish.quantity)
    terms = replace(place.terms, trigger_ticks=wished_trigger(order, wish))
    price_ticks = wished_price(place.order_type, place.price_ticks, wish.price, place.spec)
    changed = replace(place, quantity_lots=quantity_lots, price_ticks=price_ticks, terms=terms)
    return replace(order, place=changed)


def wished_quantity(order: OpenOrder, text: str | None) -> int:
    """The lots that the order is to be for. Raises Refused where as many are filled already."""
    spec = order.place.spec
    if text is None:
        return order.place.quantity_lots
    least = order.filled_lots + (1 if order.place.reduce_only else spec.min_quantity_lots)
    if order.filled_lots and Decimal(text) < least * spec.lot_size:
        raise too_little(text, order.filled_lots, least, spec)
    return on_grid(Name.QUANTITY, text, spec.lot_size, least, spec.max_quantity_lots)


def too_little(text: str, filled_lots: int, least_lots: int, spec: MarketSpec) -> Refused:
    """The refusal of a quantity that leaves nothing, or not enough, behind what is filled."""
    filled = format_steps(filled_lots, spec.lot_size)
    refused = off_grid(Name.QUANTITY, text, spec.lot_size, least_lots)
    refused.details["filled"] = filled
    sentence = (
        f"{Name.QUANTITY} {text} is too little: {filled} of the order is filled, which counts with"
        f" it; the nearest valid value is {refused.details['nearest']}"
    )
    return Refused(refused.refusal, sentence, refused.details)


def wished_price(order_type: OrderType, now_ticks: int, text: str | None, spec: MarketSpec) -> int:
    """The limit that the order is to have, in ticks; as it is where none is wished."""
    if text is None:
        return now_ticks
    if type_when_triggered(order_type) != LIMIT:
        raise impossible(Name.PRICE, f"{called(order_type)} has no price")
    return on_grid(Name.PRICE, text, spec.tick_size, 1, spec.max_price_ticks)


def wished_trigger(order: OpenOrder, wish: AmendWish) -> int:
    """The trigger or distance that the order is to have, in ticks."""
    place = order.place
    if wish.trigger_price is None and wish.trailing_offset is None:
        return place.terms.trigger_ticks
    if waits_for_trigger(place.order_type) and order.is_triggered:
        field = Name.TRIGGER_PRICE if wish.trigger_price is not None else Name.TRAILING_OFFSET
        raise impossible(field, "The order was triggered already")
    wished = TermsWish(trigger_price=wish.trigger_price, trailing_offset=wish.trailing_offset)
    return checked_trigger(place.order_type, wished, place.spec)
