"""A market's actor: one book, one order of events, nothing said before it is durable."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import structlog

from actors.command_source import CommandSource
from actors.inbox import ClientRows, Inbox, Item, Registration, StrategyBatch
from actors.loop import Loop
from actors.market_clock import MarketClock
from actors.pace import pause
from actors.strategy import MarketUnavailable
from actors.strategy_desk import StrategyDesk
from sim.engine import warm_up
from sim.market import MarketSpec
from sim.messages import COMMAND, Rows
from sim.populations.population import StrategyReply
from storage import journal
from storage.database import Link, now_us
from storage.depth import LEVELS_MAX
from storage.errors import (
    CorruptState,
    DatabaseUnavailable,
    StorageError,
    StreamUnavailable,
    patiently,
    wrapped,
)
from storage.journal import Batch, View
from storage.markets import load_specs
from storage.origin import origin_of
from storage.recovery import Recovered, recover
from storage.streams import Streams, events_stream, packed_events

SNAPSHOT_EVERY_BATCHES = 5_000
SNAPSHOT_EVERY_S = 60.0
COMMIT_RETRY_S = 0.1
INBOX_WAIT_S = 0.2
STOP_WAIT_S = 5.0
ROW_S = 0.000_7
ROUND_S_MAX = 0.015
"""How long a round takes at least: see actors.pace."""

log = structlog.get_logger()


@dataclass(frozen=True)
class MarketHealth:
    """How a market is, for the supervisor and for people."""

    market_id: str
    halted: str | None
    batch_no: int
    command_seq: int
    event_seq: int
    open_orders: int


class Market:
    """Owns one book. Constructing it takes the market over and rebuilds it from PostgreSQL."""

    def __init__(
        self, market_id: str, database_url: str, redis_url: str, run: bool = False
    ) -> None:
        self._market_id = market_id
        self._link = Link(database_url, f"market-{market_id}")
        self._streams = Streams(redis_url)
        self._inbox = Inbox()
        self._reader = Loop(f"reader {market_id}", self._read_for_ever)
        self._worker = Loop(f"worker {market_id}", self._work_for_ever)
        self._halted: str | None = None
        self._engine_is_ahead = False
        self._snapshot_at = time.monotonic()
        self._snapshot_batch = 0
        self._take_over(database_url, redis_url)
        if run:
            self.start()

    def _take_over(self, database_url: str, redis_url: str) -> None:
        """Rebuild from PostgreSQL, waiting for it a bounded time."""
        warm_up()
        try:
            spec, found = patiently(self._recover)
        except CorruptState as error:
            self._halt(str(error))
            return
        self._head, self._engine = found.head, found.engine
        self._snapshot_batch = found.head.batch_no
        self._clock = MarketClock(found.last_us)
        self._desk = StrategyDesk(spec, found.strategies)
        cursor = found.head.command_seq
        streams = Streams(redis_url, self._streams.origin)
        self._source = CommandSource(self._market_id, database_url, streams, cursor)
        self._reclaim_events()
        log.info("market_ready", market=self._market_id, epoch=found.head.epoch, cursor=cursor)

    def _reclaim_events(self) -> None:
        """Nobody has published more than the head says: a stream that holds more is not ours."""
        try:
            if self._streams.reclaim(events_stream(self._market_id), self._head.batch_no):
                log.warning("events_stream_was_not_ours", market=self._market_id)
        except StreamUnavailable as error:
            log.warning("events_stream_unchecked", market=self._market_id, error=str(error))

    def _recover(self) -> tuple[MarketSpec, Recovered]:
        with wrapped():
            self._streams.origin = origin_of(self._link())
            spec = load_specs(self._link())[self._market_id]
            return spec, recover(self._link(), spec)

    def start(self) -> None:
        """Begin to read commands and to work. A second call does nothing."""
        if not self._halted:
            self._reader.start()
            self._worker.start()

    def stop(self) -> None:
        """Finish the batch under way, keep a snapshot, and end."""
        self._reader.stopping.set()
        ended = self._worker.stop(STOP_WAIT_S)
        self._reader.stop(STOP_WAIT_S)
        if not self._halted:
            if ended and not self._engine_is_ahead:
                self._keep_snapshot()
            self._source.close()
        self._streams.close()
        self._link.close()

    def health(self) -> MarketHealth:
        """Where the market is."""
        if self._halted:
            return MarketHealth(self._market_id, self._halted, 0, 0, 0, 0)
        head = self._head
        return MarketHealth(
            self._market_id,
            None,
            head.batch_no,
            head.command_seq,
            head.event_seq,
            self._engine.open_order_count,
        )

    def register(self, strategy_no: int, first_account: int, last_account: int) -> StrategyReply:
        """Take a strategy in; its orders from an earlier life are withdrawn."""
        self._refuse_when_halted()
        return self._inbox.ask(Registration(strategy_no, first_account, last_account))

    def submit(self, strategy_no: int, batch_no: int, rows: Rows) -> StrategyReply:
        """Apply a strategy's batch; answers when it is durable."""
        self._refuse_when_halted()
        return self._inbox.ask(StrategyBatch(strategy_no, batch_no, rows))

    def _refuse_when_halted(self) -> None:
        """A strategy has other markets: it is told at once, not after a time-out."""
        if self._halted:
            raise MarketUnavailable(f"{self._market_id} is halted: {self._halted}")

    def _read_for_ever(self) -> None:
        while not self._reader.stopping.is_set() and not self._halted:
            rows = self._source.next_rows()
            self._desk.index_ticks, self._desk.mark_ticks = self._source.prices
            self._reader.beat()
            if rows.size:
                self._hand_over(ClientRows(rows))

    def _hand_over(self, item: ClientRows) -> None:
        """Waiting for a worker that itself waits for PostgreSQL is no stall of the reader's."""
        while not self._inbox.put_within(item, INBOX_WAIT_S):
            self._reader.beat()
            if self._reader.stopping.is_set():
                return

    def _work_for_ever(self) -> None:
        while not self._worker.stopping.is_set():
            self._worker.beat()
            items = self._inbox.take(INBOX_WAIT_S)
            if items:
                began = time.monotonic()
                try:
                    self.process(items)
                except AssertionError as error:  # never goes on with a state it cannot trust
                    log.exception("invariant_broken", market=self._market_id)
                    self._halt(f"a broken invariant: {error}")
                    return
                except DatabaseUnavailable:  # stopped while it waited: the batch never was
                    return
                self._keep_snapshot_when_due()
                pause(began, sum(item.size for item in items), ROW_S, ROUND_S_MAX)

    def process(self, items: Sequence[Item]) -> None:
        """Apply items in their order, a registration always as a batch of its own."""
        group: list[Item] = []
        for item in items:
            if isinstance(item, Registration):
                self._process_group(group)
                group = []
                self._process_group([self._withdrawal(item)])
            else:
                group.append(item)
        self._process_group(group)

    def _withdrawal(self, item: Registration) -> StrategyBatch:
        self._desk.admit(item)
        rows = self._desk.withdrawal(item, self._engine.resting_orders(), self._clock.now_us())
        batch_no = self._desk.last_batch(item.strategy_no) + 1
        return item.as_batch(batch_no, rows)

    def _process_group(self, group: Sequence[Item]) -> None:
        if not group:
            return
        inputs, command_seq, strategies, answered = self._inputs(group)
        if inputs.size or strategies:
            self._engine_is_ahead = True
            events = self._engine.apply(inputs)
            self._commit(inputs, events, command_seq, strategies)
            self._engine_is_ahead = False
            self._desk.learn(events, strategies)
        for batch in answered:
            reply = self._desk.reply(batch.strategy_no, self._engine, self._head.event_seq)
            batch.answer.set(reply)

    def _inputs(
        self, group: Sequence[Item]
    ) -> tuple[Rows, int, dict[int, int], list[StrategyBatch]]:
        """COMMAND rows to apply, the cursor after them, new strategy cursors, whom to answer."""
        parts: list[Rows] = []
        command_seq = self._head.command_seq
        strategies: dict[int, int] = {}
        answered = []
        time_us = self._clock.now_us()
        for item in group:
            if isinstance(item, ClientRows):
                rows = item.rows[item.rows["command_seq"] > command_seq]
                if rows.size:
                    assert rows["command_seq"][0] == command_seq + 1, "a command is missing"
                    command_seq = int(rows["command_seq"][-1])
                    parts.append(rows)
            elif isinstance(item, StrategyBatch):
                answered.append(item)
                last = strategies.get(item.strategy_no, self._desk.last_batch(item.strategy_no))
                if item.batch_no == last + 1:
                    strategies[item.strategy_no] = item.batch_no
                    parts.append(self._desk.stamped(item.rows, time_us))
        inputs = np.concatenate(parts) if parts else np.empty(0, dtype=COMMAND)
        self._clock.put_in_order(inputs)
        return inputs, command_seq, strategies, answered

    def _commit(
        self, inputs: Rows, events: Rows, command_seq: int, strategies: dict[int, int]
    ) -> None:
        """Make a batch durable, then publish it. Retries while PostgreSQL is away.

        Raises DatabaseUnavailable only when told to stop meanwhile.
        """
        inputs_bytes, events_bytes = inputs.tobytes(), events.tobytes()
        head = replace(
            self._head,
            batch_no=self._head.batch_no + 1,
            command_seq=command_seq,
            event_seq=self._engine.event_seq,
            chain=journal.next_chain(self._head.chain, inputs_bytes, events_bytes),
        )
        time_us = self._clock.now_us()
        batch = Batch(self._market_id, head, time_us, strategies, inputs_bytes, events_bytes)
        view = self._public_view()
        while True:
            try:
                journal.commit_batch(self._link(), batch, view)
                break
            except DatabaseUnavailable as error:
                log.warning("journal_waits", market=self._market_id, error=str(error))
                self._worker.beat()
                if self._worker.stopping.wait(COMMIT_RETRY_S):
                    raise
        self._head = head
        self._publish(events_bytes)

    def _public_view(self) -> View:
        bids, asks = self._engine.depth(LEVELS_MAX)
        engine = self._engine
        return View(
            int(engine.status),
            engine.best_bid_ticks,
            engine.best_ask_ticks,
            engine.last_price_ticks,
            bids,
            asks,
        )

    def _publish(self, events: bytes) -> None:
        head = self._head
        packed = packed_events(head.batch_no, head.command_seq, head.event_seq, events)
        stream, entries = events_stream(self._market_id), [(head.batch_no, packed)]
        try:
            if not self._streams.append(stream, entries):  # somebody has been there before us
                self._reclaim_events()
                self._streams.append(stream, entries)
        except StreamUnavailable as error:
            log.warning("events_unpublished", market=self._market_id, error=str(error))

    def _keep_snapshot_when_due(self) -> None:
        batches = self._head.batch_no - self._snapshot_batch
        age_s = time.monotonic() - self._snapshot_at
        if batches >= SNAPSHOT_EVERY_BATCHES or (batches and age_s >= SNAPSHOT_EVERY_S):
            self._keep_snapshot()

    def _keep_snapshot(self) -> None:
        self._snapshot_at, self._snapshot_batch = time.monotonic(), self._head.batch_no
        if self._head.batch_no == 0:
            return
        try:
            journal.write_snapshot(
                self._link(),
                self._market_id,
                self._head,
                self._desk.cursors,
                self._engine.snapshot(),
                self._engine.state_hash(),
                now_us(),
            )
        except StorageError as error:
            log.warning("snapshot_failed", market=self._market_id, error=str(error))

    def _halt(self, reason: str) -> None:
        self._halted = reason
        log.error("market_halted", market=self._market_id, reason=reason)
        journal.halt(self._link(), self._market_id)
