"""A market's actor: one book, one order of events, nothing said before it is durable."""

import time
from collections.abc import Sequence
from dataclasses import replace

import structlog

from actors.live.command_source import CommandSource
from actors.live.inbox import ClientRows, Inbox, Item, Registration, StrategyBatch
from actors.live.market_clock import MarketClock
from actors.live.market_closing import answer_of, own_batches
from actors.live.market_health import MarketHealth
from actors.live.market_inputs import gathered
from actors.live.strategy import MarketUnavailable
from actors.live.strategy_desk import StrategyDesk
from actors.loop import Loop
from actors.pace import pause
from sim.book.engine import warm_up, warm_up_terms
from sim.hosting.host import MarketHost
from sim.populations.population import StrategyReply
from sim.rows.layouts import kept_bytes
from sim.rows.messages import Rows, joined
from storage.errors import (
    DatabaseUnavailable,
    StorageError,
    StreamUnavailable,
    Superseded,
    patiently,
    told,
    wrapped,
)
from storage.intake.commands import progress
from storage.market import halts, journal
from storage.market.halts import Standing, Wish
from storage.market.journal import Batch
from storage.market.markets import load_specs
from storage.market.origin import origin_of
from storage.market.recovery import Recovered, recover
from storage.market.streams import Streams, commands_stream, events_stream, packed_events
from storage.postgres.database import Link, now_us

SNAPSHOT_EVERY_BATCHES = 5_000
SNAPSHOT_EVERY_S = 60.0
COMMIT_RETRY_S = 0.1
INBOX_WAIT_S = 0.2
STOP_WAIT_S = 5.0
WATCH_EVERY_S = 0.5
"""How often the market's row is looked at for a halt and for what an operator wishes."""

ROW_S = 0.000_7
ROUND_S_MAX = 0.015
"""How long a round takes at least: see actors.pace."""

log = structlog.get_logger()


class Market:
    """Owns one book. Constructing it takes the market over and rebuilds it from PostgreSQL.

    A market that cannot go on halts: its actor then only waits for an operator's wish. One that
    is halted otherwise works on for cancels alone (market_closing.py).
    """

    def __init__(
        self, market_id: str, database_url: str, redis_url: str, run: bool = False
    ) -> None:
        self._market_id = market_id
        self._urls = (database_url, redis_url)
        self._link = Link(database_url, f"market-{market_id}")
        self._watch_link = Link(database_url, f"watch-{market_id}")
        self._streams = Streams(redis_url)
        self._inbox = Inbox()
        self._watcher = Loop(f"watcher {market_id}", self._watch_for_ever)
        self._reader, self._worker = self._new_loops()
        self._source: CommandSource | None = None
        self._broken: str | None = None
        self._halt_reason: str | None = None
        self._paused = False
        self._engine_is_ahead = False
        self._snapshot_at = time.monotonic()
        self._snapshot_batch = 0
        self._take_over()
        if run:
            self.start()

    def _new_loops(self) -> tuple[Loop, Loop]:
        return (
            Loop(f"reader {self._market_id}", self._read_for_ever),
            Loop(f"worker {self._market_id}", self._work_for_ever),
        )

    def _take_over(self) -> None:
        """Rebuild from PostgreSQL, waiting for it a bounded time; then stand as its row says."""
        try:
            warm_up()
            warm_up_terms()
            found, standing = patiently(self._recover)
            self._begin(found)
            self._stand(standing)
        except (DatabaseUnavailable, Superseded):
            raise
        except Exception as error:  # a restart would meet it again, and again
            log.exception("market_not_ready", market=self._market_id)
            self._halt(told(error))

    def _begin(self, found: Recovered) -> None:
        database_url, redis_url = self._urls
        self._head, self._host = found.head, MarketHost(found.engine)
        self._engine_is_ahead = False
        self._snapshot_batch = found.head.batch_no
        self._clock = MarketClock(found.last_us)
        self._desk = StrategyDesk(self._host, found.strategies)
        cursor = found.head.command_seq
        streams = Streams(redis_url, self._streams.origin)
        self._source = CommandSource(self._market_id, database_url, streams, cursor)
        self._broken = None
        self._reclaim_streams()
        log.info("market_ready", market=self._market_id, epoch=found.head.epoch, cursor=cursor)

    def _reclaim_streams(self) -> None:
        """Nobody has published more than PostgreSQL knows: a stream that holds more is not ours."""
        numbered = progress(self._link())[self._market_id][1]
        for stream, last in (
            (events_stream(self._market_id), self._head.batch_no),
            (commands_stream(self._market_id), numbered),
        ):
            try:
                if self._streams.reclaim(stream, last):
                    log.warning("stream_was_not_ours", stream=stream)
            except StreamUnavailable as error:
                log.warning("stream_unchecked", stream=stream, error=str(error))

    def _recover(self) -> tuple[Recovered, Standing]:
        with wrapped():
            self._streams.origin = origin_of(self._link())
            standing = halts.standing(self._link(), self._market_id)
            spec = load_specs(self._link())[self._market_id]
            return recover(self._link(), spec), standing

    def _stand(self, standing: Standing) -> None:
        """Close, drain or open the market, as its row says, and answer an operator's wish."""
        self._halt_reason = standing.halt_reason
        self._apply_own(standing)
        if standing.wish is None:
            return
        answer = answer_of(standing.wish, self._host.engine)
        if not halts.answer_wish(self._link(), self._market_id, standing, answer):
            self._apply_own(replace(standing, wish=None))  # it was halted again meanwhile
        elif standing.wish == Wish.RESUME:
            self._halt_reason = None
        log.warning("wish_answered", market=self._market_id, wish=standing.wish, answer=answer)

    def _apply_own(self, standing: Standing) -> None:
        for rows in own_batches(self._host.engine, standing, self._clock.now_us()):
            self._apply(rows, self._head.command_seq, {})

    def start(self) -> None:
        """Begin to read commands and to work. A second call does nothing."""
        self._watcher.start()
        if not self._broken:
            self._reader.start()
            self._worker.start()

    def stop(self) -> None:
        """Finish the batch under way, keep a snapshot, and end."""
        self._watcher.stop(STOP_WAIT_S)
        if self._pause() and not self._broken and not self._engine_is_ahead:
            self._keep_snapshot()
        self._streams.close()
        self._link.close()
        self._watch_link.close()

    def _pause(self) -> bool:
        """End reading and working. False where a batch under way could not be ended."""
        self._reader.stopping.set()
        ended = self._worker.stop(STOP_WAIT_S)
        self._inbox.forget_client_rows()  # a reader may wait for room
        read = self._reader.stop(STOP_WAIT_S)
        self._inbox.forget_client_rows()
        if read and self._source is not None:
            self._source.close()
        return ended and read

    def _watch_for_ever(self) -> None:
        while not self._watcher.stopping.wait(WATCH_EVERY_S):
            try:
                self._look(halts.standing(self._watch_link(), self._market_id))
            except DatabaseUnavailable as error:
                log.warning("watch_waits", market=self._market_id, error=str(error))

    def _look(self, standing: Standing) -> None:
        """Take note of a halt from elsewhere, and do what an operator wishes.

        Every wish is done on a state that was recovered for it.
        """
        if self._broken and standing.halt_reason is None:
            halts.halt(self._watch_link(), self._market_id, self._broken)
        self._halt_reason = standing.halt_reason
        if standing.wish is None and not self._paused:
            return
        self._paused = True
        if self._pause():
            self._take_over()
            self._reader, self._worker = self._new_loops()
            self._paused = False
            self.start()

    def health(self) -> MarketHealth:
        """Where the market is."""
        if self._broken:
            return MarketHealth(self._market_id, self._broken, 0, 0, 0, 0, False)
        head = self._head
        return MarketHealth(
            self._market_id,
            self._halt_reason,
            head.batch_no,
            head.command_seq,
            head.event_seq,
            self._host.engine.open_order_count,
            self._host.is_quoted,
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
        reason = self._broken or self._halt_reason
        if reason:
            raise MarketUnavailable(f"{self._market_id} is halted: {reason}")

    def _read_for_ever(self) -> None:
        source = self._source
        assert source is not None, "a market that was taken over has its commands"
        while not self._reader.stopping.is_set() and not self._broken:
            rows = source.next_rows()
            self._host.index_ticks, self._host.mark_ticks = source.prices
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
            if items or self._host.engine.has_terms:
                began = time.monotonic()
                try:
                    self.process(items)
                    self._wake()
                except AssertionError as error:  # never goes on with a state it cannot trust
                    log.exception("invariant_broken", market=self._market_id)
                    self._halt(f"a broken invariant: {error}")
                    return
                except DatabaseUnavailable:  # stopped while it waited: the batch never was
                    return
                except Superseded:
                    raise
                except Exception as error:  # the same batch would meet it in every next life
                    log.exception("batch_failed", market=self._market_id)
                    self._halt(f"a batch failed: {told(error)}")
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

    def _wake(self) -> None:
        """Of its own accord a market writes rows only for orders that wait for time or mark."""
        rows = self._host.waking_rows(self._clock.now_us())
        if rows.size:
            self._apply(rows, self._head.command_seq, {})

    def _withdrawal(self, item: Registration) -> StrategyBatch:
        self._desk.admit(item)
        rows = self._desk.withdrawal(item, self._clock.now_us())
        batch_no = self._desk.last_batch(item.strategy_no) + 1
        return item.as_batch(batch_no, rows)

    def _process_group(self, group: Sequence[Item]) -> None:
        if not group:
            return
        found = gathered(group, self._head.command_seq, self._desk, self._clock.now_us())
        if found.inputs.size or found.strategies:
            rows = joined([self._host.mark_in_front(found.inputs), found.inputs])
            self._apply(rows, found.command_seq, found.strategies)
        for batch in found.answered:
            reply = self._desk.reply(batch.strategy_no)
            batch.answer.set(reply)

    def _apply(self, inputs: Rows, command_seq: int, strategies: dict[int, int]) -> None:
        self._engine_is_ahead = True
        self._clock.put_in_order(inputs)
        events = self._host.engine.apply(inputs)
        self._commit(inputs, events, command_seq, strategies)
        self._engine_is_ahead = False
        self._desk.learn(events, strategies)

    def _commit(
        self, inputs: Rows, events: Rows, command_seq: int, strategies: dict[int, int]
    ) -> None:
        """Make a batch durable, then publish it. Retries while PostgreSQL is away.

        Raises DatabaseUnavailable only when told to stop meanwhile.
        """
        inputs_bytes, events_bytes = kept_bytes(inputs), events.tobytes()
        head = replace(
            self._head,
            batch_no=self._head.batch_no + 1,
            command_seq=command_seq,
            event_seq=self._host.engine.event_seq,
            chain=journal.next_chain(self._head.chain, inputs_bytes, events_bytes),
        )
        time_us = self._clock.now_us()
        batch = Batch(self._market_id, head, time_us, strategies, inputs_bytes, events_bytes)
        view = journal.view_of(self._host.engine)
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

    def _publish(self, events: bytes) -> None:
        head = self._head
        packed = packed_events(head.batch_no, head.command_seq, head.event_seq, events)
        stream, entries = events_stream(self._market_id), [(head.batch_no, packed)]
        try:
            if not self._streams.append(stream, entries):  # somebody has been there before us
                self._reclaim_streams()
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
                self._host.engine.snapshot(),
                self._host.engine.state_hash(),
                now_us(),
            )
        except StorageError as error:
            log.warning("snapshot_failed", market=self._market_id, error=str(error))

    def _halt(self, reason: str) -> None:
        """The actor goes on no more. What PostgreSQL is not told now, the watcher tells it."""
        self._broken = reason
        log.error("market_halted", market=self._market_id, reason=reason)
        try:
            halts.halt(self._link(), self._market_id, reason)
        except DatabaseUnavailable as error:
            log.warning("halt_waits", market=self._market_id, error=str(error))
