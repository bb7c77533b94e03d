"""A burst of guesses does not pass the guard, and who is sent away has used nothing up."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Coroutine, Iterable
from typing import Any

import pytest

from api.credentials.login_guard import LoginGuard, NewAccounts
from api.credentials.passwords import REGISTRATIONS, Passwords
from api.desk.identity import Identity, log_in, register
from sim.refusals import Refusal, Refused
from storage.postgres.database import open_pool

CROWD, OTHER = "192.0.2.66", "192.0.2.7"
PASSWORD = "long-password"
LINE = REGISTRATIONS.waiting_of_address_max
ACCOUNTS = LINE + 2


@pytest.fixture
async def identity(database_url: str) -> AsyncIterator[Identity]:
    passwords = Passwords()
    async with await open_pool(database_url, 4) as pool:
        guard, accounts = LoginGuard("4/hour", None), NewAccounts(f"{ACCOUNTS}/hour", None)
        yield Identity(pool, passwords, guard, accounts, b"s" * 32)
    passwords.close()


async def answers(work: Iterable[Awaitable[int]]) -> Counter[str]:
    """How many were refused how, and how many were not."""
    found = await asyncio.gather(*work, return_exceptions=True)
    return Counter(str(one.refusal) if isinstance(one, Refused) else "OK" for one in found)


async def test_forty_guesses_at_once_are_no_more_than_one_after_another(
    identity: Identity,
) -> None:
    guesses = (log_in(identity, CROWD, "a@example.com", f"guess-{n}") for n in range(40))
    assert await answers(guesses) == {"INVALID_CREDENTIALS": 4, "RATE_LIMITED": 36}


async def test_forty_guesses_at_strangers_accounts_at_once_are_slowed_too(
    identity: Identity,
) -> None:
    guesses = (log_in(identity, CROWD, f"{n}@example.com", "guess") for n in range(40))
    assert await answers(guesses) == {"INVALID_CREDENTIALS": 20, "RATE_LIMITED": 20}


async def test_a_registration_that_finds_no_place_is_not_counted(identity: Identity) -> None:
    numbers = iter(range(1_000))

    def newcomers(times: int) -> list[Coroutine[Any, Any, int]]:
        return [
            register(identity, CROWD, f"{next(numbers)}@example.com", PASSWORD)
            for _ in range(times)
        ]

    async with identity.passwords.registrations.turn(OTHER):
        in_line = [asyncio.create_task(one) for one in newcomers(LINE)]
        await asyncio.sleep(0)
        assert await answers(newcomers(10)) == {str(Refusal.UNAVAILABLE): 10}
    assert await answers(in_line) == {"OK": LINE}
    assert await answers(newcomers(3)) == {"OK": 2, str(Refusal.RATE_LIMITED): 1}
