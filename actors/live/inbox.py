"""What waits for a market's attention, bounded."""

import threading
from collections import deque
from dataclasses import dataclass, field

from sim.populations.population import StrategyReply
from sim.rows.messages import Rows

ITEMS_MAX = 1_000
"""Items that may wait; whoever brings one more waits for room."""

TAKE_ROWS_MAX = 10_000
"""Rows taken for one batch."""

ANSWER_WAIT_S = 30.0


class Answer:
    """A reply that will come."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._reply: StrategyReply | None = None

    def set(self, reply: StrategyReply) -> None:
        """Give the reply."""
        self._reply = reply
        self._ready.set()

    def get(self) -> StrategyReply:
        """Wait for the reply; TimeoutError when the market does not get to it."""
        if not self._ready.wait(ANSWER_WAIT_S) or self._reply is None:
            raise TimeoutError("the market did not answer in time")
        return self._reply


@dataclass(frozen=True)
class ClientRows:
    """Sequenced client commands, contiguous."""

    rows: Rows

    @property
    def size(self) -> int:
        """Rows in it."""
        return int(self.rows.size)


@dataclass(frozen=True)
class StrategyBatch:
    """A strategy's commands, keyed (strategy_no, batch_no)."""

    strategy_no: int
    batch_no: int
    rows: Rows
    answer: Answer = field(default_factory=Answer)

    @property
    def size(self) -> int:
        """Rows in it."""
        return int(self.rows.size)


@dataclass(frozen=True)
class Registration:
    """A strategy's first word: which accounts are its own."""

    strategy_no: int
    first_account: int
    last_account: int
    answer: Answer = field(default_factory=Answer)
    size: int = 0

    def as_batch(self, batch_no: int, rows: Rows) -> StrategyBatch:
        """The batch that withdraws its old orders, answered in its stead."""
        return StrategyBatch(self.strategy_no, batch_no, rows, self.answer)


Item = ClientRows | StrategyBatch | Registration


class Inbox:
    """A bounded queue between a market's readers, callers and its worker."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._changed = threading.Condition()

    def put(self, item: Item) -> None:
        """Add an item, waiting for room; TimeoutError when there is none in time."""
        if not self.put_within(item, ANSWER_WAIT_S):
            raise TimeoutError("the market has no room for more")

    def put_within(self, item: Item, wait_s: float) -> bool:
        """Add an item if there is room for it in time."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._items) < ITEMS_MAX, wait_s):
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def forget_client_rows(self) -> None:
        """Drop what the journal's head will be read on from; strategies' batches stay."""
        with self._changed:
            kept = [item for item in self._items if not isinstance(item, ClientRows)]
            self._items = deque(kept)
            self._changed.notify_all()

    def ask(self, item: StrategyBatch | Registration) -> StrategyReply:
        """Add an item and wait for its answer."""
        self.put(item)
        return item.answer.get()

    def take(self, wait_s: float) -> list[Item]:
        """All that waits, up to TAKE_ROWS_MAX rows; empty when nothing came in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._items, wait_s)
            taken: list[Item] = []
            rows = 0
            while self._items and (not taken or rows + self._items[0].size <= TAKE_ROWS_MAX):
                item = self._items.popleft()
                rows += item.size
                taken.append(item)
            self._changed.notify_all()
            return taken
