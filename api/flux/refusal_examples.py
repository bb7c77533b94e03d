"""The refusals that the document shows with an operation of Flux: as the operation words them, and
what a status means everywhere.

A test provokes each of the first and compares.
"""

from api.door.content_type import NOT_JSON
from api.door.refusal_examples import FIELD_TWICE, LIMIT_OVER, Example, finding
from api.exact_json import NOT_DECIMAL

NO_MARKET: Example = (
    "MARKET_NOT_FOUND",
    "No such market; GET /markets lists them",
    {"field": "marketId"},
)
NO_ORDER: Example = ("ORDER_NOT_FOUND", "No such order", {})
NO_ACCOUNT: Example = ("ACCOUNT_NOT_FOUND", "No such account", {})
KEY_REUSED: Example = (
    "IDEMPOTENCY_KEY_REUSED",
    "This Idempotency-Key was used before for another request",
    {},
)
NOT_FLAT: Example = (
    "ACCOUNT_NOT_FLAT",
    "Cancel the open orders and close the positions first",
    {},
)
NO_FIELD = finding("x", "is not a field of this request")

EXAMPLES: dict[str, dict[int, Example]] = {
    "submitOrder": {
        400: (
            "INVALID_ORDER",
            "quantity 1.2504 is not valid in this market; the nearest valid value is 1.25",
            {"field": "quantity", "nearest": "1.25", "step": "0.001"},
        ),
        404: NO_MARKET,
        409: (
            "DUPLICATE_CLIENT_ORDER_ID",
            "This clientOrderId belongs to another order",
            {"orderId": "order_123"},
        ),
    },
    "amendOrder": {
        400: finding("price", NOT_DECIMAL),
        404: NO_ORDER,
        409: ("ORDER_NOT_OPEN", "The order is not open any more", {}),
    },
    "submitOrders": {
        400: finding("orders", "must not be empty", "INVALID_ORDER"),
        404: NO_ACCOUNT,
        409: KEY_REUSED,
    },
    "cancelOrder": {
        400: FIELD_TWICE,
        404: NO_ORDER,
        409: ("ORDER_NOT_OPEN", "The order is not open any more", {}),
    },
    "cancelAllOrders": {
        400: NO_FIELD,
        404: NO_MARKET,
        409: ("ORDER_NOT_OPEN", "The order is not open any more", {"orderId": "order_123"}),
    },
    "cancelOrders": {
        400: finding("orders", "must not be empty"),
        404: NO_ACCOUNT,
        409: KEY_REUSED,
    },
    "cancelAllOrdersAfter": {
        400: finding("timeoutMs", "must be 86400000 or less: that is the maximum"),
        404: NO_ACCOUNT,
        409: KEY_REUSED,
    },
    "getBalances": {400: FIELD_TWICE, 404: NO_ACCOUNT},
    "getPositions": {400: FIELD_TWICE, 404: NO_ACCOUNT},
    "getOrders": {
        400: finding(
            "status",
            "must be of PENDING, OPEN, PARTIALLY_FILLED, FILLED, CANCELLED, REJECTED, EXPIRED,"
            " several with commas between",
        ),
        404: NO_MARKET,
    },
    "getOrder": {400: FIELD_TWICE, 404: NO_ORDER},
    "getFills": {400: LIMIT_OVER, 404: NO_MARKET},
    "getLedger": {
        400: (
            "INVALID_REQUEST",
            "cursor: not one of this list; send the X-Next-Cursor of its last page as it was",
            {},
        ),
        404: NO_ACCOUNT,
    },
    "getMarkets": {400: FIELD_TWICE},
    "getMarket": {400: FIELD_TWICE, 404: NO_MARKET},
    "getOrderBook": {
        400: finding("depth", "must be 100 or less: that is the maximum"),
        404: NO_MARKET,
    },
    "getTrades": {400: LIMIT_OVER, 404: NO_MARKET},
    "getCandles": {
        400: ("INVALID_REQUEST", "interval: must be one of 1m, 5m, 15m, 1h, 4h, 1d", {}),
        404: NO_MARKET,
    },
    "getPrices": {400: FIELD_TWICE},
    "getPrice": {400: FIELD_TWICE, 404: NO_MARKET},
    "getTime": {400: FIELD_TWICE},
    "deposit": {400: finding("amount", NOT_DECIMAL), 404: NO_ACCOUNT, 409: KEY_REUSED},
    "withdraw": {
        400: (
            "INSUFFICIENT_MARGIN",
            "Withdrawable balance is below the amount",
            {"required": "20000", "available": "10000", "reason": "INSUFFICIENT_BALANCE"},
        ),
        404: NO_ACCOUNT,
        409: KEY_REUSED,
    },
    "getAccount": {400: FIELD_TWICE, 404: NO_ACCOUNT},
    "getAccounts": {400: finding("archived", "must be true or false")},
    "openAccount": {
        400: finding("name", "is missing"),
        409: (
            "TOO_MANY_ACCOUNTS",
            "A user may have at most 20 accounts, archived ones among them; take one of those up"
            " again",
            {},
        ),
    },
    "changeAccount": {
        400: ("INVALID_REQUEST", "The main account cannot be archived", {}),
        404: NO_ACCOUNT,
        409: NOT_FLAT,
    },
    "transferBetweenAccounts": {
        400: finding("amount", NOT_DECIMAL),
        404: NO_ACCOUNT,
        409: (
            "ACCOUNT_ARCHIVED",
            "This account is archived: it takes no orders and moves no money",
            {},
        ),
    },
    "resetNamedAccount": {400: FIELD_TWICE, 404: NO_ACCOUNT, 409: NOT_FLAT},
    "setLeverage": {
        400: (
            "INVALID_ORDER",
            "leverage 21 is not valid in this market; the nearest valid value is 20",
            {"field": "leverage", "nearest": 20},
        ),
        404: NO_MARKET,
        409: (
            "LEVERAGE_IN_USE",
            "Open orders in BTC-PERP were checked at leverage 10; cancel them first",
            {"field": "leverage", "nearest": 10},
        ),
    },
    "resetAccount": {400: FIELD_TWICE, 404: NO_ACCOUNT, 409: NOT_FLAT},
    "register": {400: ("INVALID_EMAIL", "email must look like something@something.something", {})},
    "logIn": {
        400: finding("password", "is missing"),
        401: ("INVALID_CREDENTIALS", "E-mail or password is wrong", {}),
    },
    "refresh": {
        400: finding("refreshToken", "is missing"),
        401: ("UNAUTHENTICATED", "This refresh token is not valid; log in again", {}),
    },
    "logOut": {400: finding("refreshToken", "is missing")},
    "becomeGuest": {400: FIELD_TWICE},
    "makeApiKey": {400: finding("scopes", "must not be empty")},
    "getApiKeys": {400: FIELD_TWICE},
    "revokeApiKey": {400: FIELD_TWICE, 404: ("API_KEY_NOT_FOUND", "No such API key", {})},
    "drain": {400: FIELD_TWICE},
}

USUAL: dict[int, tuple[str, str, str]] = {
    400: ("The request is not valid", "INVALID_REQUEST", "quantity: must be a plain decimal"),
    401: (
        "Who asks is not known",
        "UNAUTHENTICATED",
        "This bearer token has expired: refresh it or log in again",
    ),
    403: ("The role does not suffice", "FORBIDDEN", "The role VIEWER may not do this"),
    404: ("There is no such thing, or not for you", "ORDER_NOT_FOUND", "No such order"),
    409: ("Not in this state", "ORDER_NOT_OPEN", "The order is not open any more"),
    413: ("The body is too large", "PAYLOAD_TOO_LARGE", "A body may have at most 65536 bytes"),
    415: (
        "The body is not called JSON",
        "UNSUPPORTED_MEDIA_TYPE",
        NOT_JSON,
    ),
    429: (
        "Too many requests",
        "RATE_LIMITED",
        "At most 100 requests in 1 s are allowed; try again in 1 s",
    ),
    500: ("Our fault", "INTERNAL_ERROR", "Something went wrong on our side"),
    503: ("Try again after Retry-After", "UNAVAILABLE", "The exchange's database is away"),
}
