"""Which decisions."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from api.cryptofunk.wire import (
    Body,
    InAnyCase,
    InAnyLowerCase,
    PlainText,
    Query,
    QuerySymbol,
    QueryUuid,
)
from api.door.wire import Cursor
from api.exact_json import ExactNumber, WholeNumber

LIMIT_DEFAULT, LIMIT_MAX = 50, 500
SIMILAR_DEFAULT, SIMILAR_MAX = 10, 50
SEARCH_DEFAULT, SEARCH_MAX = 20, 100
OFFSET_MAX = 10_000
WORDS_MAX = 500
WHOLE = re.compile(r"[+-]?\d{1,4300}", re.ASCII)
NUMBER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
Word = Annotated[str, Field(min_length=1, max_length=64)]
Type = Literal["signal", "consensus", "risk_approval"]
Outcome = Literal["PENDING", "SUCCESS", "FAILURE"]


def _forgiving_limit(text: Any) -> int:
    """As the document has it: what is no number is not heard, below 1 is the default, above the
    most is the most."""
    if NUMBER.fullmatch(str(text)) is None or int(text) < 1:
        return LIMIT_DEFAULT
    return min(int(text), LIMIT_MAX)


def _forgiving_offset(text: Any) -> int:
    """What is below 0, or no number, is the first page; what is far too large is refused."""
    number = WHOLE.fullmatch(str(text))
    return min(max(0, int(str(text)[:20])), OFFSET_MAX + 1) if number else 0


class DecisionsCounted(Query):
    """Of which symbol and kind, and when. Times are RFC 3339."""

    symbol: QuerySymbol | None = None
    decision_type: Annotated[Type | None, InAnyLowerCase] = None
    from_date: Word | None = None
    to_date: Word | None = None


class DecisionsAsked(DecisionsCounted):
    """Which of them, and how many."""

    outcome: Annotated[Outcome | None, InAnyCase] = None
    model: Word | None = None
    agent_name: Word | None = None
    session_id: QueryUuid | None = None
    limit: Annotated[int, BeforeValidator(_forgiving_limit)] = LIMIT_DEFAULT
    offset: Annotated[int, BeforeValidator(_forgiving_offset), Field(le=OFFSET_MAX)] = 0
    cursor: Cursor | None = None

    @property
    def rows(self) -> int:
        """The most that the answer may have."""
        return self.limit


class SimilarAsked(Query):
    """How many."""

    limit: Word | None = None


def _signed_number(value: Any) -> Any:
    if not isinstance(value, ExactNumber):
        raise ValueError("must be a number")
    return float(value.text)


class DecisionSearch(Body):
    """Words, or a vector of market context; one of both."""

    query: Annotated[PlainText, Field(min_length=1, max_length=WORDS_MAX)] | None = None
    embedding: (
        Annotated[
            list[Annotated[float, BeforeValidator(_signed_number), Field(allow_inf_nan=False)]],
            Field(min_length=1, max_length=64),
        ]
        | None
    ) = None
    symbol: Annotated[PlainText, Field(min_length=1, max_length=32)] | None = None
    from_date: Annotated[PlainText, Field(min_length=1, max_length=64)] | None = None
    to_date: Annotated[PlainText, Field(min_length=1, max_length=64)] | None = None
    limit: Annotated[WholeNumber, Field(ge=1, le=SEARCH_MAX)] = SEARCH_DEFAULT

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"query": "oversold", "symbol": "BTC/USDT", "limit": 20}]}
    )
