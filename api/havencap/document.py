"""What the document says of the trading app beside the schemas."""

from api.desk.app_tokens import SHOWN_BEFORE
from api.door.content_type import NOT_JSON
from api.door.openapi import Schema, Words
from api.door.refusal_examples import Errors, Example
from api.door.statuses import STATUSES
from api.havencap import explorer_document as explorer
from api.havencap.answers import AppErrorAnswer
from api.havencap.devbe import DATA, DATA_SHOWN, SCRIPT_SHOWN, SCRIPTS
from api.havencap.droid_fields import FIELDS as DROID_FIELDS
from api.havencap.envelope import LOG_IN, error_body

USUAL: dict[int, tuple[str, str, str]] = {
    400: ("The request is not valid", "400", "Say what changes: role, status or both"),
    401: ("Who asks is not known", "401", LOG_IN),
    403: ("The role does not suffice", "403", "The role TRADER may not do this"),
    404: ("There is no such thing, or not for you", "404", "No such user"),
    409: ("Not in this state", "409", "This is the last active ADMIN: make another one first"),
    413: ("The body is too large", "413", "A body may have at most 65536 bytes"),
    415: ("The body is not called JSON", "415", NOT_JSON),
    429: (
        "Too many requests",
        "429",
        "At most 100 requests in 1 s are allowed; try again in 1 s",
    ),
    500: ("Our fault", "500", "Something went wrong on our side"),
    503: ("Try again after Retry-After", "503", "The exchange's database is away"),
}

ERRORS = Errors(AppErrorAnswer, error_body, STATUSES, USUAL)

SECURITY_SCHEMES: dict[str, Schema] = {
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "auth_token",
        "description": "Set by `POST /api/auth/login`",
    },
    "appToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "`hc_live_…`, made by `POST /api/user/token`",
    },
}

FIELDS = {
    "accessToken": "The token in the cookie; Flux's routes take it as bearer.",
    "user": "Who it is.",
    "users": "Everybody.",
    "user_id": "The user's id.",
    "Person.createdAt": "When they registered.",
    "Person.role": "What they may do: each role may do what those before it may.",
    "PersonWithStatus.createdAt": "When they registered.",
    "PersonWithStatus.role": "What they may do: each role may do what those before it may.",
    "PersonWithStatus.status": "PENDING waits for an ADMIN, ACTIVE may come in, DISABLED may not.",
    "PersonChange.role": "What they may do from now on.",
    "PersonChange.status": "Whether they may come in.",
    "callbackUrl": "Where to go then: a path of this site.",
    "AppErrorAnswer.error": "What is wrong, in a sentence.",
    "AppErrorAnswer.code": "The HTTP status.",
    "JoinedAnswer.accessToken": "Of the first who joins: their token.",
    "JoinedAnswer.message": "To everybody later: they wait for an ADMIN.",
    "order": "The order, as it is now.",
    "balance": "The balance, as it is now.",
    "orderType": "What starts as STOP or TAKE_PROFIT waits for `stopPrice`.",
    "stopPrice": "What it waits for: the price of the market's last trade.",
    "SpotOrderSent.market": "A spot market, such as ETH_USDC.",
    "SpotOrderSent.quantity": "How much of the base asset: a multiple of `lotSize`.",
    "SpotOrderSent.price": "In the quote asset: a multiple of `tickSize`. MARKET, STOP and"
    " TAKE_PROFIT have none.",
    "SpotOrderSent.expiresAt": "When a GTD order ends, such as 2026-05-01T09:00:00.000Z.",
    "clientOrderId": "Your own id of the order, unique in your account for ever: the same id and"
    " order again are the first order.",
    "SpotOrder.market": "The market.",
    "SpotOrder.quantity": "How much of the base asset.",
    "SpotOrder.price": "In the quote asset; null where it has none.",
    "SpotOrder.status": "OPEN from when it is accepted, then PARTIALLY_FILLED, FILLED, CANCELLED,"
    " REJECTED or EXPIRED.",
    "SpotOrder.expiresAt": "When it ends; null for never.",
    "SpotOrder.createdAt": "When it was accepted.",
    "SpotOrder.averagePrice": "The mean price of what was filled; null before the first fill.",
    "SpotOrder.fee": "What its fills have cost, in the quote asset.",
    "SpotOrder.reason": "Why it was REJECTED, CANCELLED or EXPIRED.",
    "SpotMarket.market": "Its name.",
    "SpotMarket.status": "ACTIVE, or why it takes no orders now.",
    "AppBalance.total": "All of it.",
    "AppDepositSent.amount": "How much, in whole units of the asset.",
    "NewAppTokenAnswer.token": "It is shown this once, and kept only as a hash.",
    "exists": "Whether there is one.",
    "AppTokenAnswer.createdAt": "When it was made; absent where there is none.",
    "MessageAnswer.message": "What was done.",
    **DROID_FIELDS,
}

TAGS = {
    "Trading app: people": "Browsers log in with a cookie; ADMINs approve who joins.",
    "Trading app: orders": "Spot orders and money, in JSON numbers.",
    "Trading app: explorer": "What has happened on the chain, by block, transaction and address.",
    "Trading app: droids": "Droids work ladders of positions in a pool of the chain.",
    "Trading app: DevBE": "Readings by name, for OPERATORs.",
}

OPERATION_IDS = {
    "post_join": "join",
    "post_app_login": "logInToApp",
    "post_app_logout": "logOutOfApp",
    "post_app_refresh": "refreshLogin",
    "get_app_refresh": "refreshLoginAndGoOn",
    "get_people": "getUsers",
    "patch_person": "changeUser",
    "get_app_orders": "getSpotOrders",
    "post_app_order": "placeSpotOrder",
    "get_app_order": "getSpotOrder",
    "delete_app_order": "cancelSpotOrder",
    "get_spot_markets": "getSpotMarkets",
    "get_app_balances": "getMoney",
    "post_app_deposit": "putMoneyIn",
    "get_app_token": "getAppToken",
    "post_app_token": "makeAppToken",
    "delete_app_token": "revokeAppToken",
    "post_droid": "makeDroid",
    "get_droid_accounts": "getDroidWallets",
    "get_droid_pools": "getPools",
    "patch_droid_active": "runDroid",
    "patch_droid_config": "changeDroid",
    "get_devbe_data": "getDevbeData",
    "get_devbe_run": "runDevbeScript",
}

PARTS_OF_PATHS = {
    "droid_id": "1",
    "user_id": "user_1042",
    "query_type": DATA_SHOWN,
    "script": SCRIPT_SHOWN,
}

NO_ORDER: Example = ("404", "No such order", {})
NO_DROID: Example = ("404", "No such droid", {})
KEY_REUSED: Example = ("409", "This Idempotency-Key was used before for another request", {})
EXAMPLES: dict[str, dict[int, Example]] = {
    "placeSpotOrder": {
        400: ("400", "price 3200.001 is not valid in this market; the nearest valid value is 3200",
              {}),
        404: ("404", "No such market; GET /api/markets lists them", {}),
        409: KEY_REUSED,
    },
    "getSpotOrder": {404: NO_ORDER},
    "cancelSpotOrder": {404: NO_ORDER},
    "getSpotOrders": {404: ("404", "No such account", {})},
    "getMoney": {404: ("404", "No such account", {})},
    "putMoneyIn": {
        400: ("400", "The asset must be USDC, ETH or USDT", {}),
        404: ("404", "No such account", {}),
        409: KEY_REUSED,
    },
    "makeAppToken": {409: ("409", SHOWN_BEFORE, {})},
    **explorer.EXAMPLES,
    "makeDroid": {
        400: ("400", "maxBots: must be at least 1 and at most 100", {}),
        409: KEY_REUSED,
    },
    "getDroid": {404: NO_DROID},
    "getDroidHistory": {404: NO_DROID},
    "changeDroid": {400: ("400", "Say what changes, such as maxBots", {}), 404: NO_DROID},
    "runDroid": {
        400: ("400", "Too little money: 50000 USDC is needed and 10000 is free, 0.2 ETH is needed"
              " and 0 is free; fundingUSD: must be at most 10000", {}),
        404: NO_DROID,
        409: ("409", "The droid is closing its positions: wait until its session is STOPPED", {}),
    },
    "getDevbeData": {
        400: ("400", "poolId: must be one of 42, 43", {}),
        404: ("404", "No such name; there are walletSummary, poolSummary, droidPerformance,"
              " gasSummary", {}),
    },
    "runDevbeScript": {
        400: ("400", "tick: must be 887272 or less: that is the maximum", {}),
        404: ("404", "No such name; there are verifySignature, priceToTick, tickToPrice,"
              " positionValue", {}),
    },
}  # fmt: skip

WORDS = Words(
    "api.havencap",
    FIELDS | explorer.FIELDS,
    EXAMPLES,
    SECURITY_SCHEMES,
    TAGS,
    OPERATION_IDS | explorer.OPERATION_IDS,
    PARTS_OF_PATHS | explorer.PARTS_OF_PATHS,
    {"query_type": list(DATA), "script": list(SCRIPTS)},
)
