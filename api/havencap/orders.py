"""Orders on spot markets."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.desk.identifiers import NOBODYS_ORDER, parse_order_id
from api.desk.on_grid import impossible
from api.desk.order_ends import ended
from api.desk.order_terms import TermsWish
from api.desk.order_words import GTD, statuses_of, time_in_force_of
from api.desk.orders import OrderWish, build_order, find_market
from api.door.answers import reply_exact
from api.door.callers import AccountTrader, AccountViewer, Holder, IdempotencyKey
from api.door.describing import Door, documented, success
from api.door.paging import cursor_number, next_page, page_of
from api.door.routing import ExactRoute, services_of
from api.havencap.trading_answers import (
    SpotOrder,
    SpotOrderAnswer,
    SpotOrderNotOpenAnswer,
    SpotOrdersAnswer,
    spot_order,
)
from api.havencap.trading_schemas import SpotOrdersAsked, SpotOrderSent
from sim.orders import OrderStatus
from sim.refusals import Name, Refusal, Refused
from sim.rows.messages import OrderType, Side
from storage.intake.cancels import request_cancel
from storage.reading import order_lists
from storage.reading.order_lists import OrderFilter, OrderView
from storage.reading.views import fees_of

LIST = "app_orders"
NOT_OPEN = "The order is not open any more"

router = APIRouter(route_class=ExactRoute, tags=["Trading app: orders"])


@router.get(
    "/api/orders",
    summary="My orders",
    **documented(200, SpotOrdersAnswer, 404, cursor=True, opens=Door.LOGIN_OR_KEY),
)
async def get_app_orders(
    asked: Annotated[SpotOrdersAsked, Query()], caller: AccountViewer, request: Request
) -> Response:
    """Newest first; the header X-Next-Cursor is the `cursor` of the next page."""
    statuses = statuses_of(asked.status, None)
    if statuses is not None and OrderStatus.OPEN in statuses:
        statuses |= {OrderStatus.PENDING}
    wanted = OrderFilter(statuses=statuses, before_id=cursor_number(LIST, asked.cursor))
    pool = services_of(request).pool
    found = await order_lists.orders(pool, caller.account_id, wanted, asked.limit + 1)
    page, cursor = page_of(found, asked.limit, LIST, lambda order: order.order_id)
    answer = SpotOrdersAnswer(orders=await told(page, caller, request))
    return reply_exact(answer, headers=next_page(cursor))


@router.post(
    "/api/orders",
    summary="Place an order",
    **documented(201, SpotOrderAnswer, 404, 409, opens=Door.LOGIN_OR_KEY),
)
async def post_app_order(
    sent: SpotOrderSent,
    caller: AccountTrader,
    request: Request,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Durably accepted, and OPEN until its market says otherwise. A stop waits for the market's
    last trade; GTD needs `expiresAt`."""
    services = services_of(request)
    wish = wish_of(sent)
    spec = (await find_market(services.markets, wish.market_id)).spec
    if not spec.is_spot:
        raise impossible(Name.MARKET_ID, f"{spec.market_id} is no spot market")
    order = await build_order(services.markets, caller.account_id, wish)
    placed = await services.acceptor.place(order, idempotency_key, caller.user_id)
    found = await own_order(request, caller, placed.order_id)
    return reply_exact(await answer_of(found, caller, request), 201)


@router.get(
    "/api/orders/{order_id}",
    summary="My order",
    **documented(200, SpotOrderAnswer, 404, opens=Door.LOGIN_OR_KEY),
)
async def get_app_order(order_id: str, caller: AccountViewer, request: Request) -> Response:
    """One order, as it is now."""
    found = await own_order(request, caller, parse_order_id(order_id) or NOBODYS_ORDER)
    return reply_exact(await answer_of(found, caller, request))


@router.delete(
    "/api/orders/{order_id}",
    summary="Cancel my order",
    **documented(
        200,
        SpotOrderAnswer,
        404,
        opens=Door.LOGIN_OR_KEY,
        instead=success(202, SpotOrderAnswer) | success(409, SpotOrderNotOpenAnswer),
    ),
)
async def delete_app_order(order_id: str, caller: AccountTrader, request: Request) -> Response:
    """200 with the order once it is CANCELLED; 409 with the order where it had ended otherwise
    before. Where its market takes longer than two seconds, 202 with the order: the cancel is
    accepted, look again."""
    number = parse_order_id(order_id) or NOBODYS_ORDER
    try:
        await request_cancel(services_of(request).pool, caller.account_id, number)
    except Refused as refused:
        if refused.refusal != Refusal.ORDER_NOT_OPEN:
            raise
        return await not_open(await own_order(request, caller, number), caller, request)
    found = await ended(lambda: own_order(request, caller, number))
    if found.status.is_open:
        return reply_exact(await answer_of(found, caller, request), 202)
    if found.status != OrderStatus.CANCELED:
        return await not_open(found, caller, request)
    return reply_exact(await answer_of(found, caller, request))


async def not_open(order: OrderView, caller: Holder, request: Request) -> Response:
    """The refusal to cancel what has ended, with how."""
    (shown,) = await told([order], caller, request)
    return reply_exact(SpotOrderNotOpenAnswer(error=NOT_OPEN, code="409", order=shown), 409)


async def own_order(request: Request, caller: Holder, number: int) -> OrderView:
    """An order of the account that the caller chooses. Raises Refused ORDER_NOT_FOUND."""
    pool = services_of(request).pool
    _, found = await order_lists.order(pool, caller.user_id, caller.account_id, number)
    if found is None:
        raise Refused(Refusal.ORDER_NOT_FOUND, "No such order")
    return found


async def answer_of(order: OrderView, caller: Holder, request: Request) -> SpotOrderAnswer:
    """One order, told."""
    (shown,) = await told([order], caller, request)
    return SpotOrderAnswer(order=shown)


async def told(orders: Sequence[OrderView], caller: Holder, request: Request) -> list[SpotOrder]:
    """Orders with what their fills have cost."""
    services = services_of(request)
    markets = await services.markets.markets()
    fees = await fees_of(services.pool, [order.order_id for order in orders if order.filled_lots])
    return [
        spot_order(
            order, markets[order.market_id].spec, caller.user_id, fees.get(order.order_id, 0)
        )
        for order in orders
    ]


def wish_of(sent: SpotOrderSent) -> OrderWish:
    """An order in the desk's words."""
    return OrderWish(
        market_id=sent.market,
        side=Side[sent.side],
        order_type=OrderType[sent.order_type],
        time_in_force=time_in_force_of(sent.time_in_force),
        quantity=sent.quantity,
        price=sent.price,
        leverage=None,
        reduce_only=False,
        post_only=False,
        client_order_id=sent.client_order_id,
        terms=TermsWish(
            trigger_price=sent.stop_price,
            until_a_time=sent.time_in_force == GTD,
            expires_us=sent.expires_us,
        ),
    )
