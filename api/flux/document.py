"""What the document says of Flux beside the schemas."""

from api.door.openapi import Schema, Words
from api.door.refusal_examples import Errors
from api.door.statuses import STATUSES
from api.flux.answers import ErrorAnswer
from api.flux.envelope import error_body
from api.flux.field_descriptions import FIELDS
from api.flux.refusal_examples import EXAMPLES, USUAL

SECURITY_SCHEMES: dict[str, Schema] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The `token` of `POST /auth/login` or `POST /auth/guest`",
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The `key` of `POST /auth/api-keys`, instead of a bearer token",
    },
}

TAGS = {
    "Authentication": "Who you are: register and log in, or be a guest at once.",
    "Deposits": "Paper money in and out, and a fresh start.",
    "Markets": "What is traded: grid, limits, book, prices, tape, candles. No token needed.",
    "Orders": "Place, amend and cancel, one or many. 202 means durably accepted; what became of it "
    "is told by the order.",
    "Queries": "What an account sees of itself.",
    "Accounts": "More than one of your own, to try things apart from each other.",
    "API keys": "For bots: credentials that live as long as you want.",
}
"""In the order in which a newcomer needs them."""

OPERATION_IDS = {
    "post_order": "submitOrder",
    "post_orders": "submitOrders",
    "post_cancels": "cancelOrders",
    "delete_order": "cancelOrder",
    "patch_order": "amendOrder",
    "delete_orders": "cancelAllOrders",
    "post_cancel_after": "cancelAllOrdersAfter",
    "post_deposit": "deposit",
    "post_withdrawal": "withdraw",
    "post_reset": "resetAccount",
    "post_account": "openAccount",
    "patch_account": "changeAccount",
    "post_account_reset": "resetNamedAccount",
    "post_transfer": "transferBetweenAccounts",
    "get_account": "getAccount",
    "put_leverage": "setLeverage",
    "post_register": "register",
    "post_login": "logIn",
    "post_refresh": "refresh",
    "post_logout": "logOut",
    "post_guest": "becomeGuest",
    "post_api_key": "makeApiKey",
    "delete_api_key": "revokeApiKey",
    "get_orderbook": "getOrderBook",
}

ERRORS = Errors(ErrorAnswer, error_body, STATUSES, USUAL)

PARTS_OF_PATHS = {
    "order_id": "order_123",
    "market_id": "BTC-PERP",
    "account_id": "account_1043",
    "key_id": "key_7",
}

WORDS = Words("api.flux", FIELDS, EXAMPLES, SECURITY_SCHEMES, TAGS, OPERATION_IDS, PARTS_OF_PATHS)
WORDS_OF_ADMIN = Words(
    "api.flux.admin",
    tags={"Admin": "For whoever runs the exchange."},
    operation_ids={"post_drain": "drain"},
)
"""Apart, for its section is the document's last."""
