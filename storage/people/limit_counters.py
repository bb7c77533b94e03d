"""Counters of what is rare: failed logins, new accounts. In Valkey for all processes, in memory
for one."""

import math
import time
from typing import Protocol

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from storage.errors import wrapped

LIMITS_PREFIX = "sandpit.limits"
"""Keys of the user who may count begin so; the embedded server lets it touch no others."""

PREFIX = f"{LIMITS_PREFIX}:login"
KEYS_MAX = 100_000
TIMEOUT_S = 0.25
"""A login does not wait longer than this for Valkey."""


class CounterStore(Protocol):
    """Counts by key, forgotten some time after the last one, and waits by key."""

    async def wait_s(self, keys: list[str]) -> int:
        """Seconds until none of the keys is blocked; 0 if none is."""

    async def add(self, key: str, forget_after_s: int) -> int:
        """Count one more; how many there are now."""

    async def block(self, key: str, seconds: int, forget_after_s: int) -> None:
        """Make the key wait, and remember its count for longer than that."""

    async def clear(self, key: str) -> None:
        """Forget the count and the wait of a key."""


class ValkeyCounters:
    """Shared by all processes. Plain commands only: no script runs in the server.

    Every method raises StreamUnavailable when Valkey does not answer in time.
    """

    def __init__(self, redis_url: str) -> None:
        self._client: Redis = Redis.from_url(
            redis_url,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )

    async def wait_s(self, keys: list[str]) -> int:
        """The longest remaining wait among the keys."""
        with wrapped():
            pipeline = self._client.pipeline(transaction=False)
            for key in keys:
                pipeline.pttl(f"{PREFIX}:wait:{key}")
            waits: list[int] = await pipeline.execute()
        return max(0, -(-max(waits) // 1000))

    async def add(self, key: str, forget_after_s: int) -> int:
        """Increment and renew the expiry, in one transaction."""
        with wrapped():
            pipeline = self._client.pipeline(transaction=True)
            pipeline.incr(f"{PREFIX}:count:{key}")
            pipeline.expire(f"{PREFIX}:count:{key}", forget_after_s)
            count, _ = await pipeline.execute()
        return int(count)

    async def block(self, key: str, seconds: int, forget_after_s: int) -> None:
        """A key that expires by itself."""
        with wrapped():
            pipeline = self._client.pipeline(transaction=True)
            pipeline.set(f"{PREFIX}:wait:{key}", "1", ex=seconds)
            pipeline.expire(f"{PREFIX}:count:{key}", forget_after_s)
            await pipeline.execute()

    async def clear(self, key: str) -> None:
        """Delete both keys."""
        with wrapped():
            await self._client.delete(f"{PREFIX}:count:{key}", f"{PREFIX}:wait:{key}")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


class MemoryCounters:
    """The same in one process. When full, what is forgotten soonest goes first."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[int, float]] = {}
        self._waits: dict[str, float] = {}

    async def wait_s(self, keys: list[str]) -> int:
        """The longest remaining wait among the keys."""
        now = time.monotonic()
        return max(0, *(math.ceil(self._waits.get(key, now) - now) for key in keys))

    async def add(self, key: str, forget_after_s: int) -> int:
        """Count on, unless the last time is long ago."""
        now = time.monotonic()
        count, until = self._counts.get(key, (0, 0.0))
        count = count + 1 if until > now else 1
        if len(self._counts) >= KEYS_MAX and key not in self._counts:
            self._forget(now)
        self._counts[key] = (count, now + forget_after_s)
        return count

    async def block(self, key: str, seconds: int, forget_after_s: int) -> None:
        """Until a moment of the monotonic clock."""
        now = time.monotonic()
        self._waits[key] = now + seconds
        self._counts[key] = (self._counts.get(key, (0, 0.0))[0], now + forget_after_s)

    async def clear(self, key: str) -> None:
        """Forget both."""
        self._counts.pop(key, None)
        self._waits.pop(key, None)

    def _forget(self, now: float) -> None:
        self._waits = {key: until for key, until in self._waits.items() if until > now}
        kept = sorted(self._counts.items(), key=lambda item: item[1][1])[KEYS_MAX // 10 :]
        self._counts = dict(kept)
