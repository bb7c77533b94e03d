"""What a report shows of what is more than fits: a page stays under 1 MB for any scenario.

The largest are shown, in the scenario's own order, and a sentence counts those that are not.
"""

from collections.abc import Sequence

from sim.report.text import number

MARKETS_DRAWN_MAX = 8
"""With charts and facts of their own: 50 KB each."""

MARKET_ROWS_MAX = 100
STRATEGY_ROWS_MAX = 200
"""Of a table of all, 0.3 KB each."""

CARDS_BYTES_MAX = 300_000
"""Of all strategies' cards together: one has 5 to 30 KB, by samples and markets."""

HAPPENINGS_MAX = 20
"""Of one market that are told and marked, the first ones: 1 KB each."""

SENTENCES_MAX = 50


def largest(sizes: Sequence[int], most: int) -> list[int]:
    """Places of the largest, in order; of equals the first."""
    ordered = sorted(range(len(sizes)), key=lambda place: -sizes[place])
    return sorted(ordered[:most])


def chosen(what: str, shown: int, count: int, by: str) -> str:
    """24 of 690 strategies, the largest by volume, have charts here; 666 have none. Empty where
    all are shown."""
    if shown == count:
        return ""
    rest = number(count - shown)
    return f"<p>{shown} of {number(count)} {what}, {by}, have charts here; {rest} have none.</p>"
