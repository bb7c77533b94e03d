"""MarketHost: a book, what it is told in front of a batch, and what traders see and hear of it.

A simulation's market and the live one drive it, each at a time of its own: the one adds funding,
closings, shocks and a tape, the other a journal, a clock and recovery.
"""

from collections.abc import Sequence
from itertools import pairwise

from sim.book.engine import MarketEngine
from sim.hosting.views import NO_TRADES, Levels, Range, levels_of, view_of
from sim.populations.population import Integers, MarketView
from sim.populations.quoted import is_quoted
from sim.rows.messages import EventKind, Rows, empty_commands, mark_row, tick_row
from sim.rows.packed import bounds_of, packed_for
from sim.units import PPM

NO_ROWS = empty_commands(0)


class MarketHost:
    """One market as its traders meet it.

    engine        whoever drives the host applies rows to it
    index_ticks, mark_ticks   what prices are now, 0 before they are known
    volume_lots   traded here, as far as it was counted
    """

    def __init__(self, engine: MarketEngine, index_ticks: int = 0, mark_ticks: int = 0) -> None:
        self.engine, self.volume_lots = engine, 0
        self.index_ticks, self.mark_ticks = index_ticks, mark_ticks
        self._levels, self._levels_seq = levels_of(engine), engine.event_seq
        self._bounds, self._traded_ticks = bounds_of([]), NO_TRADES

    def go_on(self, engine: MarketEngine, volume_lots: int) -> None:
        """Go on with a book that was kept."""
        self.engine, self.volume_lots = engine, volume_lots
        self._levels, self._levels_seq = levels_of(engine), engine.event_seq

    def mark_in_front(self, rows: Rows) -> Rows:
        """One SET_MARK row where the book knows another mark than we, none where it knows ours.

        Nor one in front of nothing: a quiet market writes no rows.
        """
        if not self._has_news_of_mark(rows):
            return NO_ROWS
        return mark_row(self.mark_ticks, int(rows["time_us"][0]))

    def waking_rows(self, time_us: int) -> Rows:
        """What the book is told although nobody asks for anything: mark where orders wait for it,
        or the time where it ends an order or one is due. Most often nothing."""
        if not self.engine.has_terms:
            return NO_ROWS
        if self.engine.waits_on_mark and self.mark_ticks not in (0, self.engine.mark_ticks):
            return mark_row(self.mark_ticks, time_us)
        return tick_row(time_us) if self.engine.is_due(time_us) else NO_ROWS

    def apply(self, rows: Rows) -> Rows:
        """Apply a batch behind mark; its EVENT rows. Nobody keeps these rows, so that mark need not
        be one: a row of its own would cost as much as ten of theirs."""
        if self._has_news_of_mark(rows):
            self.engine.tell_mark(self.mark_ticks)
        return self.engine.apply(rows)

    def _has_news_of_mark(self, rows: Rows) -> bool:
        return len(rows) > 0 and self.mark_ticks not in (0, self.engine.mark_ticks)

    def tell_to(self, parts: Sequence[range]) -> None:
        """From now on the traders of these accounts hear what happens to them, and only that."""
        ends = sorted((ids.start, ids.stop) for ids in parts)
        apart = all(left[1] <= right[0] for left, right in pairwise(ends))
        assert apart, "two parts or strategies share an account"
        self._bounds = bounds_of(parts)

    def told(self, events: Rows) -> list[Integers]:
        """What EVENT rows say to each of them, as in rows/packed.py."""
        return packed_for(events, self._bounds)

    def count_volume(self, events: Rows) -> None:
        """Add what was traded, where nobody else adds it up."""
        traded = events["kind"] == EventKind.TRADE
        self.volume_lots += int(events["quantity_lots"][traded].sum())

    def note_traded(self, lots: int, traded_ticks: Range) -> None:
        """What was traded since the last view, for who has added it up."""
        self.volume_lots += lots
        self._traded_ticks = traded_ticks

    @property
    def is_quoted(self) -> bool:
        """Whether there are quotes around the index."""
        touch = (self.engine.best_bid_ticks, self.engine.best_ask_ticks)
        return is_quoted(self.index_ticks, *touch)

    def view(self, time_us: int, activity_ppm: int = PPM) -> MarketView:
        """The market as its traders see it now."""
        prices_ticks = (self.index_ticks, self.mark_ticks)
        levels, traded_ticks = self._current_levels(), self._traded_ticks
        self._traded_ticks = NO_TRADES
        return view_of(
            self.engine,
            levels,
            time_us,
            prices_ticks,
            self.volume_lots,
            activity_ppm,
            traded_ticks,
        )

    def _current_levels(self) -> Levels:
        """Nothing changes in a book without an event."""
        if self._levels_seq != self.engine.event_seq:
            self._levels, self._levels_seq = levels_of(self.engine), self.engine.event_seq
        return self._levels
