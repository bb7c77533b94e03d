"""What Flux's clients send. Unknown fields are refused, numbers are read exactly."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictStr
from pydantic.alias_generators import to_camel

from api.exact_json import DecimalText, PrintableText, WholeNumber
from sim.market import COLLATERAL
from storage.api_keys import Scope
from storage.market_data import INTERVALS_US

PAGE_DEFAULT = 100
PAGE_MAX = 500
BATCH_ORDERS_MAX = 100
CANCEL_AFTER_MS_MAX = 86_400_000
API_KEY_LIFE_S_MAX = 10 * 366 * 86_400
REFRESH_TOKEN_EXAMPLE = (
    "sr_019b76da1c7a7d0e8f1c2a3b4c5d6e7f_0_3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)


class Wire(BaseModel):
    """camelCase outside, snake_case inside."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Sent(Wire):
    """A body from a client: nothing that is not asked for."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


OrderText = Annotated[PrintableText, Field(min_length=1, max_length=64)]


class Credentials(Sent):
    """An e-mail address and a password."""

    email: Annotated[StrictStr, Field(min_length=5, max_length=254)]
    password: Annotated[StrictStr, Field(min_length=1, max_length=1_024)]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"email": "trader@example.com", "password": "long-password"}]
        }
    )


class RefreshSent(Sent):
    """The refresh token that the last login or refresh answered."""

    refresh_token: Annotated[StrictStr, Field(min_length=1, max_length=1_024)]

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"refreshToken": REFRESH_TOKEN_EXAMPLE}]}
    )


class ApiKeySent(Sent):
    """A key as its user wants it: `read` opens GET routes, `trade` all others. Without
    `expiresInS` it lives until it is revoked."""

    name: Annotated[PrintableText, Field(min_length=1, max_length=64)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]
    expires_in_s: Annotated[WholeNumber, Field(ge=1, le=API_KEY_LIFE_S_MAX)] | None = None

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "market maker", "scopes": ["read", "trade"]}]}
    )


class AmountSent(Sent):
    """How much of which asset."""

    asset: Annotated[StrictStr, Field(min_length=1, max_length=12)]
    amount: DecimalText

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"asset": COLLATERAL, "amount": "10000"}]}
    )


class OrderSent(Sent):
    """An order as a client means it."""

    market_id: Annotated[StrictStr, Field(min_length=1, max_length=32)]
    side: Annotated[Literal["BUY", "SELL"], BeforeValidator(_upper)]
    type: Annotated[Literal["MARKET", "LIMIT"], BeforeValidator(_upper)]
    quantity: DecimalText
    price: DecimalText | None = None
    time_in_force: Annotated[Literal["GTC", "IOC", "FOK"], BeforeValidator(_upper)] | None = None
    reduce_only: StrictBool = False
    post_only: StrictBool = False
    client_order_id: OrderText | None = None
    leverage: Annotated[WholeNumber, Field(ge=1, le=255)] | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "marketId": "BTC-PERP",
                    "side": "BUY",
                    "type": "LIMIT",
                    "quantity": "1.25",
                    "price": "65000",
                    "timeInForce": "GTC",
                    "reduceOnly": False,
                    "postOnly": True,
                    "clientOrderId": "client-123",
                    "leverage": 10,
                }
            ]
        }
    )


class BatchSent(Sent):
    """Several orders, each answered by itself."""

    orders: Annotated[list[OrderSent], Field(min_length=1, max_length=BATCH_ORDERS_MAX)]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "orders": [
                        {
                            "marketId": "BTC-PERP",
                            "side": "SELL",
                            "type": "LIMIT",
                            "quantity": "0.5",
                            "price": "70000.5",
                        }
                    ]
                }
            ]
        }
    )


class CancelAfterSent(Sent):
    """In how many milliseconds all orders are cancelled unless this is sent again; 0 for never."""

    timeout_ms: Annotated[WholeNumber, Field(ge=0, le=CANCEL_AFTER_MS_MAX)]

    model_config = ConfigDict(json_schema_extra={"examples": [{"timeoutMs": 60000}]})


class Asked(Wire):
    """A query string: each field once, nothing unknown."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)


Limit = Annotated[int, BeforeValidator(lambda text: _query_number(text)), Field(ge=1, le=PAGE_MAX)]
Cursor = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9_.:-]+$")]
MarketIdText = Annotated[PrintableText, Field(min_length=1, max_length=32)]


def _query_number(text: object) -> int:
    if isinstance(text, int):
        return text
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 9:
        return int(text)
    raise ValueError("must be a whole number")


class PageAsked(Asked):
    """How many rows, and after which cursor."""

    limit: Limit = PAGE_DEFAULT
    cursor: Cursor | None = None


class OrdersAsked(PageAsked):
    """Which orders."""

    market_id: MarketIdText | None = None
    status: (
        Literal[
            "PENDING",
            "OPEN",
            "PARTIALLY_FILLED",
            "FILLED",
            "CANCELLED",
            "REJECTED",
            "EXPIRED",
        ]
        | None
    ) = None
    client_order_id: OrderText | None = None


class FillsAsked(PageAsked):
    """Which fills."""

    market_id: MarketIdText | None = None
    order_id: Annotated[PrintableText, Field(min_length=1, max_length=32)] | None = None


class CancelAsked(Asked):
    """Which orders to cancel: all, or those of one market."""

    market_id: MarketIdText | None = None


class DepthAsked(Asked):
    """How many levels a side."""

    depth: Annotated[Limit, Field(le=100)] = 20


class CandlesAsked(Asked):
    """Which candles: `limit` intervals that begin before `end` (milliseconds)."""

    interval: Annotated[str, Field(json_schema_extra={"enum": list(INTERVALS_US)})] = "1m"
    limit: Limit = PAGE_DEFAULT
    end: Annotated[int, BeforeValidator(lambda text: _milliseconds(text))] | None = None


def _milliseconds(text: object) -> int:
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 14:
        return int(text)
    raise ValueError("must be milliseconds since 1970")
