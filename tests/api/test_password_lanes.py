"""A flood of registrations and logins do not wait for each other."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from api.passwords import REGISTRATIONS_WAITING_MAX, Passwords
from sim.refusals import Refusal, Refused

FLOOD = 40


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    opened = Passwords()
    yield opened
    opened.close()


async def test_a_login_passes_a_flood_of_registrations(passwords: Passwords) -> None:
    known_hash = await passwords.hash("long-password")
    flood = [asyncio.create_task(passwords.hash(f"password-{n}")) for n in range(FLOOD)]
    await asyncio.sleep(0)
    assert await passwords.verify(passwords.logins, "long-password", known_hash) == (True, None)
    waiting = [task for task in flood if not task.done()]
    await asyncio.gather(*flood)
    assert len(waiting) > FLOOD // 2


async def test_a_registration_passes_a_flood_of_logins(passwords: Passwords) -> None:
    known_hash = await passwords.hash("long-password")
    flood = [
        asyncio.create_task(passwords.verify(passwords.logins, "wrong", known_hash))
        for _ in range(FLOOD)
    ]
    await asyncio.sleep(0)
    await passwords.hash("another-password")
    waiting = [task for task in flood if not task.done()]
    await asyncio.gather(*flood)
    assert len(waiting) > FLOOD // 2


async def test_a_full_lane_says_so_and_leaves_the_other_open(passwords: Passwords) -> None:
    flood = [
        asyncio.create_task(passwords.hash(f"password-{n}"))
        for n in range(REGISTRATIONS_WAITING_MAX)
    ]
    await asyncio.sleep(0)
    with pytest.raises(Refused) as caught:
        await passwords.hash("one too many")
    assert caught.value.refusal == Refusal.UNAVAILABLE
    assert await passwords.verify(passwords.logins, "any", None) == (False, None)
    await asyncio.gather(*flood)
