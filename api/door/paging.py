"""Pages: one row more than asked for tells whether there is another page.

A cursor names its list and carries a check, so one of another list or a damaged one is told
from one of this list.
"""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar
from zlib import crc32

from sim.refusals import Refusal, Refused
from storage.reading.time_window import EVER, NUMBER_MAX, TimeWindow

Row = TypeVar("Row")

CURSOR_TEXT = re.compile(r"([A-Za-z0-9_-]+)\.(\d{1,19})\.([0-9a-f]{8})", re.ASCII)


def page_of(
    rows: Sequence[Row], limit: int, name: str, number_of: Callable[[Row], int]
) -> tuple[Sequence[Row], str | None]:
    """The page and the cursor of the next one, from up to limit + 1 rows of the list `name`."""
    if len(rows) <= limit:
        return rows, None
    page = rows[:limit]
    return page, cursor_text(name, number_of(page[-1]))


def next_page(cursor: str | None) -> dict[str, str]:
    """The header with the cursor of the next page, where there is one."""
    return {} if cursor is None else {"X-Next-Cursor": cursor}


def cursor_text(name: str, number: int) -> str:
    """The cursor of what comes below this number in the list `name`."""
    return f"{name}.{number}.{crc32(f'{name}.{number}'.encode()):08x}"


def cursor_number(name: str, cursor: str | None) -> int:
    """The number in a cursor of the list `name`; without a cursor, above every number."""
    if cursor is None:
        return NUMBER_MAX
    match = CURSOR_TEXT.fullmatch(cursor)
    number = int(match.group(2)) if match is not None else 0
    if number > NUMBER_MAX or cursor != cursor_text(name, number):
        raise Refused(
            Refusal.INVALID_REQUEST,
            "cursor: not one of this list; send the X-Next-Cursor of its last page as it was",
        )
    return number


def window_of(since_ms: int | None, until_ms: int | None) -> TimeWindow:
    """Milliseconds of a query as a window. Raises Refused where it ends before it begins."""
    if since_ms is not None and until_ms is not None and until_ms < since_ms:
        raise Refused(
            Refusal.INVALID_REQUEST, f"until: must be at least since, which is {since_ms}"
        )
    return TimeWindow(
        since_ms * 1_000 if since_ms is not None else EVER.since_us,
        until_ms * 1_000 if until_ms is not None else EVER.until_us,
    )
