"""Orders and money as the trading app's clients send them."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, StrictStr

from api.desk.order_words import STATUSES, listed_statuses
from api.door.wire import PageAsked, Sent
from api.exact_json import DecimalText
from sim.orders import OrderStatus

SHOWN = [status for status in STATUSES if status != OrderStatus.PENDING.name]
"""What is accepted is OPEN here from the beginning."""
RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?(?P<zone>[Zz]|[+-]\d\d:\d\d)?", re.ASCII
)
NOT_A_TIME = "must be a time such as 2026-05-01T09:00:00.000Z"

SpotOrderType = Literal["MARKET", "LIMIT", "STOP", "STOP_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"]


def _known_statuses(text: str) -> str:
    return listed_statuses(text, SHOWN)


def _instant(text: str) -> str:
    found = RFC_3339.fullmatch(text)
    if found is None:
        raise ValueError(NOT_A_TIME)
    if found["zone"] is None:
        raise ValueError(f"{NOT_A_TIME}: which zone is meant does not show")
    try:
        datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(NOT_A_TIME) from None
    return text.upper()


InstantText = Annotated[StrictStr, Field(max_length=40), AfterValidator(_instant)]


def microseconds_of(instant: str) -> int:
    """An InstantText in microseconds since 1970, negative before."""
    since = datetime.fromisoformat(instant).astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


class SpotOrderSent(Sent):
    """An order on a spot market."""

    market: Annotated[StrictStr, Field(min_length=1, max_length=32)]
    side: Literal["BUY", "SELL"]
    order_type: SpotOrderType
    quantity: DecimalText
    price: DecimalText | None = None
    time_in_force: Literal["GTC", "IOC", "FOK", "GTD"] | None = None
    stop_price: DecimalText | None = None
    expires_at: InstantText | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "market": "ETH_USDC",
                    "side": "BUY",
                    "orderType": "LIMIT",
                    "quantity": 1.5,
                    "price": 3200.00,
                    "timeInForce": "GTC",
                    "stopPrice": None,
                    "expiresAt": None,
                }
            ]
        }
    )

    @property
    def expires_us(self) -> int | None:
        """When it ends, in microseconds since 1970, or never."""
        return None if self.expires_at is None else max(1, microseconds_of(self.expires_at))


class SpotOrdersAsked(PageAsked):
    """Which orders."""

    status: Annotated[
        Annotated[str, AfterValidator(_known_statuses)] | None,
        Field(description="One status, or several with commas between"),
    ] = None


class AppDepositSent(Sent):
    """An amount of an asset."""

    asset: Annotated[StrictStr, Field(min_length=1, max_length=16)]
    amount: DecimalText

    model_config = ConfigDict(json_schema_extra={"examples": [{"asset": "ETH", "amount": 2.5}]})
