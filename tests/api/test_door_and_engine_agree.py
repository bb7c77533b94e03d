"""What the door takes the engine takes; what it refuses of an order's words the engine would."""

from itertools import product

import numpy as np
import pytest

from api.desk.order_terms import TermsWish, checked_terms
from api.desk.orders import OrderWish, checked_price, checked_time_in_force
from sim.book.engine import MarketEngine
from sim.orders import NO_TERMS, PlaceOrder, Terms
from sim.refusals import Refused
from sim.rows.messages import EventKind, OrderType, Reason, Side, TimeInForce, empty_commands
from storage.intake.accept_sql import payloads
from storage.intake.accept_state import AcceptedRow
from storage.intake.links import Linked
from tests.builders import order
from tests.markets import ETH_PERP

YES_NO = (False, True)
WORDS = list(product(OrderType, TimeInForce, YES_NO, YES_NO, YES_NO, YES_NO))
"""Type, time in force, post-only, a trigger, an end, a link."""


def wish_of(words: tuple[OrderType, TimeInForce, bool, bool, bool, bool]) -> OrderWish:
    kind, tif, post_only, has_trigger, ends, is_linked = words
    is_trailing = kind == OrderType.TRAILING
    price = "59" if kind.name.endswith("LIMIT") else None
    trigger = "60" if has_trigger else None
    terms = TermsWish(
        trigger_price=None if is_trailing else trigger,
        trailing_offset=trigger if is_trailing else None,
        until_a_time=ends,
        expires_us=10**15 if ends else None,
        link="x" if is_linked else None,
    )
    return OrderWish(
        "ETH-PERP", Side.BUY, kind, tif, "1", price, None, False, post_only, None, terms
    )


def placed(wish: OrderWish, terms: Terms) -> PlaceOrder:
    """The order as it comes to the market, whatever the door says of it."""
    assert wish.time_in_force is not None
    return order(
        1,
        order_type=wish.order_type,
        time_in_force=wish.time_in_force,
        price_ticks=5_900 if wish.price is not None else 0,
        post_only=wish.post_only,
        terms=terms,
    )


def raw(wish: OrderWish) -> Terms:
    """Its terms in the engine's numbers, unchecked."""
    has_trigger = wish.terms.trigger_price or wish.terms.trailing_offset
    return Terms(6_000 if has_trigger else 0, False, wish.terms.expires_us or 0, wish.terms.link)


def reason_of(wish: OrderWish, terms: Terms) -> Reason:
    """Why a quiet market rejects the order; NONE where it does not."""
    linked = Linked(7, 7) if terms.link is not None else None
    row = AcceptedRow(placed(wish, terms), 0, 5_900, 10, False, True, linked)
    command = np.frombuffer(payloads([row])[0], empty_commands(0).dtype).copy()
    command["order_id"] = 7
    (event, *_) = MarketEngine(ETH_PERP).apply(command)
    return Reason(int(event["reason"])) if event["kind"] == EventKind.REJECTED else Reason.NONE


def refusal_of(wish: OrderWish) -> str | None:
    """What the door says no with."""
    try:
        tif = checked_time_in_force(wish)
        checked_price(wish, ETH_PERP)
        assert checked_terms(wish.order_type, tif, wish.terms, ETH_PERP) == raw(wish)
    except Refused as refused:
        return refused.message
    return None


@pytest.mark.parametrize("kind", OrderType)
def test_the_door_refuses_what_the_engine_rejects_and_nothing_else(kind: OrderType) -> None:
    for words in WORDS:
        if words[0] == kind:
            wish = wish_of(words)
            refused, rejected = refusal_of(wish), reason_of(wish, raw(wish) or NO_TERMS)
            assert (refused is None) == (rejected == Reason.NONE), (words, refused, rejected)
