"""What may be changed of the configuration, and between which bounds."""

from collections.abc import Callable
from dataclasses import fields
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, StrictBool

from api.cryptofunk.wire import Body, InAnyCase
from api.exact_json import DecimalText, ExactNumber
from sim.signals.bounds import Bound
from sim.signals.terms import RiskTerms, VotingTerms
from sim.units import DEPOSIT_UNITS_MAX
from storage.model_settings import TEMPERATURE, TOKENS

NO_LIVE = "must be paper: there is no live trading here"


def bound_of(section: type[RiskTerms] | type[VotingTerms], name: str) -> Bound:
    """Between which bounds a strategy's setting is; they are the same here."""
    (found,) = [one.metadata["bound"] for one in fields(section) if one.name == name]
    assert isinstance(found, Bound)
    return found


POSITIONS = bound_of(RiskTerms, "max_positions")
POSITION_SIZE = bound_of(RiskTerms, "max_position_size")
DAILY_LOSS = bound_of(RiskTerms, "max_daily_loss")
DRAWDOWN = bound_of(RiskTerms, "max_drawdown")
LOSS = bound_of(RiskTerms, "default_stop_loss")
PROFIT = bound_of(RiskTerms, "default_take_profit")
CONFIDENCE = bound_of(VotingTerms, "min_confidence")
CAPITAL = Bound("what a session begins with", 0, DEPOSIT_UNITS_MAX, is_above=True)


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


Number = Annotated[DecimalText, BeforeValidator(_number)]


class ConfigChange(Body):
    """What changes. Without `persist` it is forgotten when the exchange is started again."""

    trading_mode: Annotated[Literal["PAPER"], InAnyCase, BeforeValidator(_paper)] | None = None
    initial_capital: Annotated[Number, AfterValidator(within(CAPITAL))] | None = None
    max_positions: Annotated[Number, AfterValidator(within(POSITIONS))] | None = None
    max_position_size: Annotated[Number, AfterValidator(within(POSITION_SIZE))] | None = None
    max_daily_loss: Annotated[Number, AfterValidator(within(DAILY_LOSS))] | None = None
    max_drawdown: Annotated[Number, AfterValidator(within(DRAWDOWN))] | None = None
    default_stop_loss: Annotated[Number, AfterValidator(within(LOSS))] | None = None
    default_take_profit: Annotated[Number, AfterValidator(within(PROFIT))] | None = None
    min_confidence: Annotated[Number, AfterValidator(within(CONFIDENCE))] | None = None
    llm_approval_required: StrictBool | None = None
    llm_temperature: Annotated[Number, AfterValidator(within(TEMPERATURE))] | None = None
    llm_max_tokens: Annotated[Number, AfterValidator(within(TOKENS))] | None = None
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
