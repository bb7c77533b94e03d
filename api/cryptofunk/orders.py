"""Orders through this family: the exchange's own, seen through their symbols."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.cryptofunk.callers import Dealer, Looker
from api.cryptofunk.envelope import malformed, missing
from api.cryptofunk.identifiers import IdKind, named_by, read_uuid
from api.cryptofunk.symbols import Listing, listing_of
from api.cryptofunk.trading_answers import (
    CANCELLED,
    CREATED,
    AgentOrder,
    AgentOrderAnswer,
    AgentOrderDoneAnswer,
    AgentOrdersAnswer,
    agent_order,
    status_name,
)
from api.cryptofunk.trading_schemas import AgentOrdersAsked, AgentOrderSent
from api.desk.order_ends import ended
from api.desk.order_terms import TermsWish
from api.desk.orders import OrderWish, build_order
from api.door.answers import reply_exact
from api.door.callers import Caller, IdempotencyKey
from api.door.describing import documented, success
from api.door.paging import cursor_number, next_page, page_of
from api.door.routing import ExactRoute, services_of
from sim.orders import OrderStatus
from sim.refusals import Refusal, Refused
from sim.rows.messages import OrderType, Side, TimeInForce
from storage.agents import orders as storage
from storage.agents.control_entries import ControlAction, ControlOutcome, note_control
from storage.agents.positions import positions_of_orders
from storage.agents.sessions import own_session, sessions_of_accounts
from storage.intake.cancels import ask_to_cancel
from storage.postgres.unit_of_work import unit_of_work
from storage.reading.order_lists import OrderFilter, OrderView

LIST = "agent_orders"
ENGINE_TYPES = {"STOP_LOSS": OrderType.STOP, "STOP_LOSS_LIMIT": OrderType.STOP_LIMIT}
"""Where the engine's name is another."""

NO_PRICE = "Price is required for limit orders"
NOT_CANCELLABLE = "order cannot be cancelled"
WRONG_ORDER, WRONG_SESSION = "invalid order_id format", "invalid session_id format"

router = APIRouter(route_class=ExactRoute, tags=["Agents: trading"])


@router.get(
    "/api/v1/orders",
    summary="Orders",
    **documented(200, AgentOrdersAnswer, 404, cursor=True),
)
async def get_agent_orders(
    asked: Annotated[AgentOrdersAsked, Query()], caller: Looker, request: Request
) -> Response:
    """Newest first, of the main account and of all sessions, or of one session. The header
    X-Next-Cursor is the `cursor` of the next page."""
    listing, session_id = await listing_of(request), None
    if asked.session_id is not None:
        session_id = read_uuid(asked.session_id, WRONG_SESSION)
        await own_session(services_of(request).pool, session_id, caller.user_id)
    market_id = None
    if asked.symbol is not None:
        market_id = listing.symbols.markets.get(asked.symbol, "")
    statuses = None if asked.status is None else statuses_called(asked.status)
    wanted = OrderFilter(market_id, statuses, before_id=cursor_number(LIST, asked.cursor))
    found = await storage.own_orders(
        services_of(request).pool, caller.user_id, session_id, wanted, asked.limit + 1
    )
    page, cursor = page_of(found, asked.limit, LIST, lambda order: order.order_id)
    orders = await told(page, listing, request)
    answer = AgentOrdersAnswer(orders=orders, count=len(orders))
    return reply_exact(answer, headers=next_page(cursor))


@router.post(
    "/api/v1/orders",
    summary="Place an order",
    **documented(201, AgentOrderDoneAnswer, 404, 409),
)
async def post_agent_order(
    sent: AgentOrderSent,
    caller: Dealer,
    request: Request,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Durably accepted, and NEW until its market says otherwise. With `session_id` it is placed in
    that session's account, else in one's main one."""
    services, listing = services_of(request), await listing_of(request)
    wish = wish_of(sent, listing)
    account_id = await account_of(sent.session_id, caller, request)
    order = await build_order(services.markets, account_id, wish)
    placed = await services.acceptor.place(order, idempotency_key, caller.user_id)
    (shown,) = await told([await own_order(request, caller, placed.order_id)], listing, request)
    if not placed.repeated:
        said = {"symbol": sent.symbol, "side": sent.side, "type": sent.type}
        placing = (ControlAction.ORDER_PLACED, shown.id, {**said, "quantity": sent.quantity})
        async with unit_of_work(services.pool) as connection:
            await note_control(connection, caller.user_id, *placing)
    return reply_exact(AgentOrderDoneAnswer(order=shown, message=CREATED), 201)


@router.get(
    "/api/v1/orders/{order_id}", summary="An order", **documented(200, AgentOrderAnswer, 404)
)
async def get_agent_order(order_id: str, caller: Looker, request: Request) -> Response:
    """One order, as it is now."""
    found = await own_order(request, caller, number_of(order_id), order_id)
    (shown,) = await told([found], await listing_of(request), request)
    return reply_exact(AgentOrderAnswer(order=shown))


@router.delete(
    "/api/v1/orders/{order_id}",
    summary="Cancel an order",
    **documented(200, AgentOrderDoneAnswer, 404, 409, instead=success(202, AgentOrderDoneAnswer)),
)
async def delete_agent_order(order_id: str, caller: Dealer, request: Request) -> Response:
    """200 with the order once it is CANCELED; 400 with its status where it had ended before. Where
    its market takes longer than two seconds, 202: the cancel is accepted, look again."""
    number = number_of(order_id)
    order = await own_order(request, caller, number, order_id)
    try:
        async with unit_of_work(services_of(request).pool) as connection:
            await ask_to_cancel(connection, order.account_id, number)
            cancelling = (ControlAction.ORDER_CANCELLED, order_id.lower())
            accepted = ControlOutcome.ACCEPTED
            await note_control(connection, caller.user_id, *cancelling, {}, accepted)
    except Refused as refused:
        if refused.refusal != Refusal.ORDER_NOT_OPEN:
            raise
        raise not_cancellable(await own_order(request, caller, number, order_id)) from None
    found = await ended(lambda: own_order(request, caller, number, order_id))
    if found.status != OrderStatus.CANCELED and not found.status.is_open:
        raise not_cancellable(found)
    (shown,) = await told([found], await listing_of(request), request)
    message = "Cancel accepted" if found.status.is_open else CANCELLED
    answer = AgentOrderDoneAnswer(order=shown, message=message)
    return reply_exact(answer, 202 if found.status.is_open else 200)


def not_cancellable(order: OrderView) -> Refused:
    """The refusal to cancel what has ended."""
    return malformed(NOT_CANCELLABLE, status=status_name(order.status))


def number_of(order_id: str) -> int:
    """An order's number; that of nobody's for a UUID of anything else. Raises Refused."""
    found = named_by(IdKind.ORDER, read_uuid(order_id, WRONG_ORDER))
    return 0 if found is None else found.number


async def own_order(request: Request, caller: Caller, number: int, order_id: str = "") -> OrderView:
    """An order of the caller's. Raises Refused."""
    found = await storage.own_order(services_of(request).pool, caller.user_id, number)
    if found is None:
        raise missing("order", order_id=order_id.lower())
    return found


async def account_of(session_id: str | None, caller: Caller, request: Request) -> int:
    """The account of the caller's session, or the main one. Raises Refused."""
    if session_id is None:
        return caller.user_id
    named = read_uuid(session_id, WRONG_SESSION)
    return (await own_session(services_of(request).pool, named, caller.user_id)).account_id


def statuses_called(name: str) -> frozenset[OrderStatus]:
    """The engine's statuses that are called so."""
    return frozenset(status for status in OrderStatus if status_name(status) == name)


async def told(orders: Sequence[OrderView], listing: Listing, request: Request) -> list[AgentOrder]:
    """Orders with their sessions and positions."""
    pool = services_of(request).pool
    filled = [order for order in orders if order.filled_lots]
    accounts = sorted({order.account_id for order in orders})
    sessions = await sessions_of_accounts(pool, accounts) if orders else {}
    positions = await positions_of_orders(
        pool,
        sorted({order.account_id for order in filled}),
        [order.order_id for order in filled],
    )

    def position_of(order: OrderView) -> UUID | None:
        opened_by = positions.get(order.order_id)
        return None if opened_by is None else listing.position_id(order.market_id, opened_by)

    return [
        agent_order(
            order,
            listing.spec(order.market_id),
            listing.symbol_of(order.market_id),
            sessions.get(order.account_id),
            position_of(order),
        )
        for order in orders
    ]


def wish_of(sent: AgentOrderSent, listing: Listing) -> OrderWish:
    """An order in the desk's words. Raises Refused."""
    order_type = ENGINE_TYPES.get(sent.type) or OrderType[sent.type]
    if sent.type.endswith("LIMIT") and sent.price is None:
        raise Refused(Refusal.INVALID_ORDER, NO_PRICE, {"field": "price"})
    in_force = None if sent.time_in_force is None else TimeInForce[sent.time_in_force]
    return OrderWish(
        market_id=listing.market_of(sent.symbol),
        side=Side[sent.side],
        order_type=order_type,
        time_in_force=in_force,
        quantity=sent.quantity,
        price=sent.price,
        leverage=None,
        reduce_only=sent.reduce_only,
        post_only=False,
        client_order_id=sent.client_order_id,
        terms=TermsWish(trigger_price=sent.stop_price),
    )
