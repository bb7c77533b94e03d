"""Logins that ended in another process: their tokens must open nothing in this one either."""

import asyncio
from contextlib import suppress

from api.credentials.tokens import Tokens
from storage.errors import StorageError
from storage.people.login_sessions import ended_since
from storage.postgres.database import AsyncPool, now_us
from storage.vital_tasks import ended, started_vital

READ_EVERY_S = 2.0
OVERLAP_US = 60_000_000
"""Read again each time: what was written late, or by a machine whose clock is behind."""


class EndedSessions:
    """Reads them every few seconds, the first time as far back as any token lives."""

    def __init__(self, pool: AsyncPool, tokens: Tokens) -> None:
        self._pool = pool
        self._tokens = tokens
        self._since_us = now_us() - tokens.ttl_s * 1_000_000 - OVERLAP_US
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to read. Were it to end by itself, tokens of ended logins would open everything."""
        self._task = started_vital(self._run(), "ended-sessions")

    async def stop(self) -> None:
        """Read no more."""
        if self._task is not None:
            await ended(self._task)

    async def _run(self) -> None:
        while True:
            with suppress(StorageError):  # while the database is away nobody can log out either
                await self.read()
            await asyncio.sleep(READ_EVERY_S)

    async def read(self) -> None:
        """Learn what has ended since the last time. Raises StorageError."""
        at_us = now_us()
        for session_id in await ended_since(self._pool, self._since_us):
            self._tokens.end_session(session_id)
        self._since_us = at_us - OVERLAP_US
