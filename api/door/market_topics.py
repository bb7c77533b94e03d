"""What is new of a market since the last look, of each public channel: reads of what GETs read."""

from typing import Protocol

from api.door.stream_topics import Channel, Levels, Told, Topic
from sim.market import MarketSpec
from storage.postgres.database import AsyncPool
from storage.reading import market_data
from storage.reading.market_data import BookView, CandleView, PriceView
from storage.reading.time_window import NUMBER_MAX, TimeWindow

BOOK_LEVELS = 20
"""A side, as a read of a book shows that asks for no other depth."""

LOOK_EVERY_S = 0.1
"""At trades and books; what changes in between is told as one change."""

LOOK_SELDOM_S = 0.5
TRADES_AT_ONCE, PAGES_A_LOOK_MAX, TRADES_SHOWN = 100, 10, 20
TRADES_RESUMED_MAX = 5_000
CANDLES_AT_ONCE = 100


class Source(Protocol):
    """One topic, read by one reader for all of a process."""

    every_s: float

    async def read(self) -> list[Told]:
        """What is new, oldest first. Raises StorageError."""

    def whole(self) -> Told | None:
        """What a newcomer begins with, as of the last read; None while there is nothing."""

    async def after(self, sequence: int) -> list[Told] | None:
        """What came after this number, up to the last read; None where that is not known."""


class Trades:
    """The tape: every trade, once."""

    every_s = LOOK_EVERY_S

    def __init__(self, pool: AsyncPool, topic: Topic, spec: MarketSpec) -> None:
        self._pool, self._topic, self._spec = pool, topic, spec
        self._last: Told | None = None

    async def read(self) -> list[Told]:
        if self._last is None:
            shown = await market_data.trades(
                self._pool, self._topic.market_id, NUMBER_MAX, TRADES_SHOWN
            )
            seq = shown[0].event_seq if shown else 0
            self._last = Told(self._topic, seq, shown[::-1], self._spec, is_whole=True)
            return []
        news: list[Told] = []
        for _ in range(PAGES_A_LOOK_MAX):
            news += await self._next(news[-1].sequence if news else self._last.sequence)
            if not news or len(news[-1].row) < TRADES_AT_ONCE:
                break
        for told in news:
            rows = [*self._last.row, *told.row][-TRADES_SHOWN:]
            self._last = told._replace(row=rows, is_whole=True)
        return news

    async def _next(self, seq: int) -> list[Told]:
        market_id = self._topic.market_id
        trades = await market_data.trades_after(self._pool, market_id, seq, TRADES_AT_ONCE)
        return [Told(self._topic, trades[-1].event_seq, trades, self._spec)] if trades else []

    def whole(self) -> Told | None:
        return self._last

    async def after(self, sequence: int) -> list[Told] | None:
        if self._last is None or sequence > self._last.sequence:
            return None
        known = await market_data.trades(self._pool, self._topic.market_id, sequence + 1, 1)
        if not known or known[0].event_seq != sequence:
            return None  # pruned, or never a trade's number
        found: list[Told] = []
        while sequence < self._last.sequence and len(found) * TRADES_AT_ONCE < TRADES_RESUMED_MAX:
            for told in await self._next(sequence):
                rows = [one for one in told.row if one.event_seq <= self._last.sequence]
                sequence = rows[-1].event_seq
                found.append(told._replace(row=rows, sequence=sequence))
        return found if sequence == self._last.sequence else None


class Book:
    """The visible book: all of it, then what differs from one read to the next."""

    every_s = LOOK_EVERY_S

    def __init__(self, pool: AsyncPool, topic: Topic, spec: MarketSpec) -> None:
        self._pool, self._topic, self._spec = pool, topic, spec
        self._last: BookView | None = None

    async def read(self) -> list[Told]:
        book = await market_data.book(self._pool, self._topic.market_id, BOOK_LEVELS)
        before, self._last = self._last, book
        if book is None or before is None or book.event_seq == before.event_seq:
            return []
        if book.event_seq < before.event_seq:  # of another past: a database that was put back
            whole = self.whole()
            return [whole] if whole is not None else []
        sides = [
            difference(old.tolist(), new.tolist())
            for old, new in ((before.bids, book.bids), (before.asks, book.asks))
        ]
        changed = Levels(before.event_seq, book.at_us, *sides)
        return [Told(self._topic, book.event_seq, changed, self._spec)]

    def whole(self) -> Told | None:
        book = self._last
        if book is None:
            return None
        levels = Levels(book.event_seq, book.at_us, book.bids.tolist(), book.asks.tolist())
        return Told(self._topic, book.event_seq, levels, self._spec, is_whole=True)

    async def after(self, sequence: int) -> list[Told] | None:
        return None


class Candles:
    """The candle of now, each time that it has changed, and the one before when it is complete."""

    every_s = LOOK_SELDOM_S

    def __init__(self, pool: AsyncPool, topic: Topic, spec: MarketSpec) -> None:
        self._pool, self._topic, self._spec = pool, topic, spec
        self._last: CandleView | None = None

    async def read(self) -> list[Told]:
        since_us = self._last.open_time_us if self._last is not None else 0
        window, limit = TimeWindow(since_us, NUMBER_MAX), CANDLES_AT_ONCE if since_us else 1
        found = await market_data.candles(
            self._pool, self._topic.market_id, self._topic.interval, window, limit
        )
        before = self._last
        if found:
            self._last = found[0]
        return [self._told(one) for one in reversed(found) if before and one != before]

    def whole(self) -> Told | None:
        return self._told(self._last)._replace(is_whole=True) if self._last is not None else None

    async def after(self, sequence: int) -> list[Told] | None:
        return None

    def _told(self, candle: CandleView) -> Told:
        """Numbered by time and trades, so that a number grows with each change."""
        return Told(self._topic, candle.open_time_us + candle.trade_count, candle, self._spec)


class Prices:
    """Mark and index; of funding what is known with them."""

    every_s = LOOK_SELDOM_S

    def __init__(self, pool: AsyncPool, topic: Topic, spec: MarketSpec) -> None:
        self._pool, self._topic, self._spec = pool, topic, spec
        self._last: PriceView | None = None

    async def read(self) -> list[Told]:
        found = await market_data.prices(self._pool, self._topic.market_id)
        before, self._last = self._last, found[0] if found else None
        if before is None or self._last is None or before == self._last:
            return []
        return [self._told(self._last)] if self._topic.channel == Channel.MARK_PRICE else []

    def whole(self) -> Told | None:
        return self._told(self._last)._replace(is_whole=True) if self._last is not None else None

    async def after(self, sequence: int) -> list[Told] | None:
        return None

    def _told(self, price: PriceView) -> Told:
        return Told(self._topic, price.updated_at_us, price, self._spec)


def source_of(pool: AsyncPool, topic: Topic, spec: MarketSpec) -> Source:
    """Who reads a public topic."""
    kinds: dict[Channel, type[Trades | Book | Candles | Prices]] = {
        Channel.TRADES: Trades,
        Channel.BOOK: Book,
        Channel.CANDLES: Candles,
    }
    return kinds.get(topic.channel, Prices)(pool, topic, spec)


def difference(before: list[list[int]], now: list[list[int]]) -> list[list[int]]:
    """The levels that are new or other than before, then those that are there no longer, with
    nothing in them."""
    known, left = {tuple(level) for level in before}, {level[0] for level in now}
    changed = [level for level in now if tuple(level) not in known]
    return changed + [[level[0], 0, 0] for level in before if level[0] not in left]
