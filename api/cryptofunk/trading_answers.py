"""Orders, positions and sessions as this family tells them: ids are UUIDs, numbers JSON numbers."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from api.cryptofunk.identifiers import IdKind, uuid_of
from api.cryptofunk.spelling import instant_or_none, instant_text
from api.cryptofunk.wire import Told
from api.desk.identifiers import order_id_text
from api.desk.order_words import cancel_reason, price_text, quantity_text
from api.door.answers import example
from api.door.wire import ExactDecimal
from sim.market import COLLATERAL, MarketSpec, average_price_text
from sim.orders import OrderStatus
from sim.rows.messages import OrderType, Reason
from sim.rows.order_types import type_when_triggered, waits_for_trigger
from sim.units import format_atoms
from storage.agents.positions import PositionView
from storage.reading.order_lists import OrderView

EXCHANGE = "PAPER"
PAPER_MODE = "PAPER"
CREATED, CANCELLED = "Order created successfully", "Order cancelled successfully"
TYPE_NAMES = {OrderType.STOP: "STOP_LOSS", OrderType.STOP_LIMIT: "STOP_LOSS_LIMIT"}
"""Where this family's name is another than the engine's."""

STATUS_NAMES = {OrderStatus.PENDING: "NEW", OrderStatus.OPEN: "NEW"}
AT = "2025-01-15T10:30:00Z"
ORDER: dict[str, Any] = {
    "id": "53616e64-0100-8000-8000-000000000315",
    "session_id": None,
    "position_id": None,
    "exchange_order_id": "order_789",
    "client_order_id": None,
    "symbol": "BTC/USDT",
    "exchange": EXCHANGE,
    "side": "BUY",
    "type": "LIMIT",
    "status": "NEW",
    "price": 41_500,
    "stop_price": None,
    "quantity": 0.1,
    "executed_quantity": 0,
    "executed_quote_quantity": 0,
    "average_price": None,
    "time_in_force": "GTC",
    "reduce_only": False,
    "placed_at": AT,
    "filled_at": None,
    "canceled_at": None,
    "expired_at": None,
    "error_message": None,
    "created_at": AT,
    "updated_at": AT,
}
POSITION: dict[str, Any] = {
    "id": "53616e64-0300-8001-8000-00000000007b",
    "session_id": "123e4567-e89b-12d3-a456-426614174000",
    "symbol": "BTC/USDT",
    "exchange": EXCHANGE,
    "side": "LONG",
    "entry_price": 42_000,
    "exit_price": None,
    "quantity": 0.1,
    "entry_time": "2025-01-15T10:00:00Z",
    "exit_time": None,
    "stop_loss": 40_000,
    "take_profit": 45_000,
    "realized_pnl": 0,
    "unrealized_pnl": 150.5,
    "fees": 4.2,
    "entry_reason": "Technical indicators agree: RSI is oversold, and MACD crosses upwards.",
    "exit_reason": None,
    "created_at": "2025-01-15T10:00:00Z",
    "updated_at": "2025-01-15T10:00:00Z",
}


class AgentOrder(Told):
    """An order and what has become of it. Its id is `exchange_order_id` in another form."""

    id: str
    session_id: str | None
    position_id: str | None
    exchange_order_id: str
    client_order_id: str | None
    symbol: str
    exchange: str
    side: str
    type: str
    status: str
    price: ExactDecimal | None
    stop_price: ExactDecimal | None
    quantity: ExactDecimal
    executed_quantity: ExactDecimal
    executed_quote_quantity: ExactDecimal
    average_price: ExactDecimal | None
    time_in_force: str
    reduce_only: bool
    placed_at: str
    filled_at: str | None
    canceled_at: str | None
    expired_at: str | None
    error_message: str | None
    created_at: str
    updated_at: str

    model_config = example(**ORDER)


class AgentOrderAnswer(Told):
    """An order."""

    order: AgentOrder

    model_config = example(order=ORDER)


class AgentOrderDoneAnswer(AgentOrderAnswer):
    """An order, and what was done."""

    message: str

    model_config = example(order=ORDER, message=CREATED)


class AgentOrdersAnswer(Told):
    """Orders, newest first."""

    orders: list[AgentOrder]
    count: int

    model_config = example(orders=[ORDER], count=1)


class AgentPosition(Told):
    """A position from when its quantity left zero until it is zero again.

    Of a closed one `quantity` is all that was bought (sold) into it. `realized_pnl` is before fees.
    """

    id: str
    session_id: str | None
    symbol: str
    exchange: str
    side: str
    entry_price: ExactDecimal
    exit_price: ExactDecimal | None
    quantity: ExactDecimal
    entry_time: str
    exit_time: str | None
    stop_loss: ExactDecimal | None
    take_profit: ExactDecimal | None
    realized_pnl: ExactDecimal
    unrealized_pnl: ExactDecimal
    fees: ExactDecimal
    entry_reason: str | None
    exit_reason: str | None
    created_at: str
    updated_at: str

    model_config = example(**POSITION)


class AgentPositionAnswer(Told):
    """A position."""

    position: AgentPosition

    model_config = example(position=POSITION)


class AgentPositionsAnswer(Told):
    """Positions, newest first."""

    positions: list[AgentPosition]
    count: int

    model_config = example(positions=[POSITION], count=1)


def exact(text: str | None) -> Decimal | None:
    """A number where there is one."""
    return None if text is None else Decimal(text)


def amount(atoms: int) -> Decimal:
    """Money of the collateral."""
    return Decimal(format_atoms(atoms, COLLATERAL))


def agent_order(
    order: OrderView, spec: MarketSpec, symbol: str, session: UUID | None, position: UUID | None
) -> AgentOrder:
    """An order, of a session and a position where there are such."""
    quote = Decimal(order.filled_tick_lots) * spec.tick_size * spec.lot_size
    return AgentOrder(
        id=str(uuid_of(IdKind.ORDER, order.order_id)),
        session_id=text_or_none(session),
        position_id=text_or_none(position),
        exchange_order_id=order_id_text(order.order_id),
        client_order_id=order.client_order_id,
        symbol=symbol,
        exchange=EXCHANGE,
        side=order.side.name,
        type=TYPE_NAMES.get(order.order_type, order.order_type.name),
        quantity=Decimal(quantity_text(spec, order.quantity_lots)),
        executed_quantity=Decimal(quantity_text(spec, order.filled_lots)),
        executed_quote_quantity=quote.normalize() if quote else Decimal(0),
        average_price=exact(average_price_text(spec, order.filled_tick_lots, order.filled_lots)),
        time_in_force=order.time_in_force.name,
        reduce_only=order.reduce_only,
        placed_at=instant_text(order.created_at_us),
        created_at=instant_text(order.created_at_us),
        updated_at=instant_text(order.updated_at_us),
        **prices_of(order, spec),
        **ended(order),
    )


def prices_of(order: OrderView, spec: MarketSpec) -> dict[str, Any]:
    """The limit and the trigger, of an order that has them."""
    is_limit = type_when_triggered(order.order_type) == OrderType.LIMIT
    waits = waits_for_trigger(order.order_type) and order.order_type != OrderType.TRAILING
    return {
        "price": exact(price_text(spec, order.price_ticks)) if is_limit else None,
        "stop_price": exact(price_text(spec, order.trigger_ticks)) if waits else None,
    }


def status_name(status: OrderStatus) -> str:
    """A status as this family calls it."""
    return STATUS_NAMES.get(status, status.name)


def ended(order: OrderView) -> dict[str, Any]:
    """How an order stands, and when and why it has ended."""
    at, status = instant_text(order.updated_at_us), order.status
    says_why = status > OrderStatus.FILLED and order.reason not in (Reason.NONE, Reason.REQUESTED)
    return {
        "status": status_name(status),
        "filled_at": at if status == OrderStatus.FILLED else None,
        "canceled_at": at if status == OrderStatus.CANCELED else None,
        "expired_at": at if status == OrderStatus.EXPIRED else None,
        "error_message": cancel_reason(order) if says_why else None,
    }


def agent_position(
    view: PositionView, spec: MarketSpec, symbol: str, position: UUID
) -> AgentPosition:
    """A round trip with what surrounds it. Prices are exact means, to 8 decimals, half up."""
    trip, is_open = view.trip, view.trip.closed_at_us is None
    lots = trip.held_lots if is_open else trip.entry_lots
    exit_price = average_price_text(spec, trip.exit_tick_lots, trip.exit_lots)
    return AgentPosition(
        id=str(position),
        session_id=text_or_none(view.session_id),
        symbol=symbol,
        exchange=EXCHANGE,
        side="LONG" if trip.direction > 0 else "SHORT",
        entry_price=Decimal(average_price_text(spec, trip.entry_tick_lots, trip.entry_lots) or 0),
        exit_price=None if is_open else exact(exit_price),
        quantity=Decimal(quantity_text(spec, lots)),
        entry_time=instant_text(trip.opened_at_us),
        exit_time=instant_or_none(trip.closed_at_us),
        stop_loss=price_or_none(spec, view.stop_ticks),
        take_profit=price_or_none(spec, view.profit_ticks),
        realized_pnl=amount(trip.realized_pnl_atoms),
        unrealized_pnl=amount(view.unrealized_atoms(spec)),
        fees=amount(trip.fees_atoms),
        entry_reason=view.entry_reason,
        exit_reason=view.exit_reason,
        created_at=instant_text(trip.opened_at_us),
        updated_at=instant_text(trip.updated_at_us),
    )


def price_or_none(spec: MarketSpec, ticks: int | None) -> Decimal | None:
    """A price, where there is one."""
    return None if ticks is None else Decimal(price_text(spec, ticks))


def text_or_none(told: UUID | None) -> str | None:
    """A UUID, where there is one."""
    return None if told is None else str(told)
