"""One hub a process: who is connected by WebSocket, and what is told them."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.websockets import WebSocketDisconnect

from api.door.account_feeds import AccountFeeds
from api.door.crash_log import CrashLog
from api.door.market_feeds import MarketFeeds
from api.door.stream_topics import Dialect, Told
from sim.refusals import Refusal, Refused
from storage.errors import StorageError
from storage.postgres.database import AsyncPool
from storage.reading.market_data import MarketCatalog
from storage.vital_tasks import ended, started_vital

if TYPE_CHECKING:
    from api.door.stream_session import Session

LOOK_EVERY_S = 2.0
"""At logins that have ended: their sockets close within five seconds."""

LOOK_CLOSELY_EVERY = 15
"""At roles, accounts and API keys in the database: each so many looks, that is twice a minute."""

SOCKETS_OF_USER_MAX = 32
"""In one process."""


class Hub:
    """Everybody who listens in this process."""

    def __init__(self, pool: AsyncPool, database_url: str, markets: MarketCatalog) -> None:
        self.accounts = AccountFeeds(pool, database_url, markets)
        self.markets = MarketFeeds()
        self.crashes = CrashLog()
        self.sessions: set[Session] = set()
        self._of_users: Counter[int] = Counter()
        self._said: tuple[Told, Dialect, str] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look after logins."""
        self._task = started_vital(self._look_after(), "look-after-sockets")

    async def stop(self) -> None:
        """Tell nobody any more."""
        if self._task is not None:
            await ended(self._task)
        await self.accounts.stop()
        await self.markets.stop()

    def enter(self, user_id: int) -> None:
        """Count a user's socket. Raises Refused where there are too many."""
        if self._of_users[user_id] >= SOCKETS_OF_USER_MAX:
            raise Refused(
                Refusal.RATE_LIMITED,
                f"A user has at most {SOCKETS_OF_USER_MAX} WebSockets open at once: close one",
            )
        self._of_users[user_id] += 1

    def leave(self, user_id: int) -> None:
        """Count one less."""
        self._of_users[user_id] -= 1
        if not self._of_users[user_id]:
            del self._of_users[user_id]

    def worded(self, dialect: Dialect, told: Told, user_id: int | None) -> str:
        """What is told to many is worded once for each family."""
        if told.topic.channel.is_private:
            return dialect.told(told, user_id)
        if self._said is None or self._said[0] is not told or self._said[1] is not dialect:
            self._said = (told, dialect, dialect.told(told, None))
        return self._said[2]

    async def closed(self, closing: Awaitable[None]) -> None:
        """Say that a socket closes, if somebody is there to hear it."""
        with suppress(WebSocketDisconnect, RuntimeError):
            await closing

    async def _look_after(self) -> None:
        looks = 0
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            looks += 1
            for session in list(self.sessions):
                session.look()
            if looks % LOOK_CLOSELY_EVERY == 0:
                for session in list(self.sessions):
                    with suppress(StorageError):
                        await session.look_closely()
