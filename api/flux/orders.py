"""Orders: place, cancel, and the dead-man switch."""

import re
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.desk import transfers
from api.desk.identifiers import order_id_text, parse_order_id
from api.desk.orders import OrderWish, build_order
from api.flux.answers import (
    BatchAnswer,
    BatchEntry,
    CancelAfterAnswer,
    CancelAllAnswer,
    ErrorInside,
    PlacedAnswer,
)
from api.flux.callers import Bearer, IdempotencyKey, Trader
from api.flux.describing import documented
from api.flux.envelope import error_of, reply
from api.flux.schemas import BatchSent, CancelAfterSent, CancelAsked, OrderSent
from api.flux.wording import status_text
from api.front import call_of
from api.limits import RateKind, too_many
from api.routing import ExactRoute, services_of
from sim.messages import OrderType, Side, TimeInForce
from sim.orders import AcceptedOrder, PlaceOrder
from sim.refusals import Refusal, Refused
from storage.cancels import request_cancel, request_cancel_all

router = APIRouter(route_class=ExactRoute, tags=["Orders"])

PENDING_CANCEL = "PENDING_CANCEL"
CANCELLING = {"orderId": "order_123", "status": PENDING_CANCEL}
PLAIN_ID = re.compile(r"[A-Za-z0-9-]+")


@router.post("/orders", summary="Submit order", **documented(202, PlacedAnswer, 404, 409))
async def post_order(
    sent: OrderSent, account_id: Bearer, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Durably accepted; matched afterwards. The same request again is the same order."""
    services = services_of(request)
    order = await build_order(services.markets, account_id, wish_of(sent), idempotency_key)
    placed = await services.acceptor.place(order)
    body = f'{{"orderId":"order_{placed.order_id}","status":"{status_text(placed.status)}"}}'
    return Response(body, 202, media_type="application/json")


@router.post("/orders/batch", summary="Submit orders", **documented(202, BatchAnswer, 409))
async def post_orders(
    sent: BatchSent, caller: Trader, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Up to 100 orders, each accepted or refused by itself; `results` is in their order."""
    services, call = services_of(request), call_of(request.scope)
    check_batch_size(len(sent.orders), services.rates.most(RateKind.ORDER))
    call.window = services.rates.hit(RateKind.ORDER, call.principal, len(sent.orders) - 1)
    if not call.window.allowed:
        raise too_many(call.window)
    answers: list[PlaceOrder | AcceptedOrder | Refused] = []
    for number, order in enumerate(sent.orders):
        key = f"{idempotency_key}#{number}" if idempotency_key is not None else None
        try:
            wish = wish_of(order)
            answers.append(await build_order(services.markets, caller.user_id, wish, key))
        except Refused as refused:
            answers.append(refused)
    legal = [answer for answer in answers if isinstance(answer, PlaceOrder)]
    decided = iter(await services.acceptor.place_many(legal))
    settled = [next(decided) if isinstance(answer, PlaceOrder) else answer for answer in answers]
    return reply(BatchAnswer(results=[entry_of(answer, request) for answer in settled]), 202)


@router.delete(
    "/orders/{order_id}",
    summary="Cancel order",
    **documented(202, PlacedAnswer, 404, 409, example=CANCELLING),
)
async def delete_order(order_id: str, caller: Trader, request: Request) -> Response:
    """Asks the market to cancel; how it ended is told by the order."""
    number = parse_order_id(order_id)
    if number is None:
        raise Refused(Refusal.ORDER_NOT_FOUND, "No such order")
    await request_cancel(services_of(request).pool, caller.user_id, number)
    return reply(PlacedAnswer(order_id=order_id, status=PENDING_CANCEL), 202)


@router.delete("/orders", summary="Cancel all orders", **documented(202, CancelAllAnswer, 404, 409))
async def delete_orders(
    query: Annotated[CancelAsked, Query()], caller: Trader, request: Request
) -> Response:
    """All open orders, or those of one market."""
    services = services_of(request)
    if query.market_id is not None and await services.markets.find(query.market_id) is None:
        raise Refused(Refusal.MARKET_NOT_FOUND, "No such market")
    asked = await request_cancel_all(services.pool, caller.user_id, query.market_id)
    answer = CancelAllAnswer(
        requested=asked.requested,
        status=PENDING_CANCEL,
        halted_markets=list(asked.halted) or None,
    )
    return reply(answer, 202)


@router.post(
    "/account/cancel-after", summary="Dead-man switch", **documented(200, CancelAfterAnswer, 409)
)
async def post_cancel_after(
    sent: CancelAfterSent, caller: Trader, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Cancels all orders after `timeoutMs` unless sent again before; 0 takes the switch away."""
    deadline_us = await transfers.switch(
        services_of(request).pool, caller.user_id, sent.timeout_ms, idempotency_key
    )
    cancel_at = deadline_us // 1_000 if deadline_us is not None else None
    return reply(CancelAfterAnswer(cancel_at=cancel_at))


def check_batch_size(orders: int, most: int) -> None:
    """Refuses a batch that no waiting would ever let pass."""
    if orders > most:
        raise Refused(
            Refusal.INVALID_REQUEST,
            f"orders: at most {most} orders may be sent at once, which is the rate of orders",
            {"most": most},
        )


def wish_of(sent: OrderSent) -> OrderWish:
    """Flux's order in the desk's words."""
    tif = sent.time_in_force
    return OrderWish(
        market_id=sent.market_id,
        side=Side[sent.side],
        order_type=OrderType[sent.type],
        time_in_force=TimeInForce[tif] if tif is not None else None,
        quantity=sent.quantity,
        price=sent.price,
        leverage=sent.leverage,
        reduce_only=sent.reduce_only,
        post_only=sent.post_only,
        client_order_id=sent.client_order_id,
    )


def entry_of(answer: AcceptedOrder | Refused, request: Request) -> BatchEntry:
    """One line of a batch's answer."""
    if isinstance(answer, Refused):
        inside = ErrorInside.model_validate(error_of(answer, request.scope))
        return BatchEntry(error=inside)
    return BatchEntry(order_id=order_id_text(answer.order_id), status=status_text(answer.status))
