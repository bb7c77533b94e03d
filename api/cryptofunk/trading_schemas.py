"""Orders and sessions as clients send them."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StrictBool

from api.cryptofunk.wire import (
    Body,
    InAnyCase,
    Page,
    Query,
    QuerySymbol,
    QueryUuid,
    SymbolText,
    UuidText,
)
from api.exact_json import DecimalText, PrintableText

OrderKind = Literal[
    "MARKET", "LIMIT", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"
]
ClientOrderId = Annotated[PrintableText, Field(min_length=1, max_length=64)]
ShownStatus = Literal["NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "REJECTED", "EXPIRED"]


class AgentOrderSent(Body):
    """An order of a person. `session_id` places it in that session's account."""

    symbol: SymbolText
    side: Annotated[Literal["BUY", "SELL"], InAnyCase]
    type: Annotated[OrderKind, InAnyCase]
    quantity: DecimalText
    price: DecimalText | None = None
    stop_price: DecimalText | None = None
    time_in_force: Annotated[Literal["GTC", "IOC", "FOK"] | None, InAnyCase] = None
    session_id: UuidText | None = None
    client_order_id: ClientOrderId | None = None
    reduce_only: StrictBool = False

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "symbol": "BTC/USDT",
                    "side": "BUY",
                    "type": "LIMIT",
                    "quantity": 0.1,
                    "price": 41500.00,
                }
            ]
        }
    )


class AgentOrdersAsked(Page):
    """Which orders; what is asked for together has to hold together."""

    session_id: QueryUuid | None = None
    symbol: QuerySymbol | None = None
    status: Annotated[ShownStatus | None, InAnyCase] = None


class PositionsAsked(Query):
    """Which positions: those that are open, unless closed ones are asked for."""

    session_id: QueryUuid | None = None
    symbol: QuerySymbol | None = None
    status: Literal["open", "closed", "all"] = "open"


class PositionAsked(Query):
    """Of which session."""

    session_id: QueryUuid | None = None


class SessionStartSent(Body):
    """What a session trades, and what it begins with."""

    symbol: SymbolText
    initial_capital: DecimalText
    mode: Annotated[Literal["PAPER", "LIVE"], InAnyCase] = "PAPER"

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"symbol": "BTC/USDT", "initial_capital": 10000.00, "mode": "PAPER"}]
        }
    )


SESSION_ID = "123e4567-e89b-12d3-a456-426614174000"


class SessionStopSent(Body):
    """Which session ends, and what its client thinks that it has then."""

    session_id: UuidText
    final_capital: DecimalText

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"session_id": SESSION_ID, "final_capital": 10500.00}]}
    )


class SessionNamed(Body):
    """Which session."""

    session_id: UuidText

    model_config = ConfigDict(json_schema_extra={"examples": [{"session_id": SESSION_ID}]})


class SessionsAsked(Page):
    """Which sessions."""

    status: Annotated[Literal["RUNNING", "PAUSED", "STOPPING", "STOPPED"] | None, InAnyCase] = None
