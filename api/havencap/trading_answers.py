"""Orders, markets and money as the trading app tells them: numbers are JSON numbers."""

from decimal import Decimal

from api.credentials.tokens import user_id_text
from api.desk.identifiers import order_id_text
from api.desk.order_words import (
    ENDED_EARLY,
    cancel_reason,
    price_text,
    quantity_text,
    status_text,
    time_in_force_text,
)
from api.door.answers import example
from api.door.wire import ExactDecimal, Wire
from api.havencap.spelling import iso_milliseconds
from sim.market import MarketSpec, average_price_text
from sim.orders import OrderStatus
from sim.rows.messages import OrderType
from sim.rows.order_types import type_when_triggered, waits_for_trigger
from sim.units import format_atoms, format_ppm
from storage.intake.transfers import Balance
from storage.reading.market_data import ListedMarket
from storage.reading.order_lists import OrderView

ORDER = {
    "orderId": "order_123",
    "userId": "user_1042",
    "market": "ETH_USDC",
    "side": "BUY",
    "orderType": "LIMIT",
    "quantity": 1.5,
    "price": 3200,
    "stopPrice": None,
    "timeInForce": "GTC",
    "status": "OPEN",
    "expiresAt": None,
    "createdAt": "2026-05-01T10:30:00.000Z",
    "filledQuantity": 0.5,
    "averagePrice": 3199.5,
    "fee": 0.799875,
    "reason": None,
}


class SpotOrder(Wire):
    """An order and what has become of it. `reason` is there when it is REJECTED, CANCELLED or
    EXPIRED. A MARKET or STOP order has no price. `clientOrderId` is there when it was sent."""

    order_id: str
    user_id: str
    market: str
    side: str
    order_type: str
    quantity: ExactDecimal
    price: ExactDecimal | None
    stop_price: ExactDecimal | None
    time_in_force: str
    status: str
    expires_at: str | None
    created_at: str
    filled_quantity: ExactDecimal
    average_price: ExactDecimal | None
    fee: ExactDecimal
    reason: str | None
    client_order_id: str | None = None

    model_config = example(**ORDER)


class SpotOrderAnswer(Wire):
    """An order."""

    order: SpotOrder

    model_config = example(order=ORDER)


class SpotOrderNotOpenAnswer(SpotOrderAnswer):
    """A refusal, and the order as it has ended."""

    error: str
    code: str

    model_config = example(
        error="The order is not open any more", code="409", order=ORDER | {"status": "FILLED"}
    )


class SpotOrdersAnswer(Wire):
    """Orders, newest first."""

    orders: list[SpotOrder]

    model_config = example(orders=[ORDER])


class SpotMarket(Wire):
    """A spot market: its grid and limits, and its fees as rates."""

    market: str
    base_asset: str
    quote_asset: str
    tick_size: ExactDecimal
    lot_size: ExactDecimal
    min_quantity: ExactDecimal
    max_quantity: ExactDecimal
    maker_fee_rate: ExactDecimal
    taker_fee_rate: ExactDecimal
    status: str


class SpotMarketsAnswer(Wire):
    """All spot markets."""

    markets: list[SpotMarket]

    model_config = example(
        markets=[
            {
                "market": "ETH_USDC",
                "baseAsset": "ETH",
                "quoteAsset": "USDC",
                "tickSize": 0.01,
                "lotSize": 0.001,
                "minQuantity": 0.001,
                "maxQuantity": 10_000,
                "makerFeeRate": 0.0002,
                "takerFeeRate": 0.0005,
                "status": "ACTIVE",
            }
        ]
    )


class AppBalance(Wire):
    """Money in one asset: `locked` of `total` is reserved by open orders."""

    asset: str
    total: ExactDecimal
    locked: ExactDecimal


class AppBalancesAnswer(Wire):
    """All money."""

    balances: list[AppBalance]

    model_config = example(balances=[{"asset": "USDC", "total": 200_000, "locked": 4_802.4}])


class AppBalanceAnswer(Wire):
    """The new balance."""

    balance: AppBalance

    model_config = example(balance={"asset": "ETH", "total": 22.5, "locked": 0})


def spot_order(order: OrderView, spec: MarketSpec, user_id: int, fee_atoms: int) -> SpotOrder:
    """An order; one that is accepted is OPEN, whether its market has seen it or not."""
    is_limit = type_when_triggered(order.order_type) == OrderType.LIMIT
    waits = waits_for_trigger(order.order_type) and order.order_type != OrderType.TRAILING
    status = OrderStatus.OPEN if order.status == OrderStatus.PENDING else order.status
    named = {} if order.client_order_id is None else {"client_order_id": order.client_order_id}
    has_reason = order.status == OrderStatus.REJECTED or order.status in ENDED_EARLY
    return SpotOrder(
        order_id=order_id_text(order.order_id),
        user_id=user_id_text(user_id),
        market=order.market_id,
        side=order.side.name,
        order_type=order.order_type.name,
        quantity=Decimal(quantity_text(spec, order.quantity_lots)),
        price=Decimal(price_text(spec, order.price_ticks)) if is_limit else None,
        stop_price=Decimal(price_text(spec, order.trigger_ticks)) if waits else None,
        time_in_force=time_in_force_text(order),
        status=status_text(status),
        expires_at=iso_milliseconds(order.expires_us) if order.expires_us else None,
        created_at=iso_milliseconds(order.created_at_us),
        filled_quantity=Decimal(quantity_text(spec, order.filled_lots)),
        average_price=number(average_price_text(spec, order.filled_tick_lots, order.filled_lots)),
        fee=Decimal(format_atoms(fee_atoms, spec.quote_asset)),
        reason=cancel_reason(order) if has_reason else None,
        **named,
    )


def spot_market(listed: ListedMarket) -> SpotMarket:
    """A market with its grid as numbers."""
    spec = listed.spec
    return SpotMarket(
        market=spec.market_id,
        base_asset=spec.base_asset,
        quote_asset=spec.quote_asset,
        tick_size=Decimal(price_text(spec, 1)),
        lot_size=Decimal(quantity_text(spec, 1)),
        min_quantity=Decimal(quantity_text(spec, spec.min_quantity_lots)),
        max_quantity=Decimal(quantity_text(spec, spec.max_quantity_lots)),
        maker_fee_rate=Decimal(format_ppm(spec.maker_fee_ppm)),
        taker_fee_rate=Decimal(format_ppm(spec.taker_fee_ppm)),
        status=listed.status.name,
    )


def app_balance(balance: Balance) -> AppBalance:
    """Money in one asset."""
    return AppBalance(
        asset=balance.asset,
        total=Decimal(format_atoms(balance.total_atoms, balance.asset)),
        locked=Decimal(format_atoms(balance.locked_atoms, balance.asset)),
    )


def number(text: str | None) -> Decimal | None:
    """A number where there is one."""
    return None if text is None else Decimal(text)
