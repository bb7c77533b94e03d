"""What Flux answers about markets, to everybody."""

from api.door.answers import example
from api.door.wire import Wire
from sim.market import COLLATERAL, MarketKind


class MarketAnswer(Wire):
    """A market: its name, its grid, its limits and rates. One of `kind` SPOT has no leverage, no
    margin and no funding, so no field of them; only a HALTED one has `haltReason`."""

    id: str
    market_id: str
    symbol: str
    kind: MarketKind
    base_asset: str
    quote_asset: str
    tick_size: str
    lot_size: str
    min_quantity: str
    max_quantity: str
    max_price: str
    max_leverage: int | None = None
    initial_margin_rate: str | None = None
    maintenance_margin_rate: str | None = None
    maker_fee_rate: str
    taker_fee_rate: str
    funding_interval_hours: int | None = None
    funding_rate_cap: str | None = None
    price_band: str
    status: str
    halt_reason: str | None = None

    model_config = example(
        id="BTC-PERP",
        marketId="BTC-PERP",
        symbol="BTC-PERP",
        kind="PERPETUAL",
        baseAsset="BTC",
        quoteAsset=COLLATERAL,
        tickSize="0.1",
        lotSize="0.001",
        minQuantity="0.001",
        maxQuantity="1000",
        maxPrice="214748364.7",
        maxLeverage=20,
        initialMarginRate="0.05",
        maintenanceMarginRate="0.005",
        makerFeeRate="0.0002",
        takerFeeRate="0.0005",
        fundingIntervalHours=8,
        fundingRateCap="0.00375",
        priceBand="0.1",
        status="ACTIVE",
    )


class LevelAnswer(Wire):
    """One price of the book. `priceTicks` and `totalQtyLots` are the original's names for
    the same two decimals."""

    price: str
    quantity: str
    order_count: int
    price_ticks: str
    total_qty_lots: str


class BookAnswer(Wire):
    """The visible book, best prices first."""

    market: str
    market_id: str
    sequence: int
    timestamp: int
    bids: list[LevelAnswer]
    asks: list[LevelAnswer]

    model_config = example(
        market="BTC-PERP",
        marketId="BTC-PERP",
        sequence=4711,
        timestamp=1767225600000,
        bids=[
            {
                "price": "65999.9",
                "quantity": "1.25",
                "orderCount": 2,
                "priceTicks": "65999.9",
                "totalQtyLots": "1.25",
            }
        ],
        asks=[],
    )


class PriceAnswer(Wire):
    """Mark and index price of a market; one of positions has a funding rate, too."""

    market_id: str
    mark_price: str
    index_price: str
    funding_rate: str | None = None
    timestamp: int

    model_config = example(
        marketId="BTC-PERP",
        markPrice="66000.1",
        indexPrice="66000",
        fundingRate="0",
        timestamp=1767225600000,
    )


class TradeAnswer(Wire):
    """One trade on the public tape; `side` is the taker's."""

    id: str
    market_id: str
    sequence: int
    price: str
    quantity: str
    side: str
    created_at: int

    model_config = example(
        id="BTC-PERP-4711",
        marketId="BTC-PERP",
        sequence=4711,
        price="66000.1",
        quantity="0.25",
        side="BUY",
        createdAt=1767225600000,
    )


class CandleAnswer(Wire):
    """Prices and volume of one interval; an interval without a trade has none. `simulated` is true
    where it is history, in whole or in part, from before the market's first day, and absent where
    not."""

    market_id: str
    interval: str
    open_time: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    quote_volume: str
    trades: int
    simulated: bool | None = None

    model_config = example(
        marketId="BTC-PERP",
        interval="1m",
        openTime=1767225600000,
        open="66000",
        high="66010.5",
        low="65990",
        close="66001.2",
        volume="12.5",
        quoteVolume="825012.5",
        trades=31,
    )


class TimeAnswer(Wire):
    """The server's clock, milliseconds since 1970."""

    time: int

    model_config = example(time=1767225600000)
