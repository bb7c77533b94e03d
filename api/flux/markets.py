"""Markets: listing, book, prices, tape, candles, and the server's clock. No token needed."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.desk.orders import find_market
from api.door.answers import reply, reply_page
from api.door.describing import Door, documented
from api.door.paging import cursor_number, page_of, window_of
from api.door.routing import ExactRoute, services_of
from api.flux import wording
from api.flux.market_answers import (
    BookAnswer,
    CandleAnswer,
    MarketAnswer,
    PriceAnswer,
    TimeAnswer,
    TradeAnswer,
)
from api.flux.schemas import CandlesAsked, DepthAsked, WindowAsked
from sim.money.candles import INTERVALS_US
from sim.refusals import Refusal, Refused
from storage.postgres.database import now_us
from storage.reading import market_data
from storage.reading.market_data import ListedMarket
from storage.reading.time_window import TimeWindow

router = APIRouter(route_class=ExactRoute, tags=["Markets"])


@router.get(
    "/markets", summary="Markets", **documented(200, MarketAnswer, many=True, opens=Door.NOTHING)
)
async def get_markets(request: Request) -> Response:
    """Every market."""
    markets = await services_of(request).markets.markets()
    return reply_page([wording.market_answer(market) for market in markets.values()])


@router.get(
    "/markets/{market_id}",
    summary="Market",
    **documented(200, MarketAnswer, 404, opens=Door.NOTHING),
)
async def get_market(market_id: str, request: Request) -> Response:
    """One market."""
    return reply(wording.market_answer(await listed(request, market_id)))


@router.get(
    "/markets/{market_id}/orderbook",
    summary="Order book",
    **documented(200, BookAnswer, 404, opens=Door.NOTHING),
)
async def get_orderbook(
    market_id: str, query: Annotated[DepthAsked, Query()], request: Request
) -> Response:
    """The best levels of both sides."""
    spec = (await listed(request, market_id)).spec
    book = await market_data.book(services_of(request).pool, spec.market_id, query.depth)
    if book is None:
        raise Refused(Refusal.NOT_FOUND, "This market has no book yet")
    levels = (book.bids.tolist(), book.asks.tolist())
    return reply(wording.book_answer(spec, book.event_seq, book.at_us, *levels))


@router.get(
    "/markets/{market_id}/trades",
    summary="Trades",
    **documented(200, TradeAnswer, 404, many=True, cursor=True, opens=Door.NOTHING),
)
async def get_trades(
    market_id: str, query: Annotated[WindowAsked, Query()], request: Request
) -> Response:
    """The tape, newest first."""
    spec = (await listed(request, market_id)).spec
    name, pool = f"trades-{spec.market_id}", services_of(request).pool
    before, window = cursor_number(name, query.cursor), window_of(query.since, query.until)
    trades = await market_data.trades(pool, spec.market_id, before, query.limit + 1, window)
    page, cursor = page_of(trades, query.limit, name, lambda trade: trade.event_seq)
    return reply_page([wording.trade_answer(trade, spec) for trade in page], cursor)


@router.get(
    "/markets/{market_id}/candles",
    summary="Candles",
    **documented(200, CandleAnswer, 404, many=True, cursor=True, opens=Door.NOTHING),
)
async def get_candles(
    market_id: str, query: Annotated[CandlesAsked, Query()], request: Request
) -> Response:
    """Candles of 1m, 5m, 15m, 1h, 4h or 1d, newest first; an interval without a trade has none."""
    if query.interval not in INTERVALS_US:
        known = ", ".join(INTERVALS_US)
        raise Refused(Refusal.INVALID_REQUEST, f"interval: must be one of {known}")
    if query.end is not None and query.until is not None:
        raise Refused(Refusal.INVALID_REQUEST, "end: is the older name of until; send one of them")
    spec = (await listed(request, market_id)).spec
    name = f"candles-{spec.market_id}-{query.interval}"
    asked = window_of(query.since, query.until if query.until is not None else query.end)
    until_us = min(asked.until_us, cursor_number(name, query.cursor))
    candles = await market_data.candles(
        services_of(request).pool,
        spec.market_id,
        query.interval,
        TimeWindow(asked.since_us, until_us),
        query.limit + 1,
    )
    page, cursor = page_of(candles, query.limit, name, lambda candle: candle.open_time_us)
    answers = [wording.candle_answer(candle, query.interval, spec) for candle in page]
    return reply_page(answers, cursor)


@router.get(
    "/prices", summary="Prices", **documented(200, PriceAnswer, many=True, opens=Door.NOTHING)
)
async def get_prices(request: Request) -> Response:
    """Mark and index of every market that has them."""
    services = services_of(request)
    markets = await services.markets.markets()
    prices = await market_data.prices(services.pool)
    return reply_page(
        [
            wording.price_answer(price, markets[price.market_id].spec)
            for price in prices
            if price.market_id in markets
        ]
    )


@router.get(
    "/prices/{market_id}", summary="Price", **documented(200, PriceAnswer, 404, opens=Door.NOTHING)
)
async def get_price(market_id: str, request: Request) -> Response:
    """Mark and index of one market."""
    spec = (await listed(request, market_id)).spec
    prices = await market_data.prices(services_of(request).pool, spec.market_id)
    if not prices:
        raise Refused(Refusal.NOT_FOUND, "This market has no price yet")
    return reply(wording.price_answer(prices[0], spec))


@router.get("/time", summary="Time", **documented(200, TimeAnswer, opens=Door.NOTHING))
async def get_time(request: Request) -> Response:
    """The server's clock."""
    return reply(TimeAnswer(time=now_us() // 1_000))


async def listed(request: Request, market_id: str) -> ListedMarket:
    """The market, or 404."""
    return await find_market(services_of(request).markets, market_id)
