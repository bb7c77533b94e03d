"""Hashing passwords, on threads of its own and in two lanes."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from sim.refusals import Refusal, Refused

T = TypeVar("T")

HASH_MEMORY_KIB = 19_456
HASH_PASSES = 2
LOGINS_AT_ONCE_MAX = max(1, (os.cpu_count() or 1) // 2)
LOGINS_WAITING_MAX = 200
"""Each hash takes 19 MiB and a core for some 20 ms: half of the cores are left to everything
else, and whoever comes when so many wait is sent away."""

REGISTRATIONS_AT_ONCE_MAX = 1
REGISTRATIONS_WAITING_MAX = 50
"""Those who register wait for each other only: however many they are, logins pass beside them."""

PASSWORD_CHARACTERS = (8, 128)


class Lane:
    """Threads for one purpose, with a limit to how many may wait for them."""

    def __init__(self, name: str, threads: int, waiting_max: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"argon2-{name}")
        self._name = name
        self._waiting_max = waiting_max
        self._waiting = 0

    async def run(self, work: Callable[..., T], *arguments: str) -> T:
        """The work's result. Raises Refused UNAVAILABLE where too many are waiting."""
        if self._waiting >= self._waiting_max:
            raise Refused(Refusal.UNAVAILABLE, f"Too many {self._name} at once; try again in 1 s")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, work, *arguments)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class Passwords:
    """Argon2id beside the event loop. Logging in and registering do not wait for each other."""

    def __init__(self) -> None:
        hasher = Argon2Hasher(memory_cost=HASH_MEMORY_KIB, time_cost=HASH_PASSES, parallelism=1)
        self._hasher = PasswordHash((hasher,))
        self.logins = Lane("logins", LOGINS_AT_ONCE_MAX, LOGINS_WAITING_MAX)
        self.registrations = Lane(
            "registrations", REGISTRATIONS_AT_ONCE_MAX, REGISTRATIONS_WAITING_MAX
        )
        self._nobodys_hash = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """A new hash, for who registers. Raises Refused UNAVAILABLE where too many are waiting."""
        return await self.registrations.run(self._hasher.hash, password)

    async def verify(
        self, lane: Lane, password: str, known_hash: str | None
    ) -> tuple[bool, str | None]:
        """Whether the password is right, and a new hash where the old one is out of date.

        Takes as long where there is no hash to compare with.
        """
        verified, updated = await lane.run(
            self._hasher.verify_and_update, password, known_hash or self._nobodys_hash
        )
        return verified and known_hash is not None, updated

    def close(self) -> None:
        """End the threads."""
        self.logins.close()
        self.registrations.close()
