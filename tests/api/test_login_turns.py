"""A burst of guesses does not pass the guard, and who is sent away has used nothing up."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Coroutine, Iterable
from typing import Any

import pytest
from pwdlib import PasswordHash

from api.credentials.login_guard import LoginGuard, NewAccounts
from api.credentials.passwords import REGISTRATIONS, Passwords
from api.desk.identity import Identity, Registered, log_in, register
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


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that passwords are compared with."""
    hashes = list[str]()
    verify = PasswordHash.verify_and_update

    def noted(hasher: PasswordHash, password: str, known: str) -> tuple[bool, str | None]:
        hashes.append(known)
        return verify(hasher, password, known)

    monkeypatch.setattr(PasswordHash, "verify_and_update", noted)
    return hashes


def cost_of(hashed: str) -> str:
    """Algorithm, version, memory, passes and lanes: all of a hash but what is random in it."""
    return hashed.rsplit("$", 2)[0]


async def answers(work: Iterable[Awaitable[object]]) -> Counter[str]:
    """How many were refused how, and how many were not."""
    found = await asyncio.gather(*work, return_exceptions=True)
    return Counter(str(one.refusal) if isinstance(one, Refused) else "OK" for one in found)


async def test_s19_nobodys_password_costs_what_a_wrong_one_costs(
    identity: Identity, compared: list[str]
) -> None:
    """The same hash is computed once, so that how long it takes tells nothing."""
    await register(identity, OTHER, "known@example.com", PASSWORD)
    for email in ("known@example.com", "unknown@example.com", "no address"):
        with pytest.raises(Refused) as caught:
            await log_in(identity, CROWD, email, "wrong-password")
        assert caught.value.refusal == Refusal.INVALID_CREDENTIALS
    assert len(compared) == 3
    assert len({cost_of(one) for one in compared}) == 1


async def test_s17_a_password_of_another_length_is_never_hashed(
    identity: Identity, compared: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PasswordHash, "hash", lambda _, password: compared.append(password))
    for length in (0, 7, 129, 10_000):
        with pytest.raises(Refused):
            await register(identity, OTHER, "length@example.com", "x" * length)
    with pytest.raises(Refused):
        await log_in(identity, OTHER, "length@example.com", "x" * 129)
    assert compared == []


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

    def newcomers(times: int) -> list[Coroutine[Any, Any, Registered]]:
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
