"""Hashing passwords, on threads of its own and in two lanes, in which addresses take turns."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from api.fair_turns import FairTurns, TurnLimits

T = TypeVar("T")

HASH_MEMORY_KIB = 19_456
HASH_PASSES = 2
LOGINS_AT_ONCE_MAX = max(1, (os.cpu_count() or 1) // 2)
"""Each hash takes 19 MiB and a core for some 20 ms: half of the cores are left to everything
else."""

LOGINS = TurnLimits(LOGINS_AT_ONCE_MAX, 1, waiting_max=200, waiting_of_address_max=50)
"""One of an address at a time: whoever guesses learns of, and pays for, each guess before the
next. A school class may log in at once from one address."""

REGISTRATIONS = TurnLimits(1, 1, waiting_max=100, waiting_of_address_max=20)
"""Those who register wait for each other only: however many they are, logins pass beside them."""

PASSWORD_CHARACTERS = (8, 128)


class Lane:
    """Turns for one purpose, and as many threads as there are turns at once."""

    def __init__(self, work: str, limits: TurnLimits) -> None:
        self._threads = ThreadPoolExecutor(limits.at_once_max, thread_name_prefix=f"argon2-{work}")
        self._turns = FairTurns(work, limits)

    def turn(self, address: str) -> AbstractAsyncContextManager[None]:
        """Had by whoever runs work. Raises Refused UNAVAILABLE where too many wait."""
        return self._turns.turn(address)

    async def run(self, work: Callable[..., T], *arguments: str) -> T:
        """The work's result."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, work, *arguments)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class Passwords:
    """Argon2id beside the event loop. Logging in and registering do not wait for each other."""

    def __init__(self) -> None:
        hasher = Argon2Hasher(memory_cost=HASH_MEMORY_KIB, time_cost=HASH_PASSES, parallelism=1)
        self._hasher = PasswordHash((hasher,))
        self.logins = Lane("logins", LOGINS)
        self.registrations = Lane("registrations", REGISTRATIONS)
        self._nobodys_hash = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """A new hash, for who registers and has a turn."""
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
