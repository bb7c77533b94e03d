"""How this family words what it tells over its WebSocket: `{type, timestamp, data}`, whose data are
parts of what its GETs answer."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

from api.cryptofunk.agents import agent_told
from api.cryptofunk.decision_answers import decision_told
from api.cryptofunk.envelope import brief_of
from api.cryptofunk.identifiers import IdKind, uuid_of
from api.cryptofunk.spelling import instant_text, spell
from api.cryptofunk.stream_sources import SessionMove
from api.cryptofunk.symbols import Listing
from api.cryptofunk.trading_answers import (
    PAPER_MODE,
    AgentOrder,
    agent_order,
    agent_position,
    amount,
    price_or_none,
)
from api.desk.identifiers import account_id_text
from api.desk.order_words import quantity_text
from api.door.json_text import exact_json_bytes
from api.door.origins import SOCKET
from api.door.spelling import spelled
from api.door.statuses import STATUSES
from api.door.stream_topics import Channel, Told, Topic
from sim.refusals import Refused
from storage.agents.agents import Agent
from storage.agents.changes import Decided
from storage.agents.positions import PositionView
from storage.intake.session_accounts import SessionStatus
from storage.postgres.database import now_us
from storage.reading.order_lists import OrderView
from storage.reading.views import FillView

PATH = "/api/v1/ws"
INVALID_MESSAGE, NOT_EXECUTED = "invalid message", "Failed to execute order"
MISSED = "events may have been missed"
HIGH, LOW = "high", "low"
"""Ours, and what a client may mend by itself."""

ORDER_PARTS = ("symbol", "side", "type", "status", "quantity", "executed_quantity", "filled_at")
POSITION_PARTS = (
    *("session_id", "symbol", "side", "entry_price", "quantity"),
    *("unrealized_pnl", "realized_pnl"),
)
SESSION_MOVES = {
    (SessionStatus.RUNNING, SessionStatus.PAUSED): ("paused", "Trading session paused"),
    (SessionStatus.PAUSED, SessionStatus.RUNNING): ("resumed", "Trading session resumed"),
}
STARTED = ("trading_started", "Trading session started")
STOPPED = ("trading_stopped", "Trading session stopped")


IsNews = Callable[[str, dict[str, Any]], bool]
"""Whether what is told of the thing with this id is not what was told of it last."""


def frame(kind: str, data: dict[str, Any], **beside: Any) -> str:
    """The envelope; what is ours stands beside what is documented."""
    told = {"type": kind, "timestamp": instant_text(now_us()), "data": data, **beside}
    return exact_json_bytes(told).decode()


def of_account(kind: str, told: Told, data: dict[str, Any], **beside: Any) -> str:
    """The same with the account, and the number of what has happened to it."""
    account = account_id_text(told.topic.account_id)
    return frame(kind, data, sequence=told.sequence, account=account, **beside)


def order_frames(told: Told, listing: Listing, is_news: IsNews) -> Iterator[str]:
    """An order, and that it failed where it did; nothing where that was told."""
    order: OrderView = told.row
    spec, symbol = listing.spec(order.market_id), listing.symbol_of(order.market_id)
    shown = agent_order(order, spec, symbol, None, None)
    data = order_data(shown)
    if is_news(shown.id, data):
        yield of_account("order_update", told, data)
        if shown.status == "REJECTED":
            yield error(NOT_EXECUTED, shown.error_message or "", HIGH)


def order_data(shown: AgentOrder) -> dict[str, Any]:
    """What of an order is told."""
    return {"order_id": shown.id} | {name: getattr(shown, name) for name in ORDER_PARTS}


def fill_frame(told: Told, listing: Listing) -> str:
    """A fill. One of no order, which closed a position by force, has none."""
    fill: FillView = told.row
    spec = listing.spec(fill.market_id)
    order_id = str(uuid_of(IdKind.ORDER, fill.order_id)) if fill.order_id > 0 else None
    ordinal = listing.symbols.ordinals[fill.market_id]
    data = {
        "trade_id": str(uuid_of(IdKind.FILL, fill.fill_id, ordinal)),
        "order_id": order_id,
        "symbol": listing.symbol_of(fill.market_id),
        "side": fill.side.name,
        "price": price_or_none(spec, fill.price_ticks),
        "quantity": Decimal(quantity_text(spec, fill.quantity_lots)),
        "commission": amount(fill.fee_atoms),
        "executed_at": instant_text(fill.created_at_us),
    }
    return of_account("trade", told, data)


def position_frame(told: Told, view: PositionView, listing: Listing, is_news: IsNews) -> str:
    """A round trip, and whether it goes on; nothing where that was told."""
    market_id = view.market_id
    position_id: UUID = listing.position_id(market_id, view.trip.opened_fill_id)
    symbol = listing.symbol_of(market_id)
    shown = agent_position(view, listing.spec(market_id), symbol, position_id)
    data = {"position_id": shown.id} | {name: getattr(shown, name) for name in POSITION_PARTS}
    is_open = shown.exit_time is None
    if not is_news(shown.id, data | {"is_open": is_open}):
        return ""
    return of_account("position_update", told, data, is_open=is_open)


def shared(told: Told) -> str:
    """What is told to many: an agent, a decision, a session's move. Nothing where nobody needs to
    know it."""
    row = told.row
    if told.topic.channel == Channel.AGENTS:
        agent: Agent = row
        return frame("agent_status", agent_told(agent).model_dump())
    if told.topic.channel == Channel.DECISIONS:
        decided: Decided = row
        return frame("decision", decision_told(decided.decision).model_dump())
    return session_frame(row)


def session_frame(move: SessionMove) -> str:
    """That a session has started, was paused, goes on or has stopped."""
    session = move.session
    said = STARTED if move.before is None else None
    if session.status == SessionStatus.STOPPED:
        said = STOPPED
    elif move.before is not None:
        said = SESSION_MOVES.get((move.before, session.status))
    if said is None:
        return ""
    status, message = said
    metadata = {
        "session_id": str(session.session_id),
        "symbol": session.symbol,
        "mode": PAPER_MODE,
    }
    return frame("system_status", {"status": status, "message": message, "metadata": metadata})


def authenticated() -> str:
    """From now on the events of this user are told."""
    said = {"status": "authenticated", "message": "Events of your accounts follow", "metadata": {}}
    return frame("system_status", said)


def error(brief: str, sentence: str, severity: str) -> str:
    """What is wrong."""
    return frame("error", {"error": brief, "details": sentence, "severity": severity})


def gap(topic: Topic, sequence: int) -> str:
    """That something was not told."""
    sentence = f"Read the {topic.channel} anew: what follows comes after {sequence}"
    return frame(
        "error",
        {"error": MISSED, "details": sentence, "severity": HIGH},
        sequence=sequence,
        account=account_id_text(topic.account_id),
    )


def refused(refusal: Refused) -> str:
    """No, and why."""
    status = STATUSES[refusal.refusal]
    brief = brief_of(refusal, {"method": SOCKET, "path": PATH})
    sentence, _ = spelled(refusal, spell)
    is_plain = status == 400 and "brief" not in refusal.details
    return error(INVALID_MESSAGE if is_plain else brief, sentence, HIGH if status >= 500 else LOW)
