"""What few orders have: a trigger, a time at which they end, a link. From a client's words."""

from dataclasses import dataclass

from api.desk.on_grid import impossible, on_grid
from sim.market import MarketSpec
from sim.orders import NO_TERMS, Terms
from sim.refusals import Name
from sim.rows.messages import OrderType, TimeInForce
from sim.rows.order_types import may_have_terms, waits_for_trigger


@dataclass(frozen=True)
class TermsWish:
    """Terms in a client's words; None is not given.

    until_a_time   whether its time in force says that it ends at a time
    """

    trigger_price: str | None = None
    trailing_offset: str | None = None
    on_mark: bool | None = None
    until_a_time: bool = False
    expires_us: int | None = None
    link: str | None = None


def called(order_type: OrderType) -> str:
    """An order of this type, at the beginning of a sentence."""
    return "A trailing stop" if order_type == OrderType.TRAILING else f"A {order_type.name} order"


def checked_terms(
    order_type: OrderType, time_in_force: TimeInForce, wish: TermsWish, spec: MarketSpec
) -> Terms:
    """The terms, legal for the order's type. Raises Refused INVALID_ORDER."""
    trigger_ticks = checked_trigger(order_type, wish, spec)
    check_standing(order_type, time_in_force, wish)
    terms = Terms(trigger_ticks, wish.on_mark is True, wish.expires_us or 0, wish.link)
    return NO_TERMS if terms == NO_TERMS else terms


def checked_trigger(order_type: OrderType, wish: TermsWish, spec: MarketSpec) -> int:
    """The trigger price, or a trailing stop's distance, in ticks; 0 where nothing is waited for."""
    who, waits = called(order_type), waits_for_trigger(order_type)
    if wish.on_mark is not None and not waits:
        raise impossible(Name.TRIGGER_BY, f"{who} waits for no price")
    if wish.trailing_offset is not None and order_type != OrderType.TRAILING:
        raise impossible(Name.TRAILING_OFFSET, f"{who} has no {Name.TRAILING_OFFSET}")
    if order_type == OrderType.TRAILING:
        if wish.trigger_price is not None:
            raise impossible(
                Name.TRIGGER_PRICE, f"{who} has no {Name.TRIGGER_PRICE}: it follows the price"
            )
        return needed(Name.TRAILING_OFFSET, who, wish.trailing_offset, spec)
    if waits:
        return needed(Name.TRIGGER_PRICE, who, wish.trigger_price, spec)
    if wish.trigger_price is not None:
        raise impossible(Name.TRIGGER_PRICE, f"{who} waits for no price")
    return 0


def needed(field: Name, who: str, text: str | None, spec: MarketSpec) -> int:
    """A price or distance that an order cannot be without, in ticks."""
    if text is None:
        raise impossible(field, f"{who} needs a {field}")
    return on_grid(field, text, spec.tick_size, 1, spec.max_price_ticks)


def check_standing(order_type: OrderType, time_in_force: TimeInForce, wish: TermsWish) -> None:
    """Only what stands ends at a time or is linked. Raises Refused."""
    if wish.until_a_time and wish.expires_us is None:
        raise impossible(Name.EXPIRES_AT, f"{Name.TIME_IN_FORCE} GTD needs {Name.EXPIRES_AT}")
    if wish.expires_us is not None and not wish.until_a_time:
        raise impossible(Name.EXPIRES_AT, f"{Name.EXPIRES_AT} needs {Name.TIME_IN_FORCE} GTD")
    if may_have_terms(order_type, time_in_force):
        return
    if wish.until_a_time:
        raise impossible(
            Name.TIME_IN_FORCE, f"{called(order_type)} trades at once: it cannot end at a time"
        )
    if wish.link is not None:
        raise impossible(
            Name.LINK_ID,
            f"{Name.LINK_ID} needs an order that stands: one that waits for a trigger, or a LIMIT"
            f" order with {Name.TIME_IN_FORCE} GTC or GTD",
        )


def words_of(terms: Terms) -> str:
    """What terms add to an order's meaning; nothing where it has none."""
    if terms is NO_TERMS:
        return ""
    return f"|{terms.trigger_ticks}|{terms.on_mark:d}|{terms.expires_us}|{terms.link}"
