"""Pages: one row more than asked for tells whether there is another page."""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from sim.refusals import Refusal, Refused
from storage.views import ID_MAX, FillCursor

Row = TypeVar("Row")

NUMBER_TEXT = re.compile(r"\d{1,19}", re.ASCII)
FILL_TEXT = re.compile(r"(\d{1,19}):([A-Z0-9]+-[A-Z0-9]+):(\d{1,19}):([01])", re.ASCII)


def page_of(
    rows: Sequence[Row], limit: int, cursor_of: Callable[[Row], str]
) -> tuple[Sequence[Row], str | None]:
    """The page and the cursor of the next one, from up to limit + 1 rows."""
    if len(rows) <= limit:
        return rows, None
    page = rows[:limit]
    return page, cursor_of(page[-1])


def cursor_number(cursor: str | None) -> int:
    """A cursor that is one number; without a cursor, above every number."""
    if cursor is None:
        return ID_MAX
    if NUMBER_TEXT.fullmatch(cursor) is None or int(cursor) > ID_MAX:
        raise Refused(Refusal.INVALID_REQUEST, "cursor: not one of ours")
    return int(cursor)


def fill_cursor(cursor: str | None) -> FillCursor:
    """A cursor of fills; without one, above every fill."""
    if cursor is None:
        return FillCursor()
    match = FILL_TEXT.fullmatch(cursor)
    if match is None or int(match.group(1)) > ID_MAX or int(match.group(3)) > ID_MAX:
        raise Refused(Refusal.INVALID_REQUEST, "cursor: not one of ours")
    return FillCursor(
        int(match.group(1)), match.group(2), int(match.group(3)), match.group(4) == "1"
    )
