"""Amending an order that is open."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.desk.amendments import AmendWish, amend_order
from api.desk.identifiers import parse_order_id
from api.door.answers import reply
from api.door.callers import AccountTrader, IdempotencyKey
from api.door.describing import documented
from api.door.routing import ExactRoute, services_of
from api.flux.answers import PlacedAnswer
from api.flux.schemas import AmendSent
from sim.refusals import Refusal, Refused

router = APIRouter(route_class=ExactRoute, tags=["Orders"])

PENDING_AMEND = "PENDING_AMEND"
AMENDING = {"orderId": "order_123", "status": PENDING_AMEND}


@router.patch(
    "/orders/{order_id}",
    summary="Amend order",
    **documented(202, PlacedAnswer, 404, 409, example=AMENDING),
)
async def patch_order(
    order_id: str,
    sent: AmendSent,
    holder: AccountTrader,
    request: Request,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Asks the market for another quantity, price or trigger of an open order; how it ended is told
    by the order. Less at the same price keeps its place in the book."""
    number = parse_order_id(order_id)
    if number is None:
        raise Refused(Refusal.ORDER_NOT_FOUND, "No such order")
    wish = AmendWish(sent.quantity, sent.price, sent.trigger_price, sent.trailing_offset)
    whose = (holder.account_id, holder.user_id)
    await amend_order(services_of(request).pool, whose, number, wish, idempotency_key)
    return reply(PlacedAnswer(order_id=order_id, status=PENDING_AMEND), 202)
