"""From rows in ticks, lots and atoms to Flux's decimal strings and names."""

from typing import Any

from api.credentials.tokens import user_id_text
from api.desk.identifiers import account_id_text, order_id_text
from api.desk.order_words import (
    ENDED_EARLY,
    cancel_reason,
    price_text,
    quantity_text,
    status_text,
    time_in_force_text,
)
from api.flux.answers import BalanceAnswer, FillAnswer, LedgerAnswer, OrderAnswer, PositionAnswer
from api.flux.market_answers import (
    BookAnswer,
    CandleAnswer,
    LevelAnswer,
    MarketAnswer,
    PriceAnswer,
    TradeAnswer,
)
from api.flux.order_words import terms_told, type_text
from sim.market import MarketSpec, average_price_text
from sim.money.position import entry_price_text, unrealized_pnl_atoms
from sim.orders import OrderStatus
from sim.rows.messages import OrderType
from sim.rows.order_types import type_when_triggered
from sim.units import format_atoms, format_ppm
from storage.intake.transfers import Balance
from storage.reading.market_data import CandleView, ListedMarket, PriceView, TradeView
from storage.reading.order_lists import OrderView
from storage.reading.views import FillView, LedgerView, PositionView


def market_answer(listed: ListedMarket) -> MarketAnswer:
    """A market with its rates as decimals."""
    spec = listed.spec
    return MarketAnswer(
        id=spec.market_id,
        market_id=spec.market_id,
        symbol=spec.market_id,
        kind=spec.kind,
        base_asset=spec.base_asset,
        quote_asset=spec.quote_asset,
        tick_size=price_text(spec, 1),
        lot_size=quantity_text(spec, 1),
        min_quantity=quantity_text(spec, spec.min_quantity_lots),
        max_quantity=quantity_text(spec, spec.max_quantity_lots),
        max_price=price_text(spec, spec.max_price_ticks),
        maker_fee_rate=format_ppm(spec.maker_fee_ppm),
        taker_fee_rate=format_ppm(spec.taker_fee_ppm),
        price_band=format_ppm(spec.price_band_ppm),
        status=listed.status.name,
        halt_reason=listed.halt_reason,
        **({} if spec.is_spot else perpetual_terms(spec)),
    )


def perpetual_terms(spec: MarketSpec) -> dict[str, Any]:
    """What only a market of positions has."""
    return {
        "max_leverage": spec.max_leverage,
        "initial_margin_rate": format_ppm(spec.initial_margin_ppm),
        "maintenance_margin_rate": format_ppm(spec.maintenance_margin_ppm),
        "funding_interval_hours": spec.funding_interval_hours,
        "funding_rate_cap": format_ppm(spec.funding_cap_ppm),
    }


def order_answer(order: OrderView, spec: MarketSpec, user_id: int) -> OrderAnswer:
    """An order; one that is or becomes a MARKET order has no price."""
    is_limit = type_when_triggered(order.order_type) == OrderType.LIMIT
    return OrderAnswer(
        id=order_id_text(order.order_id),
        order_id=order_id_text(order.order_id),
        client_order_id=order.client_order_id,
        user_id=user_id_text(user_id),
        account_id=account_id_text(order.account_id),
        market_id=order.market_id,
        side=order.side.name,
        type=type_text(order.order_type),
        quantity=quantity_text(spec, order.quantity_lots),
        remaining_quantity=quantity_text(spec, order.quantity_lots - order.filled_lots),
        filled_quantity=quantity_text(spec, order.filled_lots),
        average_price=average_price_text(spec, order.filled_tick_lots, order.filled_lots),
        price=price_text(spec, order.price_ticks) if is_limit else None,
        time_in_force=time_in_force_text(order),
        leverage=None if spec.is_spot else order.leverage,
        reduce_only=order.reduce_only,
        post_only=order.post_only,
        status=status_text(order.status),
        rejection_reason=order.reason.name if order.status == OrderStatus.REJECTED else None,
        cancel_reason=cancel_reason(order) if order.status in ENDED_EARLY else None,
        created_at=order.created_at_us // 1_000,
        updated_at=order.updated_at_us // 1_000,
        **terms_told(order, spec),
    )


def fill_answer(fill: FillView, spec: MarketSpec, user_id: int) -> FillAnswer:
    """One side of a trade."""
    role = "MAKER" if fill.is_maker else "TAKER"
    trade_id = f"{fill.market_id}-{fill.event_seq}"
    return FillAnswer(
        id=f"{trade_id}:{role.lower()}",
        trade_id=trade_id,
        order_id=order_id_text(fill.order_id),
        user_id=user_id_text(user_id),
        account_id=account_id_text(fill.account_id),
        market_id=fill.market_id,
        side=fill.side.name,
        liquidity_role=role,
        price=price_text(spec, fill.price_ticks),
        quantity=quantity_text(spec, fill.quantity_lots),
        notional=format_atoms(spec.notional_atoms(fill.price_ticks, fill.quantity_lots)),
        fee=format_atoms(fill.fee_atoms),
        realized_pnl=format_atoms(fill.realized_pnl_atoms),
        created_at=fill.created_at_us // 1_000,
    )


def position_answer(held: PositionView, spec: MarketSpec, user_id: int) -> PositionAnswer:
    """A position, valued where the market has a mark price."""
    priced = held.mark_ticks > 0
    unrealized = unrealized_pnl_atoms(held.position, held.mark_ticks, spec)
    return PositionAnswer(
        user_id=user_id_text(user_id),
        account_id=account_id_text(held.account_id),
        market_id=held.market_id,
        quantity=quantity_text(spec, held.quantity_lots),
        entry_price=entry_price_text(held.position, spec),
        realized_pnl=format_atoms(held.realized_pnl_atoms),
        unrealized_pnl=format_atoms(unrealized) if priced else None,
        mark_price=price_text(spec, held.mark_ticks) if priced else None,
        leverage=held.leverage,
        updated_at=held.updated_at_us // 1_000,
    )


def balance_answer(balance: Balance, user_id: int) -> BalanceAnswer:
    """Money in one asset."""
    return BalanceAnswer(
        user_id=user_id_text(user_id),
        account_id=account_id_text(balance.account_id),
        asset=balance.asset,
        total=format_atoms(balance.total_atoms, balance.asset),
        locked=format_atoms(balance.locked_atoms, balance.asset),
    )


def ledger_answer(entry: LedgerView, user_id: int) -> LedgerAnswer:
    """One leg of a ledger transaction."""
    after = entry.balance_after_atoms
    return LedgerAnswer(
        id=str(entry.entry_id),
        user_id=user_id_text(user_id),
        account_id=account_id_text(entry.account_id),
        asset=entry.asset,
        type=entry.entry_type,
        amount=format_atoms(entry.amount_atoms, entry.asset),
        balance_after=format_atoms(after, entry.asset) if after is not None else None,
        transaction_id=f"{entry.source}-{entry.seq}",
        reference_id=entry.reference,
        created_at=entry.created_at_us // 1_000,
    )


def book_answer(
    spec: MarketSpec, event_seq: int, at_us: int, bids: list[list[int]], asks: list[list[int]]
) -> BookAnswer:
    """The visible book, or what of it has changed."""
    return BookAnswer(
        market=spec.market_id,
        market_id=spec.market_id,
        sequence=event_seq,
        timestamp=at_us // 1_000,
        bids=[level_answer(level, spec) for level in bids],
        asks=[level_answer(level, spec) for level in asks],
    )


def level_answer(level: list[int], spec: MarketSpec) -> LevelAnswer:
    """Ticks, lots, orders as the book shows them."""
    price, quantity = price_text(spec, level[0]), quantity_text(spec, level[1])
    return LevelAnswer(
        price=price,
        quantity=quantity,
        order_count=level[2],
        price_ticks=price,
        total_qty_lots=quantity,
    )


def price_answer(price: PriceView, spec: MarketSpec) -> PriceAnswer:
    """Mark and index; the funding rate is 0 until funding is paid, and a spot market has none."""
    return PriceAnswer(
        market_id=price.market_id,
        mark_price=price_text(spec, price.mark_ticks),
        index_price=price_text(spec, price.index_ticks),
        funding_rate=None if spec.is_spot else "0",
        timestamp=price.updated_at_us // 1_000,
    )


def trade_answer(trade: TradeView, spec: MarketSpec) -> TradeAnswer:
    """One trade on the tape."""
    return TradeAnswer(
        id=f"{spec.market_id}-{trade.event_seq}",
        market_id=spec.market_id,
        sequence=trade.event_seq,
        price=price_text(spec, trade.price_ticks),
        quantity=quantity_text(spec, trade.quantity_lots),
        side=trade.taker_side.name,
        created_at=trade.created_at_us // 1_000,
    )


def candle_answer(candle: CandleView, interval: str, spec: MarketSpec) -> CandleAnswer:
    """One interval."""
    return CandleAnswer(
        market_id=spec.market_id,
        interval=interval,
        open_time=candle.open_time_us // 1_000,
        open=price_text(spec, candle.open_ticks),
        high=price_text(spec, candle.high_ticks),
        low=price_text(spec, candle.low_ticks),
        close=price_text(spec, candle.close_ticks),
        volume=quantity_text(spec, candle.volume_lots),
        quote_volume=format_atoms(candle.notional_atoms),
        trades=candle.trade_count,
        simulated=candle.simulated or None,
    )
