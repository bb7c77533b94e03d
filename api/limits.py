"""How often one principal may ask, and how often a password may be guessed."""

import asyncio
import time
from enum import StrEnum
from typing import NamedTuple
from weakref import WeakValueDictionary

from limits import RateLimitItem, parse_many

from sim.refusals import Refusal, Refused
from storage.errors import StorageError
from storage.login_failures import FailureStore, MemoryFailures
from storage.settings import Settings

PRINCIPALS_MAX = 100_000
"""Counters kept at a time; when there are more, those of past windows go."""

PENALTY_S_MAX = 900
IP_FACTOR = 5
"""An address may fail this many times as often as an account: people share addresses."""


class RateKind(StrEnum):
    """What is counted separately."""

    READ = "read"
    WRITE = "write"
    ORDER = "order"
    PROBE = "probe"


class Window(NamedTuple):
    """A counter after a hit: allowed or not, and what the X-RateLimit headers say."""

    allowed: bool
    limit: int
    remaining: int
    resets_at_s: int


class RateLimits:
    """Fixed windows counted in this process.

    The rates are written and parsed as the `limits` library has them; its
    in-memory storage starts a thread per hundred hits, so the counting is here.
    Each API process counts for itself.
    """

    def __init__(self, settings: Settings) -> None:
        self._items: dict[RateKind, list[RateLimitItem]] = {
            RateKind.READ: parse_many(settings.read_rate),
            RateKind.WRITE: parse_many(settings.write_rate),
            RateKind.ORDER: parse_many(settings.order_rate),
            RateKind.PROBE: parse_many(settings.probe_rate),
        }
        self._counts: dict[tuple[str, int, str], tuple[int, int]] = {}

    def hit(self, kind: RateKind, principal: str, cost: int = 1) -> Window:
        """Count one request, or `cost` of them; the tightest of the kind's windows answers."""
        now = int(time.time())
        windows = [self._count(kind, item, principal, cost, now) for item in self._items[kind]]
        return min(windows, key=lambda window: (window.allowed, window.remaining))

    def _count(
        self, kind: RateKind, item: RateLimitItem, principal: str, cost: int, now: int
    ) -> Window:
        length = item.get_expiry()
        number = now // length
        key = (kind, length, principal)
        known_number, count = self._counts.get(key, (number, 0))
        count = count + cost if known_number == number else cost
        if len(self._counts) >= PRINCIPALS_MAX and key not in self._counts:
            self._forget_past_windows(now)
        self._counts[key] = (number, count)
        left = max(0, item.amount - count)
        return Window(count <= item.amount, item.amount, left, (number + 1) * length)

    def _forget_past_windows(self, now: int) -> None:
        current = {key: value for key, value in self._counts.items() if value[0] == now // key[1]}
        self._counts = current if len(current) < PRINCIPALS_MAX else {}


def too_many(window: Window) -> Refused:
    """The refusal of a request over its rate."""
    wait_s = max(1, window.resets_at_s - int(time.time()))
    return Refused(
        Refusal.RATE_LIMITED,
        f"At most {window.limit} requests are allowed; try again in {wait_s} s",
        {"retryAfter": wait_s},
    )


class LoginGuard:
    """Slows guessing down per account and per address; never locks for good.

    Only failures count. From the allowed number on, each further failure doubles
    the wait. Counted in Valkey for all processes; while that is away, in this
    process and with half the allowance.
    """

    def __init__(self, login_rate: str, shared: FailureStore | None) -> None:
        self._item = parse_many(login_rate)[0]
        self._shared = shared
        self._own = MemoryFailures()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def turn(self, account: str) -> asyncio.Lock:
        """Held while one password of the account is tried, so that guesses cannot run abreast."""
        lock = self._turns.get(account)
        if lock is None:
            lock = self._turns[account] = asyncio.Lock()
        return lock

    async def check(self, address: str, account: str) -> None:
        """Raises Refused RATE_LIMITED while either has to wait."""
        keys = [f"ip:{address}", f"account:{account}"]
        try:
            if self._shared is None:
                raise StorageError("no Valkey")
            wait_s = max(await self._shared.wait_s(keys), await self._own.wait_s(keys))
        except StorageError:
            wait_s = await self._own.wait_s(keys)
        if wait_s > 0:
            raise Refused(
                Refusal.RATE_LIMITED,
                f"Too many failed attempts; try again in {wait_s} s",
                {"retryAfter": wait_s},
            )

    async def failed(self, address: str, account: str) -> None:
        """Count a wrong password."""
        for key, factor in ((f"account:{account}", 1), (f"ip:{address}", IP_FACTOR)):
            await self._count(key, self._item.amount * factor)

    async def succeeded(self, account: str) -> None:
        """A right password clears its account's count."""
        key = f"account:{account}"
        await self._own.clear(key)
        if self._shared is not None:
            try:
                await self._shared.clear(key)
            except StorageError:
                return

    async def _count(self, key: str, allowed: int) -> None:
        period_s = self._item.get_expiry()
        try:
            if self._shared is not None:
                return await penalize(self._shared, key, allowed, period_s)
        except StorageError:
            allowed = max(1, allowed // 2)
        await penalize(self._own, key, allowed, period_s)


async def penalize(store: FailureStore, key: str, allowed: int, period_s: int) -> None:
    """One more failure: from `allowed` on it costs 1, 2, 4 … seconds, at most PENALTY_S_MAX."""
    count = await store.add(key, period_s)
    if count >= allowed:
        penalty_s = min(PENALTY_S_MAX, 2 ** min(count - allowed, 20))
        await store.block(key, penalty_s, forget_after_s=period_s + 2 * penalty_s)
