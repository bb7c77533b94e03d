"""A flood of registrations and logins do not wait for each other, nor one address for another."""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterable
from typing import Any

import pytest

from api.credentials.passwords import LOGINS, REGISTRATIONS, Lane, Passwords
from sim.refusals import Refusal, Refused

FLOOD = 40
CROWD, ALONE = "192.0.2.66", "192.0.2.7"


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    opened = Passwords()
    yield opened
    opened.close()


async def test_s17_the_loop_goes_on_while_passwords_are_hashed(passwords: Passwords) -> None:
    for lane in (passwords.logins, passwords.registrations):
        released = threading.Event()
        hashing = asyncio.create_task(lane.run(lambda now=released: now.wait(10)))
        await asyncio.sleep(0)
        assert not hashing.done()
        released.set()
        assert await hashing, "whoever waits on the loop is never released"


async def test_a_login_passes_a_flood_of_registrations(passwords: Passwords) -> None:
    known_hash = await registered(passwords, CROWD, "long-password")
    flood = await asked(
        registered(passwords, f"192.0.2.{n}", f"password-{n}") for n in range(FLOOD)
    )
    assert await is_right(passwords, CROWD, "long-password", known_hash)
    await most_wait(flood)


async def test_a_registration_passes_a_flood_of_logins(passwords: Passwords) -> None:
    known_hash = await registered(passwords, CROWD, "long-password")
    flood = await asked(
        is_right(passwords, f"192.0.2.{n}", "wrong", known_hash) for n in range(FLOOD)
    )
    await registered(passwords, CROWD, "another-password")
    await most_wait(flood)


async def test_a_login_passes_forty_of_another_address(passwords: Passwords) -> None:
    known_hash = await registered(passwords, ALONE, "long-password")
    flood = await asked(is_right(passwords, CROWD, "wrong", None) for _ in range(FLOOD))
    assert await is_right(passwords, ALONE, "long-password", known_hash)
    await most_wait(flood)


async def test_a_registration_passes_twenty_of_another_address(passwords: Passwords) -> None:
    most = REGISTRATIONS.waiting_of_address_max
    flood = await asked(registered(passwords, CROWD, f"password-{n}") for n in range(most))
    await registered(passwords, ALONE, "long-password")
    await most_wait(flood)


@pytest.mark.parametrize("lane", ["logins", "registrations"])
async def test_an_address_s_full_line_says_so_and_leaves_others_theirs(
    lane: str, passwords: Passwords
) -> None:
    limits = {"logins": LOGINS, "registrations": REGISTRATIONS}[lane]
    full = 1 + limits.waiting_of_address_max
    flood = await asked(turn(getattr(passwords, lane), CROWD) for _ in range(full))
    with pytest.raises(Refused) as caught:
        await turn(getattr(passwords, lane), CROWD)
    assert caught.value.refusal == Refusal.UNAVAILABLE
    await turn(getattr(passwords, lane), ALONE)
    await asyncio.gather(*flood)


async def registered(passwords: Passwords, address: str, password: str) -> str:
    async with passwords.registrations.turn(address):
        return await passwords.hash(password)


async def is_right(
    passwords: Passwords, address: str, password: str, known_hash: str | None
) -> bool:
    async with passwords.logins.turn(address):
        right, _ = await passwords.verify(passwords.logins, password, known_hash)
        return right


async def turn(lane: Lane, address: str) -> None:
    async with lane.turn(address):
        await lane.run(str)


async def asked(work: Iterable[Coroutine[Any, Any, object]]) -> list[asyncio.Task[object]]:
    """All of it under way, or in line."""
    tasks = [asyncio.create_task(one) for one in work]
    await asyncio.sleep(0)
    return tasks


async def most_wait(flood: list[asyncio.Task[object]]) -> None:
    """More than half of the flood is still to be done; it is waited for."""
    waiting = [task for task in flood if not task.done()]
    await asyncio.gather(*flood)
    assert len(waiting) > len(flood) // 2
