"""Backtests as clients ask for them."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, StrictStr, WithJsonSchema

from api.cryptofunk.strategy_answers import Sections
from api.cryptofunk.wire import Body, Query, SymbolText
from api.door.wire import QueryNumber
from api.exact_json import DecimalText, WholeNumber, decimal_schema
from sim.scenario.scenario import DURATION_S_MAX
from sim.scenario.world import SEED_MAX
from sim.signals.grid import COMBINATIONS_MAX
from sim.signals.strategy import NAME_MAX

SYMBOLS_MAX = AXES_MAX = 8
PATH_MAX = 64
PAGE_DEFAULT, PAGE_MAX, OFFSET_MAX = 20, 100, 10_000
POPULATIONS_MAX = 20
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
NOT_DAY = "must be a day such as 2025-01-15"
GRID: dict[str, Any] = {
    "type": "object",
    "additionalProperties": {"type": "array", "items": {"type": "number"}, "minItems": 1},
}


def _day(text: str) -> str:
    try:
        if DAY.fullmatch(text) is None:
            raise ValueError(text)
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(NOT_DAY) from None


def _printable(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("must be printable")
    return text


def _positive(text: str) -> str:
    if not Decimal(text):
        raise ValueError("must be above 0")
    return text


DayText = Annotated[
    StrictStr, AfterValidator(_day), WithJsonSchema({"type": "string", "format": "date"})
]
CapitalText = Annotated[
    DecimalText, AfterValidator(_positive), WithJsonSchema(decimal_schema(is_above=True))
]
Axis = Annotated[list[Any], Field(min_length=1, max_length=COMBINATIONS_MAX)]
GridPath = Annotated[StrictStr, Field(min_length=1, max_length=PATH_MAX)]
Grid = Annotated[dict[GridPath, Axis], Field(max_length=AXES_MAX), WithJsonSchema(GRID)]


class BacktestSent(Body):
    """A strategy on history, or on a scenario: `start_date` to `end_date`, both days whole in UTC,
    of the candles that the exchange has; or a `scenario` that ships, for `duration_s`."""

    name: Annotated[StrictStr, Field(min_length=1, max_length=NAME_MAX), AfterValidator(_printable)]
    start_date: DayText | None = None
    end_date: DayText | None = None
    symbols: Annotated[list[SymbolText], Field(min_length=1, max_length=SYMBOLS_MAX)]
    initial_capital: CapitalText
    strategy: Sections | None = None
    parameter_grid: Grid | None = None
    scenario: Annotated[StrictStr, Field(min_length=1, max_length=60)] | None = None
    populations: (
        Annotated[list[Sections], Field(min_length=1, max_length=POPULATIONS_MAX)] | None
    ) = None
    duration_s: Annotated[WholeNumber, Field(ge=1, le=DURATION_S_MAX)] | None = None
    seed: Annotated[WholeNumber, Field(ge=0, le=SEED_MAX)] | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "calm or not",
                    "start_date": "2025-01-14",
                    "end_date": "2025-01-15",
                    "symbols": ["BTC/USDT"],
                    "initial_capital": 10_000,
                    "parameter_grid": {"agents.technical.rsi_period": [10, 14]},
                    "seed": 7,
                }
            ]
        }
    )


class BacktestReportAsked(Query):
    """Of which combination."""

    combination: Annotated[QueryNumber, Field(ge=0, le=COMBINATIONS_MAX - 1)] = 0


class BacktestsAsked(Query):
    """How many, and how many are left out before the first."""

    limit: Annotated[QueryNumber, Field(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT
    offset: Annotated[QueryNumber, Field(ge=0, le=OFFSET_MAX)] = 0

    @property
    def rows(self) -> int:
        """The most that the answer may have."""
        return self.limit
