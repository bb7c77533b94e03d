"""Orders: place, cancel, and the dead-man switch."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.desk import transfers
from api.desk.cancels import cancel_batch, cancel_named
from api.desk.identifiers import NOBODYS_ORDER, order_id_text, parse_order_id
from api.desk.order_words import status_text
from api.desk.orders import Unreadable, build_batch, build_order, find_market
from api.door.answers import milliseconds, reply
from api.door.callers import AccountTrader, ChosenAccount, IdempotencyKey
from api.door.describing import documented
from api.door.limits import RateKind
from api.door.routing import ExactRoute, count_more, services_of
from api.flux.answers import (
    BatchAnswer,
    BatchEntry,
    CancelAfterAnswer,
    CancelAllAnswer,
    CancelBatchAnswer,
    CancelEntry,
    ErrorInside,
    PlacedAnswer,
)
from api.flux.envelope import error_of
from api.flux.order_words import wish_of
from api.flux.schemas import (
    BatchSent,
    CancelAfterSent,
    CancelAsked,
    CancelBatchSent,
    CancelSent,
    OrderSent,
)
from sim.orders import AcceptedOrder
from sim.refusals import Refusal, Refused
from storage.intake.cancels import request_cancel, request_cancel_all

router = APIRouter(route_class=ExactRoute, tags=["Orders"])

PENDING_CANCEL = "PENDING_CANCEL"
CANCELLING = {"orderId": "order_123", "status": PENDING_CANCEL}


@router.post("/orders", summary="Submit order", **documented(202, PlacedAnswer, 404, 409))
async def post_order(
    sent: OrderSent, chosen: ChosenAccount, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Durably accepted; matched afterwards. The same request again is the same order."""
    services = services_of(request)
    order = await build_order(services.markets, chosen.account_id, wish_of(sent))
    placed = await services.acceptor.place(order, idempotency_key, chosen.user_id)
    body = f'{{"orderId":"order_{placed.order_id}","status":"{status_text(placed.status)}"}}'
    return Response(body, 202, media_type="application/json")


@router.post("/orders/batch", summary="Submit orders", **documented(202, BatchAnswer, 404, 409))
async def post_orders(
    sent: BatchSent, holder: AccountTrader, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Up to 100 orders, each accepted or refused by itself; `results` is in their order."""
    services = services_of(request)
    count_orders(request, len(sent.orders), RateKind.ORDER)
    entries: list[OrderSent | Unreadable] = list(sent.orders)
    wishes = [entry if isinstance(entry, Unreadable) else wish_of(entry) for entry in entries]
    whose = (holder.account_id, holder.user_id)
    batch = await build_batch(services.markets, whose, wishes, idempotency_key)
    answers = await services.acceptor.request(batch)
    return reply(BatchAnswer(results=[entry_of(answer, request) for answer in answers]), 202)


@router.post(
    "/orders/cancel-batch", summary="Cancel orders", **documented(202, CancelBatchAnswer, 404, 409)
)
async def post_cancels(
    sent: CancelBatchSent,
    holder: AccountTrader,
    request: Request,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Up to 100 orders by `orderId` or `clientOrderId`, each asked to be cancelled or refused by
    itself; `results` is in their order."""
    count_orders(request, len(sent.orders), RateKind.CANCEL)
    entries: list[CancelSent | Unreadable] = list(sent.orders)
    named = [name_of(entry) for entry in entries if isinstance(entry, CancelSent)]
    pool = services_of(request).pool
    decided = iter(await cancel_batch(pool, holder.account_id, named, idempotency_key))
    results = [
        refused_entry(entry.refused, request)
        if isinstance(entry, Unreadable)
        else cancelled_entry(entry, next(decided), request)
        for entry in entries
    ]
    return reply(CancelBatchAnswer(results=results), 202)


@router.delete(
    "/orders/{order_id}",
    summary="Cancel order",
    **documented(202, PlacedAnswer, 404, 409, example=CANCELLING),
)
async def delete_order(order_id: str, holder: AccountTrader, request: Request) -> Response:
    """Asks the market to cancel; how it ended is told by the order."""
    number = parse_order_id(order_id)
    if number is None:
        raise Refused(Refusal.ORDER_NOT_FOUND, "No such order")
    await request_cancel(services_of(request).pool, holder.account_id, number)
    return reply(PlacedAnswer(order_id=order_id, status=PENDING_CANCEL), 202)


@router.delete("/orders", summary="Cancel all orders", **documented(202, CancelAllAnswer, 404, 409))
async def delete_orders(
    query: Annotated[CancelAsked, Query()], holder: AccountTrader, request: Request
) -> Response:
    """All open orders, those of one market, or the one with this `clientOrderId`."""
    services, name = services_of(request), query.client_order_id
    if query.market_id is not None:
        await find_market(services.markets, query.market_id)
    if name is not None:
        if query.market_id is not None:
            raise Refused(Refusal.INVALID_REQUEST, "clientOrderId: names one order by itself")
        number = await cancel_named(services.pool, holder.account_id, name)
        answer = CancelAllAnswer(requested=1, status=PENDING_CANCEL, order_id=order_id_text(number))
        return reply(answer, 202)
    asked = await request_cancel_all(services.pool, holder.account_id, query.market_id)
    answer = CancelAllAnswer(
        requested=asked.requested,
        status=PENDING_CANCEL,
        halted_markets=list(asked.halted) or None,
    )
    return reply(answer, 202)


@router.post(
    "/account/cancel-after",
    summary="Dead-man switch",
    **documented(200, CancelAfterAnswer, 404, 409),
)
async def post_cancel_after(
    sent: CancelAfterSent,
    holder: AccountTrader,
    request: Request,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Cancels all orders after `timeoutMs` unless sent again before; 0 takes the switch away."""
    deadline_us = await transfers.switch(
        services_of(request).pool, holder.account_id, sent.timeout_ms, idempotency_key
    )
    return reply(CancelAfterAnswer(cancel_at=milliseconds(deadline_us)))


def check_batch_size(orders: int, most: int) -> None:
    """Refuses a batch that no waiting would ever let pass."""
    if orders > most:
        raise Refused(
            Refusal.INVALID_REQUEST,
            f"orders: at most {most} orders may be sent at once, which is the rate of orders",
            {"most": most},
        )


def count_orders(request: Request, orders: int, kind: RateKind) -> None:
    """A list counts as many times as it has orders. Raises Refused."""
    check_batch_size(orders, services_of(request).rates.most(kind))
    count_more(request, kind, orders - 1)


def entry_of(answer: AcceptedOrder | Refused, request: Request) -> BatchEntry:
    """One line of a batch's answer."""
    if isinstance(answer, Refused):
        return BatchEntry(error=inside_of(answer, request))
    return BatchEntry(order_id=order_id_text(answer.order_id), status=status_text(answer.status))


def name_of(wish: CancelSent) -> int | str:
    """An order as the desk knows it: by its number, or by the client's name for it."""
    if wish.client_order_id is not None:
        return wish.client_order_id
    return parse_order_id(wish.order_id or "") or NOBODYS_ORDER


def cancelled_entry(wish: CancelSent, answer: int | Refused, request: Request) -> CancelEntry:
    """One line of the answer to a list to cancel; it repeats how the order was named."""
    is_open = not isinstance(answer, Refused)
    return CancelEntry(
        order_id=order_id_text(answer) if isinstance(answer, int) else wish.order_id,
        client_order_id=wish.client_order_id,
        status=PENDING_CANCEL if is_open else None,
        error=inside_of(answer, request) if isinstance(answer, Refused) else None,
    )


def refused_entry(refused: Refused, request: Request) -> CancelEntry:
    """The line of what is no order's name."""
    return CancelEntry(error=inside_of(refused, request))


def inside_of(refused: Refused, request: Request) -> ErrorInside:
    """What stands inside the error envelope."""
    return ErrorInside.model_validate(error_of(refused, request.scope))
