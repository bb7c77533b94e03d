"""Candles by symbol."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.cryptofunk.callers import Looker
from api.cryptofunk.spelling import instant_text
from api.cryptofunk.symbols import listing_of
from api.cryptofunk.wire import Page, QuerySymbol, Told
from api.desk.order_words import price_text, quantity_text
from api.door.answers import example, reply_exact
from api.door.describing import documented
from api.door.paging import cursor_number, next_page, page_of
from api.door.routing import ExactRoute, services_of
from api.door.wire import ExactDecimal
from sim.market import MarketSpec
from sim.money.candles import INTERVALS_US
from sim.units import format_atoms
from storage.reading.market_data import CandleView, candles
from storage.reading.time_window import TimeWindow

SHOWN: dict[str, Any] = {
    "open_time": "2025-01-15T10:00:00Z",
    "open": 42_000.0,
    "high": 42_120.5,
    "low": 41_990.0,
    "close": 42_101.5,
    "volume": 1.25,
    "quote_volume": 52_562.5,
    "trades": 17,
    "simulated": False,
}
WIDTHS = tuple(INTERVALS_US)

router = APIRouter(route_class=ExactRoute, tags=["Agents"])


class AgentCandlesAsked(Page):
    """Of which symbol, and how wide."""

    symbol: QuerySymbol
    interval: Literal[WIDTHS] = WIDTHS[0]  # type: ignore[valid-type]


class AgentCandle(Told):
    """What a symbol's trades of one interval came to, or a simulated past."""

    open_time: str
    open: ExactDecimal
    high: ExactDecimal
    low: ExactDecimal
    close: ExactDecimal
    volume: ExactDecimal
    quote_volume: ExactDecimal
    trades: int
    simulated: bool

    model_config = example(**SHOWN)


class AgentCandlesAnswer(Told):
    """Candles, newest first."""

    symbol: str
    interval: str
    candles: list[AgentCandle]
    count: int

    model_config = example(symbol="BTC/USDT", interval="1m", candles=[SHOWN], count=1)


@router.get(
    "/api/v1/candles", summary="Candles", **documented(200, AgentCandlesAnswer, cursor=True)
)
async def get_agent_candles(
    asked: Annotated[AgentCandlesAsked, Query()], caller: Looker, request: Request
) -> Response:
    """Newest first; an interval without a trade has none. The header X-Next-Cursor is the `cursor`
    of the next page."""
    listing = await listing_of(request)
    market_id = listing.market_of(asked.symbol)
    name = f"agent-candles-{market_id}-{asked.interval}"
    before = TimeWindow(until_us=cursor_number(name, asked.cursor))
    pool = services_of(request).pool
    found = await candles(pool, market_id, asked.interval, before, asked.limit + 1)
    page, cursor = page_of(found, asked.limit, name, lambda one: one.open_time_us)
    told = [agent_candle(one, listing.spec(market_id)) for one in page]
    answer = AgentCandlesAnswer(
        symbol=asked.symbol, interval=asked.interval, candles=told, count=len(told)
    )
    return reply_exact(answer, headers=next_page(cursor))


def agent_candle(candle: CandleView, spec: MarketSpec) -> AgentCandle:
    """One of them, exact."""
    return AgentCandle(
        open_time=instant_text(candle.open_time_us),
        open=Decimal(price_text(spec, candle.open_ticks)),
        high=Decimal(price_text(spec, candle.high_ticks)),
        low=Decimal(price_text(spec, candle.low_ticks)),
        close=Decimal(price_text(spec, candle.close_ticks)),
        volume=Decimal(quantity_text(spec, candle.volume_lots)),
        quote_volume=Decimal(format_atoms(candle.notional_atoms)),
        trades=candle.trade_count,
        simulated=candle.simulated,
    )
