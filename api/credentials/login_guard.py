"""How often a password may be guessed, and how many accounts an address may open."""

import time
from collections.abc import Awaitable, Callable

from limits import parse_many

from sim.refusals import Refusal, Refused
from storage.errors import StorageError
from storage.people.limit_counters import CounterStore, MemoryCounters

PENALTY_S_MAX = 900
ADDRESS_FACTOR = 5
"""An address may fail this many times as often as one account from it: people share addresses."""

ACCOUNT_FACTOR = 10
"""An account may be failed this many times as often from all addresses together; one that has
logged in to it before is not held up by the others' failures."""

Known = Callable[[], Awaitable[bool]]
"""Whether the address has logged in to the account before; asked only where it matters."""


class LoginGuard:
    """Slows guessing down and never locks for good.

    Failures count per account and address, per address, and per account. From
    the allowed number on, each further failure doubles the wait. An address
    that has logged in rightly before waits for nobody's failures but its own
    with this account: a stranger who guesses does not lock the owner out.

    Counted in Valkey for all processes; while that is away, in this process and
    with half the allowance.
    """

    def __init__(self, login_rate: str, shared: CounterStore | None) -> None:
        self._item = parse_many(login_rate)[0]
        self._shared = shared
        self._own = MemoryCounters()

    async def check(self, address: str, account: str, is_known: Known) -> None:
        """Raises Refused RATE_LIMITED while this address has to wait with this account."""
        pair = pair_key(address, account)
        wait_s = await self._wait_s([pair, address_key(address), account_key(account)])
        if wait_s > 0 and await is_known():
            wait_s = await self._wait_s([pair])
        if wait_s > 0:
            raise Refused(
                Refusal.RATE_LIMITED,
                f"Too many failed attempts; try again in {wait_s} s",
                {"retry_after": wait_s},
            )

    async def failed(self, address: str, account: str) -> None:
        """Count a wrong password."""
        await self._count(pair_key(address, account), self._item.amount)
        await self._count(address_key(address), self._item.amount * ADDRESS_FACTOR)
        await self._count(account_key(account), self._item.amount * ACCOUNT_FACTOR)

    async def succeeded(self, address: str, account: str) -> None:
        """A right password clears what this address has failed with this account."""
        key = pair_key(address, account)
        await self._own.clear(key)
        if self._shared is not None:
            try:
                await self._shared.clear(key)
            except StorageError:
                return

    async def _wait_s(self, keys: list[str]) -> int:
        own_s = await self._own.wait_s(keys)
        if self._shared is None:
            return own_s
        try:
            return max(own_s, await self._shared.wait_s(keys))
        except StorageError:
            return own_s

    async def _count(self, key: str, allowed: int) -> None:
        period_s = self._item.get_expiry()
        if self._shared is not None:
            try:
                return await penalize(self._shared, key, allowed, period_s)
            except StorageError:
                allowed = max(1, allowed // 2)
        await penalize(self._own, key, allowed, period_s)


def pair_key(address: str, account: str) -> str:
    """What one address fails with one account."""
    return f"pair:{address}:{account}"


def address_key(address: str) -> str:
    """What one address fails with all accounts."""
    return f"ip:{address}"


def account_key(account: str) -> str:
    """What all addresses fail with one account."""
    return f"account:{account}"


async def penalize(store: CounterStore, key: str, allowed: int, period_s: int) -> None:
    """One more failure: from `allowed` on it costs 1, 2, 4 … seconds, at most PENALTY_S_MAX."""
    count = await store.add(key, period_s)
    if count >= allowed:
        penalty_s = min(PENALTY_S_MAX, 2 ** min(count - allowed, 20))
        await store.block(key, penalty_s, forget_after_s=period_s + 2 * penalty_s)


class NewAccounts:
    """How many users and guests one address may make: a window's worth at once, then no more.

    Counted like failed logins, in Valkey or else in this process.
    """

    def __init__(self, account_rate: str, shared: CounterStore | None) -> None:
        self._items = parse_many(account_rate)
        self._shared = shared
        self._own = MemoryCounters()

    async def take(self, address: str) -> None:
        """Count one. Raises Refused RATE_LIMITED when the address has made its share."""
        now = int(time.time())
        for item in self._items:
            length_s = item.get_expiry()
            number = now // length_s
            key = f"accounts:{length_s}:{number}:{address}"
            if await self._add(key, length_s) > item.amount:
                wait_s = (number + 1) * length_s - now
                raise Refused(
                    Refusal.RATE_LIMITED,
                    f"An address may open {item.amount} accounts; try again in {wait_s} s",
                    {"retry_after": wait_s},
                )

    async def _add(self, key: str, forget_after_s: int) -> int:
        if self._shared is not None:
            try:
                return await self._shared.add(key, forget_after_s)
            except StorageError:
                pass
        return await self._own.add(key, forget_after_s)
