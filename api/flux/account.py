"""What an account sees of itself: balances, positions, orders, fills, ledger."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.desk.identifiers import NOBODYS_ORDER, parse_order_id
from api.desk.order_words import statuses_of
from api.desk.orders import no_such_market
from api.door.answers import reply, reply_page
from api.door.callers import AccountViewer, ChosenAccount, holder_in
from api.door.describing import documented
from api.door.paging import cursor_number, page_of, window_of
from api.door.routing import ExactRoute, services_of
from api.flux import wording
from api.flux.answers import FillAnswer, LedgerAnswer, OrderAnswer, PositionAnswer
from api.flux.margin_answers import HeldBalanceAnswer, balance_answers
from api.flux.schemas import FillsAsked, OrdersAsked, WindowAsked
from sim.market import MarketSpec
from sim.refusals import Refusal, Refused
from storage.reading import order_lists, views
from storage.reading.order_lists import OrderFilter
from storage.reading.standing import standing
from storage.reading.views import FillFilter

router = APIRouter(route_class=ExactRoute, tags=["Queries"])


@router.get("/balances", summary="Balances", **documented(200, HeldBalanceAnswer, 404, many=True))
async def get_balances(holder: AccountViewer, request: Request) -> Response:
    """Money, by asset, and how much of it new orders may reserve."""
    now = await standing(services_of(request).pool, holder.account_id)
    return reply_page(balance_answers(now, holder.user_id))


@router.get("/positions", summary="Positions", **documented(200, PositionAnswer, 404, many=True))
async def get_positions(holder: AccountViewer, request: Request) -> Response:
    """Open positions, by market."""
    specs = await specs_of(request)
    held = await views.positions(services_of(request).pool, holder.account_id)
    answers = [
        wording.position_answer(view, specs[view.market_id], holder.user_id) for view in held
    ]
    return reply_page(answers)


@router.get(
    "/orders", summary="Orders", **documented(200, OrderAnswer, 404, many=True, cursor=True)
)
async def get_orders(
    query: Annotated[OrdersAsked, Query()], holder: AccountViewer, request: Request
) -> Response:
    """Orders, newest first."""
    specs = await specs_of(request)
    check_market(query.market_id, specs)
    wanted = OrderFilter(
        market_id=query.market_id,
        statuses=statuses_of(query.status, query.open),
        client_order_id=query.client_order_id,
        before_id=cursor_number("orders", query.cursor),
        window=window_of(query.since, query.until),
    )
    pool = services_of(request).pool
    orders = await order_lists.orders(pool, holder.account_id, wanted, query.limit + 1)
    page, cursor = page_of(orders, query.limit, "orders", lambda order: order.order_id)
    answers = [
        wording.order_answer(order, specs[order.market_id], holder.user_id) for order in page
    ]
    return reply_page(answers, cursor)


@router.get("/orders/{order_id}", summary="Order", **documented(200, OrderAnswer, 404))
async def get_order(order_id: str, chosen: ChosenAccount, request: Request) -> Response:
    """One order."""
    services = services_of(request)
    number = parse_order_id(order_id) or NOBODYS_ORDER
    standing, order = await order_lists.order(
        services.pool, chosen.user_id, chosen.account_id, number
    )
    holder_in(chosen, standing)
    if order is None:
        raise Refused(Refusal.ORDER_NOT_FOUND, "No such order")
    spec = (await services.markets.markets())[order.market_id].spec
    return reply(wording.order_answer(order, spec, chosen.user_id))


@router.get("/fills", summary="Fills", **documented(200, FillAnswer, 404, many=True, cursor=True))
async def get_fills(
    query: Annotated[FillsAsked, Query()], holder: AccountViewer, request: Request
) -> Response:
    """Fills, newest first; a newer one never shows before an older one."""
    specs = await specs_of(request)
    check_market(query.market_id, specs)
    named = query.order_id
    wanted = FillFilter(
        market_id=query.market_id,
        order_id=(parse_order_id(named) or NOBODYS_ORDER) if named is not None else None,
        before_id=cursor_number("fills", query.cursor),
        window=window_of(query.since, query.until),
    )
    pool = services_of(request).pool
    fills = await views.fills(pool, holder.account_id, wanted, query.limit + 1)
    page, cursor = page_of(fills, query.limit, "fills", lambda fill: fill.fill_id)
    answers = [wording.fill_answer(fill, specs[fill.market_id], holder.user_id) for fill in page]
    return reply_page(answers, cursor)


@router.get(
    "/ledger", summary="Ledger", **documented(200, LedgerAnswer, 404, many=True, cursor=True)
)
async def get_ledger(
    query: Annotated[WindowAsked, Query()], holder: AccountViewer, request: Request
) -> Response:
    """Every change of the balance with its cause, newest first."""
    pool = services_of(request).pool
    before, window = cursor_number("ledger", query.cursor), window_of(query.since, query.until)
    entries = await views.ledger(pool, holder.account_id, before, query.limit + 1, window)
    page, cursor = page_of(entries, query.limit, "ledger", lambda entry: entry.entry_id)
    return reply_page([wording.ledger_answer(entry, holder.user_id) for entry in page], cursor)


async def specs_of(request: Request) -> dict[str, MarketSpec]:
    """The grids that rows are read on."""
    markets = await services_of(request).markets.markets()
    return {market_id: market.spec for market_id, market in markets.items()}


def check_market(market_id: str | None, specs: dict[str, MarketSpec]) -> None:
    """Raises Refused MARKET_NOT_FOUND for a filter that names none."""
    if market_id is not None and market_id not in specs:
        raise no_such_market()
