"""A market as signal agents see it in a simulation: candles folded from views, the book's looks."""

from dataclasses import dataclass, field

import numpy as np

from sim.market import MarketSpec
from sim.money.candles import Candle
from sim.populations.population import Integers, MarketView
from sim.signals.candles import Candles
from sim.signals.sights import CANDLES_SEEN, BookSight, candles_of


@dataclass
class SeenMarket:
    """One market: what its views have said so far.

    closed       int64 (n, 6) as `candles_of` has them: candles that are over, the newest last
    opened_us    of the candle under way
    seen_seq, moved_us   the last event that a view included, and that view's time
    """

    spec: MarketSpec
    candle_us: int
    closed: Integers
    view: MarketView | None = None
    opened_us: int = 0
    candle: Candle | None = None
    volume_lots: int = 0
    seen_seq: int = field(default=-1)
    moved_us: int = 0

    def see(self, view: MarketView) -> None:
        """Take in a view; each that has trades in it once, in their order."""
        if view.open_ticks:
            self._trade(view)
        if view.event_seq != self.seen_seq:
            self.seen_seq, self.moved_us = view.event_seq, view.time_us
        self.view = view

    def _trade(self, view: MarketView) -> None:
        """What was traded in the step that ended at the view's time is of one candle: a scenario's
        steps divide its candles."""
        traded = Candle(
            view.open_ticks,
            view.high_ticks,
            view.low_ticks,
            view.last_price_ticks,
            view.volume_lots - self.volume_lots,
        )
        self.volume_lots = view.volume_lots
        opened_us = (view.time_us - 1) // self.candle_us * self.candle_us
        if self.candle is not None and opened_us == self.opened_us:
            self.candle.add(traded)
            return
        self.closed = self.table[-CANDLES_SEEN:]
        self.candle, self.opened_us = traded, opened_us

    @property
    def table(self) -> Integers:
        """int64 (n, 6): all candles, the one under way among them; none of times without trades."""
        one = self.candle
        if one is None:
            return self.closed
        prices = (one.open_ticks, one.high_ticks, one.low_ticks, one.close_ticks)
        row = np.array([[self.opened_us, *prices, one.volume_lots]], np.int64)
        return np.concatenate([self.closed, row])

    @property
    def candles(self) -> Candles:
        """As rules see them."""
        return candles_of(self.table[-CANDLES_SEEN:], self.spec)

    @property
    def sight(self) -> BookSight:
        """The book as it was when it last changed, and the mark of now."""
        view = self.view
        assert view is not None, "a market is looked at after it was seen"
        levels = view.bids, view.asks
        return BookSight(self.spec, self.moved_us, levels, view.mark_ticks, view.time_us)
