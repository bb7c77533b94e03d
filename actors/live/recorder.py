"""A recorder: a shard of markets' events become rows that clients read."""

import time
from collections.abc import Sequence

import structlog

from actors.loop import Loop
from actors.pace import pause
from storage.errors import CorruptState, DatabaseUnavailable, StreamUnavailable
from storage.market.halts import command_halt, wish_numbers
from storage.market.journal import events_after, head_batch
from storage.market.markets import load_specs
from storage.market.origin import origin_of
from storage.market.streams import Entry, Streams, events_stream
from storage.postgres.database import Link, now_us
from storage.reading.projections import EventBatch, MarketProjection, batch_from_entry, event_rows

BLOCK_MS = 100
PULL_EVERY_S = 0.25
RETRY_S = 0.1
PULL_BATCHES_MAX = 200
PROJECT_EVENTS_MAX = 5_000
ROW_S = 0.000_5
ROUND_S_MAX = 0.02
"""How long a round takes at least: see actors.pace."""

TRIM_EVERY_S = 5.0
STOP_WAIT_S = 3.0

log = structlog.get_logger()


class Recorder:
    """Projects its markets. Streams wake it; what they lose it takes from the journal."""

    def __init__(
        self, market_ids: Sequence[str], database_url: str, redis_url: str, run: bool = False
    ) -> None:
        self._link = Link(database_url, "recorder")
        self._streams = Streams(redis_url)
        self._market_ids = list(market_ids)
        self._projections: dict[str, MarketProjection] = {}
        self._halted: dict[str, int] = {}
        self._loop = Loop("recorder", self._run)
        self._was_in_vain = False
        self._pulled_at = 0.0
        self._trimmed_at = time.monotonic()
        if run:
            self.start()

    def start(self) -> None:
        """Begin to work. A second call does nothing."""
        self._loop.start()

    def stop(self) -> None:
        """Finish the transaction under way and end."""
        self._loop.stop(STOP_WAIT_S)
        self._streams.close()
        self._link.close()

    def health(self) -> dict[str, int]:
        """The last batch projected by market."""
        return {market_id: p.batch_no for market_id, p in self._projections.items()}

    def _run(self) -> None:
        while not self._loop.stopping.is_set():
            self._loop.beat()
            self._round()

    def _round(self) -> None:
        began = time.monotonic()
        try:
            pause(began, self.step(), ROW_S, ROUND_S_MAX)
        except DatabaseUnavailable as error:
            log.warning("recorder_waits", error=str(error))
            self._projections.clear()
            time.sleep(RETRY_S)

    def step(self) -> int:
        """Project what has come; once in a while look into the journal itself.

        How many events that were.
        """
        events = 0
        due = time.monotonic() - self._pulled_at >= PULL_EVERY_S
        if due and self._halted:
            self._try_again_where_wished()
        if not self._projections:
            self._open()
        if not self._projections:
            time.sleep(RETRY_S)
            return 0
        arrived = self._from_streams()
        self._was_in_vain = False
        if due:
            self._pulled_at = time.monotonic()
        for market_id in list(self._projections):
            try:
                events += self._advance(market_id, arrived.get(events_stream(market_id), []), due)
            except CorruptState as error:
                self._halt(market_id, str(error))
        self._trim_when_due()
        if self._was_in_vain:  # such a stream answers at once, again and again
            time.sleep(RETRY_S)
        return events

    def _advance(self, market_id: str, arrived: list[Entry] | None, due: bool) -> int:
        """Project one market's next batches; how many events came by its stream."""
        projection = self._projections[market_id]
        batches = following(arrived, projection.batch_no, projection.event_seq)
        self._was_in_vain = self._was_in_vain or batches is None
        if batches is None or (due and not batches):
            self._from_journal(projection, market_id)
        elif batches:
            self._project(projection, batches)
            return sum(batch[3].size for batch in batches)
        return 0

    def _halt(self, market_id: str, reason: str) -> None:
        """A market whose books do not add up takes no more orders; the others go on."""
        log.error("market_halted", market=market_id, reason=reason)
        wish_no = command_halt(self._link(), market_id, reason, now_us(), takes_cancels=False)
        self._halted[market_id] = wish_no
        del self._projections[market_id]

    def _try_again_where_wished(self) -> None:
        """An operator who drains or resumes a halted market wants it projected, too."""
        for market_id, wish_no in wish_numbers(self._link()).items():
            if self._halted.get(market_id, wish_no) < wish_no:
                del self._halted[market_id]
                self._open()

    def _open(self) -> None:
        """Begin with every market that has no projection and is not halted."""
        self._streams.origin = origin_of(self._link())
        specs = load_specs(self._link())
        for ordinal, (market_id, spec) in enumerate(specs.items(), start=1):
            if market_id in self._projections or market_id in self._halted:
                continue
            if market_id in self._market_ids:
                self._projections[market_id] = MarketProjection(self._link(), spec, ordinal)

    def _from_streams(self) -> dict[str, list[Entry] | None]:
        cursors = {
            events_stream(market_id): projection.batch_no
            for market_id, projection in self._projections.items()
        }
        try:
            return self._streams.read_each(cursors, BLOCK_MS)
        except StreamUnavailable as error:
            log.warning("events_stream_away", error=str(error))
            time.sleep(RETRY_S)
            return {}

    def _from_journal(self, projection: MarketProjection, market_id: str) -> None:
        while True:
            self._loop.beat()
            rows = events_after(self._link(), market_id, projection.batch_no, PULL_BATCHES_MAX)
            if not rows:
                return
            self._project(
                projection, [(row[0], row[1], row[2], event_rows(row[4])) for row in rows]
            )

    def _project(self, projection: MarketProjection, batches: list[EventBatch]) -> None:
        part: list[EventBatch] = []
        events = 0
        for batch in batches:
            if part and events + batch[3].size > PROJECT_EVENTS_MAX:
                projection.project(part)
                part, events = [], 0
            part.append(batch)
            events += batch[3].size
        projection.project(part)

    def _trim_when_due(self) -> None:
        if time.monotonic() - self._trimmed_at < TRIM_EVERY_S:
            return
        self._trimmed_at = time.monotonic()
        try:
            for market_id, projection in self._projections.items():
                if self._reclaim(market_id):
                    log.warning("events_stream_was_not_ours", market=market_id)
                self._streams.trim(events_stream(market_id), projection.batch_no)
        except StreamUnavailable as error:
            log.warning("events_untrimmed", error=str(error))

    def _reclaim(self, market_id: str) -> bool:
        """Forget a stream that is not the market's, or is ahead of what the market has done.

        The head is read after the stream: whatever the market has published is in it.
        """
        stream = events_stream(market_id)
        last = self._streams.last_number(stream)
        if last > self._projections[market_id].batch_no:
            head = head_batch(self._link(), market_id)
            if last > head:
                return self._streams.reclaim(stream, head)
        return self._streams.reclaim(stream)


def following(
    entries: list[Entry] | None, batch_no: int, event_seq: int
) -> list[EventBatch] | None:
    """The batches in stream entries that go on after `batch_no` and `event_seq`.

    None where one is missing, or is not what its place in the stream says.
    """
    batches: list[EventBatch] = []
    for number, data in entries or []:
        if number <= batch_no:
            continue
        batch = batch_from_entry(data, event_seq)
        if batch is None or not batch[0] == number == batch_no + 1:
            return None
        batches.append(batch)
        batch_no, _, event_seq, _ = batch
    return None if entries is None else batches
