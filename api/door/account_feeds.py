"""What happens to accounts, to those who listen to them: in order, without a gap, from PostgreSQL.

Each process has a cursor for each account that one of its clients listens to. It is woken by
notifications and looks by itself now and then, so that a lost one only delays; numbers carry what
is right. Rows are read as every GET reads them.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

from api.door.account_rows import KINDS, Changed, read_frames
from api.door.stream_topics import Listener, Told
from storage.errors import StorageError
from storage.postgres.database import AsyncPool
from storage.postgres.notifications import notifications
from storage.reading.account_frames import (
    NOTIFIED,
    FrameKind,
    Pulled,
    frames_after,
    keep_listening,
    newest_of_each,
    writers_ended,
)
from storage.reading.market_data import MarketCatalog
from storage.vital_tasks import ended, started_vital

LOOK_EVERY_S = 1.0
"""How late something is told at the most whose notification was lost."""

PACE_S = 0.02
"""From one look to the next: a lone change is told at once, many are read together."""

KEEP_EVERY_S = 60.0
FRAMES_AT_ONCE = 100
"""Fewer than a client's queue has room for."""

RETRY_S = 0.5


class Feed:
    """One account: what was told last, and who listens."""

    __slots__ = ("account_id", "cursor", "holders", "listeners", "opening")

    def __init__(self, account_id: int) -> None:
        self.account_id = account_id
        self.cursor = -1
        self.holders = 0
        self.opening = asyncio.Lock()
        self.listeners: dict[Listener, None] = {}

    def lost(self, sequence: int) -> None:
        """Something may be missing: everybody reads anew, and goes on behind this number."""
        self.cursor = sequence
        for listener in list(self.listeners):
            listener.lost(sequence)

    @property
    def kinds(self) -> set[FrameKind]:
        """What somebody listens to."""
        return {KINDS[one.topic.channel] for one in self.listeners}

    def wanting(self, kind: FrameKind) -> list[Listener]:
        """Who listens to frames of this kind."""
        return [one for one in self.listeners if KINDS[one.topic.channel] == kind]


class AccountFeeds:
    """All accounts that somebody listens to in this process."""

    def __init__(self, pool: AsyncPool, database_url: str, markets: MarketCatalog) -> None:
        self._pool, self._database_url, self._markets = pool, database_url, markets
        self._feeds: dict[int, Feed] = {}
        self._due: set[int] = set()
        self._woken = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def stop(self) -> None:
        """Tell nobody any more."""
        for task in self._tasks:
            await ended(task)

    async def join(self, listener: Listener) -> int:
        """Tell this one from now on, or what it has missed, too; the number that it goes on from.

        Raises StorageError; then it is not told.
        """
        if not self._tasks:
            works = ((self._tell, "frames"), (self._hear, "hear-frames"), (self._keep, "listened"))
            self._tasks = [started_vital(work(), name) for work, name in works]
        account_id = listener.topic.account_id
        feed = self._feeds.setdefault(account_id, Feed(account_id))
        feed.holders += 1
        try:
            await self._open(feed)
            if listener.after is not None:
                return listener.after
            listener.position = feed.cursor
        except BaseException:
            self._release(feed)
            raise
        feed.listeners[listener] = None
        return listener.position

    async def resume(self, listener: Listener) -> None:
        """Tell what came after the number that it names, and from then on what comes.

        Raises StorageError; then it is not told.
        """
        assert listener.after is not None
        feed = self._feeds[listener.topic.account_id]
        listener.position = listener.after
        try:
            while listener.position != feed.cursor:
                pulled = await self._pulled(feed.account_id, listener.position)
                if not pulled.follows(listener.position):
                    listener.position = max(feed.cursor, pulled.last_seq)
                    listener.lost(listener.position)
                    break
                if not pulled.frames:
                    break  # another process has told more than this one
                await listener.room()
                kind = KINDS[listener.topic.channel]
                changes = [
                    Changed(feed.account_id, one)
                    for one in newest_of_each(pulled.frames)
                    if one.kind == kind
                ]
                for told in await read_frames(self._pool, self._markets, changes):
                    listener.tell(told)
                listener.position = pulled.frames[-1].seq
        except BaseException:
            self._release(feed)
            raise
        feed.listeners[listener] = None

    def leave(self, listener: Listener) -> None:
        """Tell this one no longer."""
        feed = self._feeds.get(listener.topic.account_id)
        if feed is not None and listener in feed.listeners:
            del feed.listeners[listener]
            self._release(feed)

    def _release(self, feed: Feed) -> None:
        feed.holders -= 1
        if feed.holders == 0:
            self._feeds.pop(feed.account_id, None)

    async def _open(self, feed: Feed) -> None:
        """Have frames written, all of them, and know the last."""
        async with feed.opening:
            if feed.cursor < 0:
                await keep_listening(self._pool, feed.account_id)
                await writers_ended(self._pool)
                feed.cursor = (await self._pulled(feed.account_id, 2**62)).last_seq

    async def _pulled(self, account_id: int, seq: int) -> Pulled:
        found = await frames_after(self._pool, {account_id: seq}, FRAMES_AT_ONCE)
        return found.get(account_id, Pulled(0, []))

    async def _keep(self) -> None:
        """Say that somebody still listens. Where the row was taken away meanwhile, nothing was
        written: everybody reads anew."""
        while True:
            await asyncio.sleep(KEEP_EVERY_S)
            for feed in list(self._feeds.values()):
                with suppress(StorageError):
                    if feed.cursor >= 0 and await keep_listening(self._pool, feed.account_id):
                        await writers_ended(self._pool)
                        feed.lost((await self._pulled(feed.account_id, 2**62)).last_seq)

    async def _hear(self) -> None:
        """Be woken by notifications; what was notified while nobody heard is looked for."""
        while True:
            with suppress(StorageError):
                async for payload in notifications(self._database_url, NOTIFIED):
                    self._due |= {int(payload)} if payload else set(self._feeds)
                    self._woken.set()
            await asyncio.sleep(RETRY_S)

    async def _tell(self) -> None:
        clock = asyncio.get_running_loop().time
        looked_at = clock()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(looked_at + LOOK_EVERY_S):
                    await self._woken.wait()
            due, self._due = self._due, set()
            self._woken.clear()
            if clock() - looked_at >= LOOK_EVERY_S:
                due, looked_at = set(self._feeds), clock()
            feeds = [self._feeds[one] for one in due if one in self._feeds]
            began = clock()
            await self._look([feed for feed in feeds if feed.cursor >= 0])
            await asyncio.sleep(began + PACE_S - clock())

    async def _look(self, feeds: Sequence[Feed]) -> None:
        """Tell of all these accounts what comes next; where something is missing, that it is."""
        if not feeds:
            return
        with suppress(StorageError):  # looked for again a moment later
            cursors = {feed.account_id: feed.cursor for feed in feeds}
            found = await frames_after(self._pool, cursors, FRAMES_AT_ONCE)
            going_on: dict[Feed, Pulled] = {}
            for feed in feeds:
                pulled = found.get(feed.account_id)
                if pulled is None or feed.cursor != cursors[feed.account_id]:
                    continue
                if not pulled.follows(feed.cursor):
                    feed.lost(pulled.last_seq)
                elif pulled.frames:
                    going_on[feed] = pulled
            if going_on:
                self._go_on(going_on, await self._read(going_on))

    def _go_on(self, going_on: Mapping[Feed, Pulled], told: Sequence[Told]) -> None:
        by_account = {feed.account_id: feed for feed in going_on}
        for one in told:
            feed = by_account[one.topic.account_id]
            for listener in feed.wanting(KINDS[one.topic.channel]):
                listener.tell(one)
        for feed, pulled in going_on.items():
            feed.cursor = pulled.frames[-1].seq
            if feed.cursor < pulled.last_seq:
                self._due.add(feed.account_id)
                self._woken.set()

    async def _read(self, going_on: Mapping[Feed, Pulled]) -> list[Told]:
        """What somebody wants of these frames; read once more where somebody has come meanwhile
        who wants others of them."""
        while True:
            kinds = {feed: feed.kinds for feed in going_on}
            changes = [
                Changed(feed.account_id, frame)
                for feed, pulled in going_on.items()
                for frame in newest_of_each(pulled.frames)
                if frame.kind in kinds[feed]
            ]
            told = await read_frames(self._pool, self._markets, changes)
            if all(feed.kinds <= known for feed, known in kinds.items()):
                return told
