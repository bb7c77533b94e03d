"""Times as the trading app's clients write them: RFC 3339, with the zone that is meant."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field, StrictStr

RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?(?P<zone>[Zz]|[+-]\d\d:\d\d)?", re.ASCII
)
NOT_A_TIME = "must be a time such as 2026-05-01T09:00:00.000Z"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
    """Since 1970, of an InstantText."""
    since = datetime.fromisoformat(instant).astimezone(UTC) - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
