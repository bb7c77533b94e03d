"""The relay: outbox rows get their number and go to the markets' streams."""

import time

import structlog

from actors.loop import Loop
from actors.pace import pause
from sim.rows.messages import Rows
from storage.errors import DatabaseUnavailable, StreamUnavailable
from storage.intake.commands import (
    Wakeups,
    commands_after,
    progress,
    sequence,
)
from storage.market.origin import origin_of
from storage.market.streams import Streams, commands_stream
from storage.postgres.database import Link, now_us

WAKE_S_MAX = 0.25
"""How long the relay sleeps without a notification."""

CHECK_EVERY_S = 0.5
"""How often it looks whether the streams still hold what was put there."""

TRIM_EVERY_S = 5.0
ROW_S = 0.000_3
ROUND_S_MAX = 0.008
"""How long a round takes at least: see actors.pace."""

RETRY_S = 0.1
CATCH_UP_ROWS = 5_000
STOP_WAIT_S = 3.0

log = structlog.get_logger()


class Relay:
    """One per deployment; a second one at the same time does no harm, only work."""

    def __init__(self, database_url: str, redis_url: str, run: bool = False) -> None:
        self._link = Link(database_url, "relay")
        self._wakeups = Wakeups(database_url)
        self._streams = Streams(redis_url)
        self._loop = Loop("relay", self._run)
        self._published: dict[str, int] = {}
        self._checked_at = 0.0
        self._trimmed_at = time.monotonic()
        if run:
            self.start()

    def start(self) -> None:
        """Begin to work. A second call does nothing."""
        self._loop.start()

    def stop(self) -> None:
        """Finish what is under way and end."""
        self._loop.stop(STOP_WAIT_S)
        self._streams.close()
        self._link.close()
        self._wakeups.close()

    def health(self) -> dict[str, int]:
        """The last number published by market."""
        return dict(self._published)

    def _run(self) -> None:
        while not self._loop.stopping.is_set():
            self._loop.beat()
            self._round()

    def _round(self) -> None:
        try:
            self._wakeups.wait(WAKE_S_MAX)
            began = time.monotonic()
            pause(began, self.step(), ROW_S, ROUND_S_MAX)
            self._check_streams_when_due()
        except DatabaseUnavailable as error:
            log.warning("relay_waits", error=str(error))
            time.sleep(RETRY_S)

    def step(self) -> int:
        """Number and publish what waits now; how many commands that were."""
        if not self._streams.origin:
            self._streams.origin = origin_of(self._link())
        numbered = sequence(self._link(), now_us())
        for market_id, rows in numbered.items():
            self._publish(market_id, rows)
        return sum(rows.size for rows in numbered.values())

    def _publish(self, market_id: str, rows: Rows) -> None:
        """Append rows to the market's stream. A stream that is away is caught up later."""
        if not rows.size:
            return
        first, last = int(rows["command_seq"][0]), int(rows["command_seq"][-1])
        try:
            self._append(market_id, last, rows)
        except StreamUnavailable as error:
            log.warning("commands_unpublished", market=market_id, error=str(error))
            return
        if self._published.get(market_id, first - 1) == first - 1:
            self._published[market_id] = last

    def _append(self, market_id: str, last: int, rows: Rows) -> None:
        entry = (last, rows.tobytes())
        self._streams.append(commands_stream(market_id), [entry])

    def _check_streams_when_due(self) -> None:
        now = time.monotonic()
        if now - self._checked_at < CHECK_EVERY_S:
            return
        self._checked_at = now
        try:
            heads = progress(self._link())
            for market_id, (applied, numbered) in heads.items():
                if self._streams.reclaim(commands_stream(market_id), numbered):
                    log.warning("commands_stream_was_not_ours", market=market_id)
                self._catch_up(market_id, applied)
            if now - self._trimmed_at >= TRIM_EVERY_S:
                self._trimmed_at = now
                for market_id, (applied, _) in heads.items():
                    self._streams.trim(commands_stream(market_id), applied)
        except StreamUnavailable as error:
            log.warning("streams_away", error=str(error))

    def _catch_up(self, market_id: str, applied: int) -> None:
        """Put back what a market has not applied and its stream does not hold."""
        held = max(applied, self._streams.last_number(commands_stream(market_id)))
        while True:
            self._loop.beat()
            rows = commands_after(self._link(), market_id, held, CATCH_UP_ROWS)
            if not rows.size:
                break
            first, held = int(rows["command_seq"][0]), int(rows["command_seq"][-1])
            log.warning("commands_put_back", market=market_id, first=first, last=held)
            self._append(market_id, held, rows)
        self._published[market_id] = max(held, self._published.get(market_id, 0))
