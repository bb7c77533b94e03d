"""Turns at work that is dear: who comes from one address cannot take it from all others."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sim.refusals import Refusal, Refused

Waiter = asyncio.Future[None]


@dataclass(frozen=True)
class TurnLimits:
    """How many have their turn at a time and how many wait for one: in all, and of one address."""

    at_once_max: int
    at_once_of_address_max: int
    waiting_max: int
    waiting_of_address_max: int


class FairTurns:
    """Each address has a line of its own, and the first of the lines is called by turns: an
    address with fewer turns under way goes before one with more, then who was served longest ago
    before who was served since.

    Nothing is kept of an address that neither waits nor has a turn.
    """

    def __init__(self, work: str, limits: TurnLimits) -> None:
        self._work = work
        self._limits = limits
        self._lines: dict[str, deque[Waiter]] = {}
        self._under_way: Counter[str] = Counter()

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Inside, it is this address's turn. Raises Refused UNAVAILABLE where too many wait."""
        await self._come_up(address)
        try:
            yield
        finally:
            self._end(address)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(len(line) for line in self._lines.values())

    async def _come_up(self, address: str) -> None:
        waiter: Waiter = asyncio.get_running_loop().create_future()
        self._lines.setdefault(address, deque()).append(waiter)
        self._call()
        if not waiter.done():
            self._keep_to_limits(address)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                self._leave(address, waiter)
            elif waiter.exception() is None:  # called and cancelled at the same time
                self._end(address)
            raise

    def _call(self) -> None:
        """Let come up whoever may. The line goes behind the others."""
        while self._under_way.total() < self._limits.at_once_max:
            address = self._next_address()
            if address is None:
                return
            line = self._lines.pop(address)
            waiter = line.popleft()
            if line:
                self._lines[address] = line
            if not waiter.done():
                waiter.set_result(None)
                self._under_way[address] += 1

    def _next_address(self) -> str | None:
        under_way, most = self._under_way, self._limits.at_once_of_address_max
        may_come = (address for address in self._lines if under_way[address] < most)
        return min(may_come, key=lambda address: under_way[address], default=None)

    def _end(self, address: str) -> None:
        """The turn is over: the address has now been served last of all."""
        self._under_way[address] -= 1
        if self._under_way[address] == 0:
            del self._under_way[address]
        if address in self._lines:
            self._lines[address] = self._lines.pop(address)
        self._call()

    def _keep_to_limits(self, address: str) -> None:
        """Send away the newcomer where its line is too long; where all lines together are, the
        last of the longest, which may be another's: a crowd leaves room for who comes alone."""
        if len(self._lines[address]) > self._limits.waiting_of_address_max:
            self._send_away(address, f"Too many {self._work} wait from this address")
        elif self.waiting > self._limits.waiting_max:
            lines = self._lines
            longest = max(lines, key=lambda other: (len(lines[other]), other == address))
            self._send_away(longest, f"Too many {self._work} wait")

    def _send_away(self, address: str, why: str) -> None:
        waiter = self._lines[address][-1]
        self._leave(address, waiter)
        if not waiter.done():
            waiter.set_exception(Refused(Refusal.UNAVAILABLE, f"{why}; try again in 1 s"))

    def _leave(self, address: str, waiter: Waiter) -> None:
        line = self._lines.get(address)
        if line is not None and waiter in line:
            line.remove(waiter)
            if not line:
                del self._lines[address]
