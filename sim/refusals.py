"""Everything the exchange says no with, before an order reaches a book."""

from collections.abc import Mapping
from enum import StrEnum


class Refusal(StrEnum):
    """The closed set of causes. Each family of the API maps them to its own statuses."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    FORBIDDEN = "FORBIDDEN"
    INVALID_REQUEST = "INVALID_REQUEST"
    INVALID_EMAIL = "INVALID_EMAIL"
    INVALID_PASSWORD = "INVALID_PASSWORD"
    INVALID_ORDER = "INVALID_ORDER"
    INVALID_AMOUNT = "INVALID_AMOUNT"
    UNKNOWN_ASSET = "UNKNOWN_ASSET"
    MARKET_NOT_FOUND = "MARKET_NOT_FOUND"
    MARKET_NOT_OPEN = "MARKET_NOT_OPEN"
    MARKET_HALTED = "MARKET_HALTED"
    PRICE_UNAVAILABLE = "PRICE_UNAVAILABLE"
    INSUFFICIENT_LIQUIDITY = "INSUFFICIENT_LIQUIDITY"
    INSUFFICIENT_MARGIN = "INSUFFICIENT_MARGIN"
    INSUFFICIENT_BALANCE = "INSUFFICIENT_BALANCE"
    DUPLICATE_CLIENT_ORDER_ID = "DUPLICATE_CLIENT_ORDER_ID"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    TOO_MANY_OPEN_ORDERS = "TOO_MANY_OPEN_ORDERS"
    TOO_MANY_API_KEYS = "TOO_MANY_API_KEYS"
    API_KEY_NOT_FOUND = "API_KEY_NOT_FOUND"
    ACCOUNT_NOT_FOUND = "ACCOUNT_NOT_FOUND"
    ACCOUNT_ARCHIVED = "ACCOUNT_ARCHIVED"
    TOO_MANY_ACCOUNTS = "TOO_MANY_ACCOUNTS"
    USER_NOT_FOUND = "USER_NOT_FOUND"
    LAST_ADMIN = "LAST_ADMIN"
    ORDER_NOT_FOUND = "ORDER_NOT_FOUND"
    ORDER_NOT_OPEN = "ORDER_NOT_OPEN"
    AMENDMENT_UNDER_WAY = "AMENDMENT_UNDER_WAY"
    LEVERAGE_IN_USE = "LEVERAGE_IN_USE"
    ACCOUNT_NOT_FLAT = "ACCOUNT_NOT_FLAT"
    INVALID_SCENARIO = "INVALID_SCENARIO"
    TOO_MANY_SIMULATIONS = "TOO_MANY_SIMULATIONS"
    SIMULATION_NOT_FOUND = "SIMULATION_NOT_FOUND"
    SIMULATION_NOT_ENDED = "SIMULATION_NOT_ENDED"
    SIMULATION_ENDED = "SIMULATION_ENDED"
    DROID_CLOSING = "DROID_CLOSING"
    TOO_MANY_DROIDS = "TOO_MANY_DROIDS"
    NO_CHAIN = "NO_CHAIN"
    ALREADY_THERE = "ALREADY_THERE"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    UNKNOWN_HOST = "UNKNOWN_HOST"
    RATE_LIMITED = "RATE_LIMITED"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL_ERROR = "INTERNAL_ERROR"


class Name(StrEnum):
    """What requests call a thing, as it stands in a refusal's sentence or as the `field` of its
    details: each family of the API puts its own word or route in the place."""

    CLIENT_ORDER_ID = "{client_order_id}"
    MARKET_ID = "{market_id}"
    POOL_ID = "{pool_id}"
    QUANTITY = "{quantity}"
    PRICE = "{price}"
    LEVERAGE = "{leverage}"
    TIME_IN_FORCE = "{time_in_force}"
    TRIGGER_PRICE = "{trigger_price}"
    TRAILING_OFFSET = "{trailing_offset}"
    TRIGGER_BY = "{trigger_by}"
    EXPIRES_AT = "{expires_at}"
    LINK_ID = "{link_id}"
    POST_ONLY = "{post_only}"
    REDUCE_ONLY = "{reduce_only}"
    ASSET = "{asset}"
    AMOUNT = "{amount}"
    BALANCES = "{balances}"
    SCENARIO_TEXT = "{scenario_text}"
    SET_LEVERAGE = "{set_leverage}"
    LIST_MARKETS = "{list_markets}"
    LIST_ORDERS = "{list_orders}"
    FORGET_IT = "{forget_it}"


def instant(at_us: int) -> str:
    """In a sentence: a time, in microseconds since 1970, as clients of a family write times."""
    return f"{{@{at_us // 1_000}}}"


def request_to(route: str) -> str:
    """In a sentence: a request that does what `route` does, as idempotency keys are remembered."""
    return f"{{/{route}}}"


class Refused(Exception):
    """A refusal on its way to the caller: a cause, a sentence, and facts that help.

    It speaks no family's words: the keys of `details` are in snake_case, fields and routes are
    Names. See api/door/spelling.py.
    """

    def __init__(
        self, refusal: Refusal, message: str, details: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.refusal = refusal
        self.message = message
        self.details = dict(details or {})

    def __reduce__(self) -> tuple[type["Refused"], tuple[Refusal, str, dict[str, object]]]:
        return (Refused, (self.refusal, self.message, self.details))
