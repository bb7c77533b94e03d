"""Orders and money as the trading app's clients send them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, StrictStr

from api.desk.order_words import STATUSES, listed_statuses
from api.door.wire import OrderText, PageAsked, Sent
from api.exact_json import DecimalText
from api.havencap.instants import InstantText, microseconds_of
from sim.orders import OrderStatus

SHOWN = [status for status in STATUSES if status != OrderStatus.PENDING.name]
"""What is accepted is OPEN here from the beginning."""

SpotOrderType = Literal["MARKET", "LIMIT", "STOP", "STOP_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"]


def _known_statuses(text: str) -> str:
    return listed_statuses(text, SHOWN)


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
    client_order_id: OrderText | None = None

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
