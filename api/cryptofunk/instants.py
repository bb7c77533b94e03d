"""Times as this family's clients write them in a query: RFC 3339."""

import re
from datetime import UTC, datetime

from api.cryptofunk.envelope import malformed

RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
SECOND_US = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds_of(text: str | None, field: str) -> int | None:
    """Since 1970, where a time is given. Raises Refused that names the field."""
    if text is None:
        return None
    try:
        if RFC_3339.fullmatch(text) is None:
            raise ValueError(text)
        since = datetime.fromisoformat(text.upper()).astimezone(UTC) - EPOCH
    except (ValueError, OverflowError):
        sentence = f"{field} must be a time such as 2025-01-15T00:00:00Z"
        raise malformed(f"invalid {field} format", sentence, field=field) from None
    return (since.days * 86_400 + since.seconds) * SECOND_US + since.microseconds


def until_of(text: str | None, field: str) -> int | None:
    """The last microsecond that a time names: of a whole second its last, for answers tell times in
    whole seconds."""
    found = microseconds_of(text, field)
    return found if found is None or "." in (text or "") else found + SECOND_US - 1
