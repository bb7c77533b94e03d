"""Addresses take turns at dear work, and one address's crowd waits for itself."""

import asyncio

import pytest

from api.fair_turns import FairTurns, TurnLimits
from sim.refusals import Refusal, Refused

CROWD, ALONE = "192.0.2.66", "192.0.2.7"
ONE_BY_ONE = TurnLimits(1, 1, 100, 50)


class Work:
    """Turns that last until they are let go; who came up, in order."""

    def __init__(self, limits: TurnLimits) -> None:
        self.turns = FairTurns("logins", limits)
        self.came_up: list[str] = []
        self._ends: list[asyncio.Event] = []

    async def ask(self, address: str, times: int = 1) -> list[asyncio.Task[None]]:
        asked = [asyncio.create_task(self._work(address)) for _ in range(times)]
        await settled()
        return asked

    async def end(self, number: int) -> None:
        """End the turn that came up so many after the first."""
        self._ends[number].set()
        await settled()

    async def _work(self, address: str) -> None:
        async with self.turns.turn(address):
            self.came_up.append(address)
            end = asyncio.Event()
            self._ends.append(end)
            await end.wait()


async def settled() -> None:
    """Every task has gone as far as it can without us."""
    for _ in range(5):
        await asyncio.sleep(0)


def refused(tasks: list[asyncio.Task[None]]) -> int:
    """How many were sent away; that they may come again goes with it."""
    errors = [task.exception() for task in tasks if task.done()]
    assert all(
        isinstance(error, Refused) and error.refusal == Refusal.UNAVAILABLE for error in errors
    )
    return len(errors)


async def test_who_comes_behind_forty_of_another_address_is_next() -> None:
    work = Work(ONE_BY_ONE)
    await work.ask(CROWD, 41)
    await work.ask(ALONE)
    await work.end(0)
    assert work.came_up == [CROWD, ALONE]
    await work.end(1)
    assert work.came_up == [CROWD, ALONE, CROWD]


async def test_addresses_that_all_wait_are_served_by_turns() -> None:
    work = Work(ONE_BY_ONE)
    for address in ("a", "b", "c"):
        await work.ask(address, 3)
    for number in range(8):
        await work.end(number)
    assert work.came_up == ["a", "b", "c"] * 3


async def test_a_crowd_s_surplus_is_refused_and_nobody_else() -> None:
    work = Work(TurnLimits(1, 1, 100, 4))
    crowd = await work.ask(CROWD, 40)
    (alone,) = await work.ask(ALONE)
    assert refused(crowd) == 35
    assert not alone.done()
    await work.end(0)
    assert work.came_up == [CROWD, ALONE]


async def test_when_all_places_are_taken_the_longest_line_makes_room() -> None:
    work = Work(TurnLimits(1, 1, 6, 5))
    crowd = await work.ask(CROWD, 6)
    others = [*await work.ask("a"), *await work.ask(ALONE)]
    assert (refused(crowd), refused(others)) == (1, 0)
    others += [one for n in range(4) for one in await work.ask(f"b{n}")]
    assert work.turns.waiting == 6
    assert (refused(crowd), refused(others)) == (4, 1)


async def test_an_address_may_have_so_many_turns_at_once_though_more_are_free() -> None:
    work = Work(TurnLimits(3, 2, 100, 50))
    await work.ask(CROWD, 40)
    assert work.came_up == [CROWD] * 2
    await work.ask(ALONE)
    assert work.came_up == [CROWD, CROWD, ALONE]
    await work.end(0)
    assert work.came_up == [CROWD, CROWD, ALONE, CROWD]


async def test_a_free_turn_is_had_however_many_wait_who_may_not_have_it() -> None:
    work = Work(TurnLimits(2, 1, 3, 3))
    await work.ask(CROWD, 4)
    await work.ask(ALONE)
    assert work.came_up == [CROWD, ALONE]


async def test_a_cancelled_waiter_frees_its_place() -> None:
    work = Work(TurnLimits(1, 1, 100, 2))
    _, second, third = await work.ask(CROWD, 3)
    second.cancel()
    await settled()
    assert work.turns.waiting == 1
    await work.ask(CROWD)
    assert work.turns.waiting == 2
    await work.end(0)
    assert not third.done()
    assert len(work.came_up) == 2


async def test_who_is_called_and_cancelled_at_once_leaves_the_turn_to_the_next() -> None:
    turns = FairTurns("logins", ONE_BY_ONE)

    async def work() -> None:
        async with turns.turn(CROWD):
            pass

    async with turns.turn(CROWD):
        called, after = asyncio.create_task(work()), asyncio.create_task(work())
        await settled()
    called.cancel()
    await after
    assert called.cancelled()


async def test_a_failure_in_a_turn_ends_it() -> None:
    turns = FairTurns("logins", ONE_BY_ONE)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with turns.turn(ALONE):
                raise ZeroDivisionError
