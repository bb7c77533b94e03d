"""Orders in Flux's words: what a client sends as the desk has it, and back."""

from api.desk.order_terms import TermsWish
from api.desk.order_words import GTD, time_in_force_of
from api.desk.orders import OrderWish
from api.flux.schemas import OrderSent
from sim.market import MarketSpec
from sim.rows.messages import OrderType, Side
from sim.rows.order_types import waits_for_trigger
from sim.units import format_steps
from storage.reading.order_lists import OrderView

TRAILING_STOP = "TRAILING_STOP"
"""Flux's name of what the engine calls TRAILING."""


def type_of(text: str) -> OrderType:
    """An order's type by Flux's name."""
    return OrderType.TRAILING if text == TRAILING_STOP else OrderType[text]


def type_text(order_type: OrderType) -> str:
    """And back."""
    return TRAILING_STOP if order_type == OrderType.TRAILING else order_type.name


def wish_of(sent: OrderSent) -> OrderWish:
    """Flux's order in the desk's words."""
    return OrderWish(
        market_id=sent.market_id,
        side=Side[sent.side],
        order_type=type_of(sent.type),
        time_in_force=time_in_force_of(sent.time_in_force),
        quantity=sent.quantity,
        price=sent.price,
        leverage=sent.leverage,
        reduce_only=sent.reduce_only,
        post_only=sent.post_only,
        client_order_id=sent.client_order_id,
        terms=TermsWish(
            trigger_price=sent.trigger_price,
            trailing_offset=sent.trailing_offset,
            on_mark=sent.trigger_by == "MARK" if sent.trigger_by is not None else None,
            until_a_time=sent.time_in_force == GTD,
            expires_us=sent.expires_at * 1_000 if sent.expires_at is not None else None,
            link=sent.link_id,
        ),
    )


def terms_told(order: OrderView, spec: MarketSpec) -> dict[str, object]:
    """The fields of OrderAnswer that few orders have; of a plain order none."""
    told: dict[str, object] = {}
    if waits_for_trigger(order.order_type):
        is_distance = order.order_type == OrderType.TRAILING
        field = "trailing_offset" if is_distance else "trigger_price"
        told[field] = format_steps(order.trigger_ticks, spec.tick_size)
        told["trigger_by"] = "MARK" if order.on_mark else "LAST"
        told["triggered"] = order.triggered_at_us > 0
    if order.triggered_at_us:
        told["triggered_at"] = order.triggered_at_us // 1_000
    if order.expires_us:
        told["expires_at"] = order.expires_us // 1_000
    if order.link_id is not None:
        told["link_id"] = order.link_id
    if order.amend_pending:
        told["amend_pending"] = True
    elif order.amend_reason:
        told["amend_rejection_reason"] = order.amend_reason.name
    return told
