"""What Flux answers: every field is listed, so nothing else can leave by accident."""

from typing import Any

from api.door.answers import example
from api.door.wire import Wire
from api.flux.schemas import REFRESH_TOKEN_EXAMPLE
from sim.market import COLLATERAL
from storage.people.api_keys import Scope


class ErrorInside(Wire):
    """A stable code, a sentence, and facts that help."""

    code: str
    message: str
    details: dict[str, Any] | None = None


class ErrorAnswer(Wire):
    """The error envelope."""

    error: ErrorInside

    model_config = example(
        error={
            "code": "INSUFFICIENT_MARGIN",
            "message": "Available margin is below required margin",
        }
    )


class UserAnswer(Wire):
    """A registered user."""

    user_id: str

    model_config = example(userId="user_1042")


class TokenAnswer(Wire):
    """A token, whose it is, and for how many seconds it opens anything."""

    token: str
    user_id: str
    expires_in: int

    model_config = example(token="eyJhbGciOiJIUzI1NiJ9.e30.c2ln", userId="user_1042", expiresIn=900)


class LoginAnswer(TokenAnswer):
    """A token as above, and the refresh token that gets the next one, once, within
    `refreshExpiresIn` seconds."""

    refresh_token: str
    refresh_expires_in: int

    model_config = example(
        token="eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
        userId="user_1042",
        expiresIn=900,
        refreshToken=REFRESH_TOKEN_EXAMPLE,
        refreshExpiresIn=2592000,
    )


class LoggedOutAnswer(Wire):
    """The login has ended, or had before."""

    status: str

    model_config = example(status="LOGGED_OUT")


API_KEY: dict[str, Any] = {
    "id": "key_7",
    "name": "market maker",
    "prefix": "sandpit_5f2b6c1d9e04",
    "scopes": ["read", "trade"],
    "createdAt": 1767225600000,
}


class ApiKeyAnswer(Wire):
    """An API key as it is listed: how it begins, what it opens, and the hour of its last use."""

    id: str
    name: str
    prefix: str
    scopes: list[Scope]
    created_at: int
    expires_at: int | None = None
    last_used_at: int | None = None

    model_config = example(**API_KEY, lastUsedAt=1767225600000)


class NewApiKeyAnswer(ApiKeyAnswer):
    """A new API key. `key` is shown this once and never again."""

    key: str

    model_config = example(
        **API_KEY, key="sandpit_5f2b6c1d9e04_2Fh0vQ3pN8xYd1sKz7mBcRt5uWjLgAeH6iOqVbEn4Cw"
    )


class RevokedAnswer(Wire):
    """An API key that opens nothing any more."""

    id: str
    status: str

    model_config = example(id="key_7", status="REVOKED")


BALANCE: dict[str, Any] = {
    "userId": "user_1042",
    "accountId": "account_1042",
    "asset": COLLATERAL,
    "total": "10000",
    "locked": "8165.625",
}


class BalanceAnswer(Wire):
    """Money in one asset: `locked` of `total` is reserved by open orders."""

    user_id: str
    account_id: str
    asset: str
    total: str
    locked: str

    model_config = example(**BALANCE)


class PositionAnswer(Wire):
    """An open position; `quantity` is signed, `realizedPnl` is net of fees."""

    user_id: str
    account_id: str
    market_id: str
    quantity: str
    entry_price: str
    realized_pnl: str
    unrealized_pnl: str | None = None
    mark_price: str | None = None
    leverage: int
    updated_at: int

    model_config = example(
        userId="user_1042",
        accountId="account_1042",
        marketId="BTC-PERP",
        quantity="-0.25",
        entryPrice="66000.1",
        realizedPnl="-8.250013",
        unrealizedPnl="0.025",
        markPrice="66000",
        leverage=10,
        updatedAt=1767225600000,
    )


class PlacedAnswer(Wire):
    """An order and the state it is in at this moment of its life."""

    order_id: str
    status: str

    model_config = example(orderId="order_123", status="PENDING")


class BatchEntry(Wire):
    """One order of a batch: accepted, or refused with the reason."""

    order_id: str | None = None
    status: str | None = None
    error: ErrorInside | None = None


class CancelEntry(Wire):
    """One order of a list to cancel: asked to be, or refused with the reason."""

    order_id: str | None = None
    client_order_id: str | None = None
    status: str | None = None
    error: ErrorInside | None = None


class CancelBatchAnswer(Wire):
    """The answers in the order of the list."""

    results: list[CancelEntry]

    model_config = example(
        results=[
            {"orderId": "order_123", "status": "PENDING_CANCEL"},
            {
                "clientOrderId": "client-124",
                "error": {"code": "ORDER_NOT_FOUND", "message": "No such order"},
            },
        ]
    )


class BatchAnswer(Wire):
    """The answers in the orders' order."""

    results: list[BatchEntry]

    model_config = example(results=[{"orderId": "order_123", "status": "PENDING"}])


class OrderAnswer(Wire):
    """An order and what has become of it. In a spot market it has no `leverage`.

    `rejectionReason` is there when it is REJECTED. `cancelReason` when it is CANCELLED: CLIENT,
    DEAD_MANS_SWITCH, OPERATOR, REDUCE_ONLY_EXCESS, PRICE_BAND, LINKED (the order that it was linked
    with has traded or was triggered), POST_ONLY_WOULD_TAKE (when it was triggered); or EXPIRED:
    TIME (its `expiresAt`), SELF_TRADE, IOC_UNFILLED, FOK_UNFILLABLE, MARKET_LIQUIDITY_EXHAUSTED,
    PRICE_BAND. One that waits for its trigger is OPEN, and `triggered` is false. While the market
    is asked to amend it `amendPending` is true; then it is what was asked for, cut as `reduceOnly`
    tells where it only reduces, or `amendRejectionReason` says why not.
    """

    id: str
    order_id: str
    client_order_id: str | None = None
    user_id: str
    account_id: str
    market_id: str
    side: str
    type: str
    quantity: str
    remaining_quantity: str
    filled_quantity: str
    average_price: str | None = None
    price: str | None = None
    time_in_force: str
    leverage: int | None = None
    reduce_only: bool
    post_only: bool
    status: str
    rejection_reason: str | None = None
    cancel_reason: str | None = None
    created_at: int
    updated_at: int
    trigger_price: str | None = None
    trailing_offset: str | None = None
    trigger_by: str | None = None
    triggered: bool | None = None
    triggered_at: int | None = None
    expires_at: int | None = None
    link_id: str | None = None
    amend_pending: bool | None = None
    amend_rejection_reason: str | None = None

    model_config = example(
        id="order_123",
        orderId="order_123",
        clientOrderId="client-123",
        userId="user_1042",
        accountId="account_1042",
        marketId="BTC-PERP",
        side="BUY",
        type="LIMIT",
        quantity="1.25",
        remainingQuantity="0.75",
        filledQuantity="0.5",
        averagePrice="65000",
        price="65000",
        timeInForce="GTC",
        leverage=10,
        reduceOnly=False,
        postOnly=True,
        status="PARTIALLY_FILLED",
        createdAt=1767225600000,
        updatedAt=1767225601000,
    )


class FillAnswer(Wire):
    """One side of a trade; `realizedPnl` is before the fee."""

    id: str
    trade_id: str
    order_id: str
    user_id: str
    account_id: str
    market_id: str
    side: str
    liquidity_role: str
    price: str
    quantity: str
    notional: str
    fee: str
    realized_pnl: str
    created_at: int

    model_config = example(
        id="BTC-PERP-4711:maker",
        tradeId="BTC-PERP-4711",
        orderId="order_123",
        userId="user_1042",
        accountId="account_1042",
        marketId="BTC-PERP",
        side="BUY",
        liquidityRole="MAKER",
        price="65000",
        quantity="0.5",
        notional="32500",
        fee="6.5",
        realizedPnl="0",
        createdAt=1767225601000,
    )


class LedgerAnswer(Wire):
    """One leg of a ledger transaction, as it changed this balance."""

    id: str
    user_id: str
    account_id: str
    asset: str
    type: str
    amount: str
    balance_after: str | None = None
    transaction_id: str
    reference_id: str | None = None
    created_at: int

    model_config = example(
        id="7",
        userId="user_1042",
        accountId="account_1042",
        asset=COLLATERAL,
        type="DEPOSIT",
        amount="10000",
        balanceAfter="10000",
        transactionId="transfer-3",
        createdAt=1767225600000,
    )


class CancelAllAnswer(Wire):
    """How many open orders are asked to be cancelled; which, where one is named. `haltedMarkets`
    are those in which orders stay because the market is halted."""

    requested: int
    status: str
    order_id: str | None = None
    halted_markets: list[str] | None = None

    model_config = example(requested=3, status="PENDING_CANCEL")


class CancelAfterAnswer(Wire):
    """When all orders are cancelled, in milliseconds since 1970; absent for never."""

    cancel_at: int | None = None

    model_config = example(cancelAt=1767225660000)


class DrainAnswer(Wire):
    """How many accepted commands were waited for; `haltedMarkets`, with their reasons, are those
    that were not, because they are halted."""

    processed: int
    halted_markets: dict[str, str] | None = None

    model_config = example(processed=12)
