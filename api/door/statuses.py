"""Which status of HTTP a refusal has, in every family, and the headers that go with it."""

from sim.refusals import Refusal, Refused

RETRY_AFTER_S = 1

STATUSES: dict[Refusal, int] = {
    Refusal.UNAUTHENTICATED: 401,
    Refusal.INVALID_CREDENTIALS: 401,
    Refusal.FORBIDDEN: 403,
    Refusal.INVALID_REQUEST: 400,
    Refusal.INVALID_EMAIL: 400,
    Refusal.INVALID_PASSWORD: 400,
    Refusal.INVALID_ORDER: 400,
    Refusal.INVALID_AMOUNT: 400,
    Refusal.UNKNOWN_ASSET: 400,
    Refusal.MARKET_NOT_FOUND: 404,
    Refusal.MARKET_NOT_OPEN: 400,
    Refusal.MARKET_HALTED: 409,
    Refusal.PRICE_UNAVAILABLE: 503,
    Refusal.INSUFFICIENT_LIQUIDITY: 400,
    Refusal.INSUFFICIENT_MARGIN: 400,
    Refusal.INSUFFICIENT_BALANCE: 400,
    Refusal.DUPLICATE_CLIENT_ORDER_ID: 409,
    Refusal.IDEMPOTENCY_KEY_REUSED: 409,
    Refusal.TOO_MANY_OPEN_ORDERS: 400,
    Refusal.TOO_MANY_API_KEYS: 409,
    Refusal.API_KEY_NOT_FOUND: 404,
    Refusal.ACCOUNT_NOT_FOUND: 404,
    Refusal.ACCOUNT_ARCHIVED: 409,
    Refusal.TOO_MANY_ACCOUNTS: 409,
    Refusal.USER_NOT_FOUND: 404,
    Refusal.LAST_ADMIN: 409,
    Refusal.ORDER_NOT_FOUND: 404,
    Refusal.ORDER_NOT_OPEN: 409,
    Refusal.AMENDMENT_UNDER_WAY: 409,
    Refusal.LEVERAGE_IN_USE: 409,
    Refusal.ACCOUNT_NOT_FLAT: 409,
    Refusal.INVALID_SCENARIO: 400,
    Refusal.TOO_MANY_SIMULATIONS: 409,
    Refusal.SIMULATION_NOT_FOUND: 404,
    Refusal.SIMULATION_NOT_ENDED: 409,
    Refusal.SIMULATION_ENDED: 409,
    Refusal.DROID_CLOSING: 409,
    Refusal.TOO_MANY_DROIDS: 409,
    Refusal.NO_CHAIN: 409,
    Refusal.ALREADY_THERE: 409,
    Refusal.NOT_FOUND: 404,
    Refusal.METHOD_NOT_ALLOWED: 405,
    Refusal.PAYLOAD_TOO_LARGE: 413,
    Refusal.UNSUPPORTED_MEDIA_TYPE: 415,
    Refusal.UNKNOWN_HOST: 400,
    Refusal.RATE_LIMITED: 429,
    Refusal.UNAVAILABLE: 503,
    Refusal.INTERNAL_ERROR: 500,
}


def headers_of_refusal(refused: Refused) -> dict[str, str]:
    """When to come again, and whether the connection can be used for it."""
    status, headers = STATUSES[refused.refusal], {}
    if status in (429, 503):
        headers["Retry-After"] = str(refused.details.get("retry_after", RETRY_AFTER_S))
    if status == 413:
        headers["Connection"] = "close"
    return headers
