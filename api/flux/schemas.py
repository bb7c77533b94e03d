"""What Flux's clients send. Unknown fields are refused, numbers are read exactly."""

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from api.desk.order_words import STATUSES, listed_statuses
from api.desk.orders import Unreadable
from api.door.findings import first_of
from api.door.wire import (
    Asked,
    EmailText,
    Milliseconds,
    OrderText,
    PageAsked,
    PasswordText,
    QueryNumber,
    QueryTruth,
    Sent,
    SentMilliseconds,
)
from api.exact_json import DecimalText, PrintableText, WholeNumber
from sim.folding import upper
from sim.market import COLLATERAL
from sim.money.candles import INTERVALS_US
from sim.refusals import Refusal, Refused
from storage.people.api_keys import Scope

BATCH_ORDERS_MAX = 100
BALANCES_MAX = 10
CANCEL_AFTER_MS_MAX = 86_400_000
API_KEY_LIFE_S_MAX = 10 * 366 * 86_400
REFRESH_TOKEN_EXAMPLE = (
    "sr_019b76da1c7a7d0e8f1c2a3b4c5d6e7f_0_3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)


def _upper(value: object) -> object:
    return upper(value) if isinstance(value, str) else value


NameText = Annotated[PrintableText, Field(min_length=1, max_length=64)]
"""What a user calls a thing of their own."""


class Credentials(Sent):
    """An e-mail address and a password."""

    email: EmailText
    password: PasswordText

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

    name: NameText
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


OrderTypeText = Literal[
    "MARKET",
    "LIMIT",
    "STOP",
    "STOP_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
    "TRAILING_STOP",
]


class OrderSent(Sent):
    """An order as a client means it."""

    market_id: Annotated[StrictStr, Field(min_length=1, max_length=32)]
    side: Annotated[Literal["BUY", "SELL"], BeforeValidator(_upper)]
    type: Annotated[OrderTypeText, BeforeValidator(_upper)]
    quantity: DecimalText
    price: DecimalText | None = None
    time_in_force: (
        Annotated[Literal["GTC", "IOC", "FOK", "GTD"], BeforeValidator(_upper)] | None
    ) = None
    reduce_only: StrictBool = False
    post_only: StrictBool = False
    client_order_id: OrderText | None = None
    leverage: Annotated[WholeNumber, Field(ge=1, le=255)] | None = None
    trigger_price: DecimalText | None = None
    trailing_offset: DecimalText | None = None
    trigger_by: Annotated[Literal["LAST", "MARK"], BeforeValidator(_upper)] | None = None
    expires_at: SentMilliseconds | None = None
    link_id: OrderText | None = None

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
                },
                {
                    "marketId": "BTC-PERP",
                    "side": "SELL",
                    "type": "STOP",
                    "quantity": "1.25",
                    "triggerPrice": "64000",
                    "triggerBy": "MARK",
                    "linkId": "exit-7",
                },
            ]
        }
    )


class AmendSent(Sent):
    """What of an open order is to be otherwise; `quantity` with what is filled of it."""

    quantity: DecimalText | None = None
    price: DecimalText | None = None
    trigger_price: DecimalText | None = None
    trailing_offset: DecimalText | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"price": "65100"}]})

    @model_validator(mode="after")
    def _something(self) -> "AmendSent":
        if not self.model_fields_set:
            raise nothing_amended()
        return self


def nothing_amended() -> Refused:
    """The refusal of an amendment that names no field: it names all that there are."""
    fields = [to_camel(name) for name in AmendSent.model_fields]
    *others, last = fields
    sentence = f"Say what is to be otherwise: {', '.join(others)} or {last}"
    message = "may be sent: at least one of these fields has to be"
    errors = [{"field": field, "message": message} for field in fields]
    return Refused(Refusal.INVALID_REQUEST, sentence, {"errors": errors})


class LeverageSent(Sent):
    """The leverage of an account in one market."""

    market_id: Annotated[StrictStr, Field(min_length=1, max_length=32)]
    leverage: Annotated[WholeNumber, Field(ge=1, le=255)]

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"marketId": "BTC-PERP", "leverage": 20}]}
    )


def or_why_not(value: object, read: ValidatorFunctionWrapHandler) -> object:
    """One entry of a list: what cannot be read refuses itself, not the list."""
    try:
        return read(value)
    except ValidationError as error:
        sentence, errors = first_of(error.errors(include_url=False, include_input=False))
        if not errors[0]["field"]:
            sentence = f"The entry {errors[0]['message']}"
        refused = Refused(Refusal.INVALID_REQUEST, sentence, {"errors": errors})
        return Unreadable(repr(value), refused)


class BatchSent(Sent):
    """Several orders, each answered by itself."""

    orders: Annotated[
        list[Annotated[OrderSent, WrapValidator(or_why_not)]],
        Field(min_length=1, max_length=BATCH_ORDERS_MAX),
    ]

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


class CancelSent(Sent):
    """One order to cancel, by one of its two ids."""

    order_id: Annotated[PrintableText, Field(min_length=1, max_length=32)] | None = None
    client_order_id: OrderText | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "CancelSent":
        if (self.order_id is None) == (self.client_order_id is None):
            raise ValueError("must name the order by orderId or by clientOrderId")
        return self


class CancelBatchSent(Sent):
    """Several orders to cancel, each answered by itself."""

    orders: Annotated[
        list[Annotated[CancelSent, WrapValidator(or_why_not)]],
        Field(min_length=1, max_length=BATCH_ORDERS_MAX),
    ]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"orders": [{"orderId": "order_123"}, {"clientOrderId": "client-124"}]}]
        }
    )


class ResetSent(Sent):
    """With how much of which asset to begin anew; without it with nothing."""

    balances: Annotated[
        dict[str, DecimalText], Field(max_length=BALANCES_MAX, default_factory=dict)
    ]

    model_config = ConfigDict(json_schema_extra={"examples": [{"balances": {"USDC": "10000"}}]})


class CancelAfterSent(Sent):
    """In how many milliseconds all orders are cancelled unless this is sent again; 0 for never."""

    timeout_ms: Annotated[WholeNumber, Field(ge=0, le=CANCEL_AFTER_MS_MAX)]

    model_config = ConfigDict(json_schema_extra={"examples": [{"timeoutMs": 60000}]})


MarketIdText = Annotated[PrintableText, Field(min_length=1, max_length=32)]


def _known_statuses(text: str) -> str:
    return listed_statuses(text, STATUSES)


StatusList = Annotated[
    str,
    AfterValidator(_known_statuses),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^({'|'.join(STATUSES)})(,({'|'.join(STATUSES)})){{0,6}}$",
            "examples": ["OPEN,PARTIALLY_FILLED"],
        }
    ),
]


class WindowAsked(PageAsked):
    """From when and until when, by `createdAt`."""

    since: Annotated[
        Milliseconds | None,
        Field(description="Milliseconds since 1970; what happened then or later"),
    ] = None
    until: Annotated[
        Milliseconds | None,
        Field(description="Milliseconds since 1970; what happened before then"),
    ] = None


class OrdersAsked(WindowAsked):
    """Which orders."""

    market_id: MarketIdText | None = None
    status: Annotated[
        StatusList | None, Field(description="One status, or several with commas between")
    ] = None
    open: Annotated[
        QueryTruth | None,
        Field(description="true: PENDING, OPEN or PARTIALLY_FILLED; false: the others"),
    ] = None
    client_order_id: OrderText | None = None


class FillsAsked(WindowAsked):
    """Which fills."""

    market_id: MarketIdText | None = None
    order_id: Annotated[PrintableText, Field(min_length=1, max_length=32)] | None = None


class CancelAsked(Asked):
    """Which orders to cancel: all, those of one market, or the one with this id of the client."""

    market_id: MarketIdText | None = None
    client_order_id: OrderText | None = None


class DepthAsked(Asked):
    """How many levels a side."""

    depth: Annotated[QueryNumber, Field(ge=1, le=100)] = 20

    @property
    def rows(self) -> int:
        """The most that the answer may have, of both sides."""
        return 2 * self.depth


class CandlesAsked(PageAsked):
    """Which candles: those that open from `since` on and before `until`."""

    interval: Annotated[str, Field(json_schema_extra={"enum": list(INTERVALS_US)})] = "1m"
    since: Annotated[
        Milliseconds | None, Field(description="Milliseconds since 1970; opens then or later")
    ] = None
    until: Annotated[
        Milliseconds | None, Field(description="Milliseconds since 1970; opens before then")
    ] = None
    end: Annotated[
        Milliseconds | None, Field(description="The older name of `until`; not both")
    ] = None
