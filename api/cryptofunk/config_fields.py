"""What may be changed of the configuration, and between which bounds."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, StrictBool

from api.cryptofunk.wire import Body, InAnyCase
from api.exact_json import DecimalText, ExactNumber
from sim.units import DEPOSIT_UNITS_MAX

NO_LIVE = "must be paper: there is no live trading here"


@dataclass(frozen=True)
class Bound:
    """From low to high; `is_above`: low itself is not allowed."""

    low: int
    high: int
    is_above: bool = False
    is_whole: bool = False

    def holds(self, value: Decimal) -> bool:
        """Whether a value is within."""
        above = value > self.low if self.is_above else value >= self.low
        return above and value <= self.high and not (self.is_whole and value % 1)

    def __str__(self) -> str:
        kind = "a whole number" if self.is_whole else "a number"
        low = "above" if self.is_above else "of at least"
        return f"{kind} {low} {self.low} and at most {self.high}"


SHARE = Bound(0, 1, is_above=True)
CAPITAL = Bound(0, DEPOSIT_UNITS_MAX, is_above=True)
POSITIONS = Bound(1, 1_000, is_whole=True)
PROFIT = Bound(0, 100, is_above=True)
CONFIDENCE = Bound(0, 1)
TEMPERATURE = Bound(0, 2)
TOKENS = Bound(1, 1_000_000, is_whole=True)


def _number(value: Any) -> Any:
    """A JSON number; a text that looks like one is of another type."""
    if not isinstance(value, ExactNumber):
        raise ValueError("must be a number")
    return value


def within(bound: Bound) -> Callable[[str], Decimal]:
    """What reads a number that has to be within."""

    def check(text: str) -> Decimal:
        value = Decimal(text)
        if not bound.holds(value):
            raise ValueError(f"must be {bound}")
        return value

    return check


def _paper(value: Any) -> Any:
    if isinstance(value, str) and value.upper() == "LIVE":
        raise ValueError(NO_LIVE)
    return value


SentShare = Annotated[DecimalText, BeforeValidator(_number), AfterValidator(within(SHARE))]


class ConfigChange(Body):
    """What changes. Without `persist` it is forgotten when the exchange is started again."""

    trading_mode: Annotated[Literal["PAPER"], InAnyCase, BeforeValidator(_paper)] | None = None
    initial_capital: (
        Annotated[DecimalText, BeforeValidator(_number), AfterValidator(within(CAPITAL))] | None
    ) = None
    max_positions: (
        Annotated[DecimalText, BeforeValidator(_number), AfterValidator(within(POSITIONS))] | None
    ) = None
    max_position_size: SentShare | None = None
    max_daily_loss: SentShare | None = None
    max_drawdown: SentShare | None = None
    default_stop_loss: SentShare | None = None
    default_take_profit: (
        Annotated[DecimalText, BeforeValidator(_number), AfterValidator(within(PROFIT))] | None
    ) = None
    min_confidence: (
        Annotated[DecimalText, BeforeValidator(_number), AfterValidator(within(CONFIDENCE))] | None
    ) = None
    llm_approval_required: StrictBool | None = None
    llm_temperature: (
        Annotated[DecimalText, BeforeValidator(_number), AfterValidator(within(TEMPERATURE))] | None
    ) = None
    llm_max_tokens: (
        Annotated[DecimalText, BeforeValidator(_number), AfterValidator(within(TOKENS))] | None
    ) = None
    persist: StrictBool = False

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "trading_mode": "paper",
                    "max_position_size": 0.15,
                    "default_stop_loss": 0.03,
                    "llm_temperature": 0.8,
                }
            ]
        }
    )

    @property
    def changes(self) -> dict[str, Any]:
        """What was sent, as it is kept and told."""
        sent = self.model_dump(exclude_none=True, exclude={"persist"})
        return {
            name: value.lower() if name == "trading_mode" else value for name, value in sent.items()
        }
