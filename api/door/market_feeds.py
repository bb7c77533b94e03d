"""What happens in markets, and whatever else is read for all who listen: one reader of a topic for
all of a process."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from api.door.market_topics import Source
from api.door.stream_topics import Listener, Topic, tell_all
from storage.errors import StorageError
from storage.vital_tasks import ended, started_vital


class Reading:
    """One topic: its source, who hears all that is new, and who has to begin yet."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.listeners: dict[Listener, None] = {}
        self.newcomers: dict[Listener, None] = {}
        self.task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Read again and again."""
        while True:
            with suppress(StorageError):  # what comes meanwhile is told when the database is back
                news = await self._source.read()
                tell_all(list(self.listeners), news)
                await self._begin()
            await asyncio.sleep(self._source.every_s)

    async def _begin(self) -> None:
        whole = self._source.whole()
        if whole is None:
            return
        for listener in list(self.newcomers):
            missed = None
            if listener.after is not None:
                missed = await self._source.after(listener.after)
                if missed is None:
                    listener.lost(whole.sequence)
            if listener in self.newcomers:  # it may have left meanwhile
                del self.newcomers[listener]
                self.listeners[listener] = None
                tell_all([listener], [whole] if missed is None else missed)


class MarketFeeds:
    """All such topics that somebody listens to in this process."""

    def __init__(self) -> None:
        self._readings: dict[Topic, Reading] = {}

    def join(self, listener: Listener, opened: Callable[[], Source]) -> None:
        """Tell this one what there is, and then what comes; `opened` is who reads it, where nobody
        does yet."""
        topic = listener.topic
        reading = self._readings.get(topic)
        if reading is None:
            reading = self._readings[topic] = Reading(opened())
            reading.task = started_vital(reading.run(), f"read-{topic.channel}-{topic.market_id}")
        reading.newcomers[listener] = None

    def leave(self, listener: Listener) -> None:
        """Tell this one no longer; what nobody listens to is not read."""
        reading = self._readings.get(listener.topic)
        if reading is None:
            return
        reading.listeners.pop(listener, None)
        reading.newcomers.pop(listener, None)
        if not reading.listeners and not reading.newcomers and reading.task is not None:
            del self._readings[listener.topic]
            reading.task.cancel()

    async def stop(self) -> None:
        """Tell nobody any more."""
        for reading in self._readings.values():
            if reading.task is not None:
                await ended(reading.task)
