"""Failed logins are counted in Valkey for all processes, and by oneself while it is away."""

from collections.abc import AsyncIterator

import pytest

from api.credentials.login_guard import LoginGuard, pair_key
from sim.refusals import Refusal, Refused
from storage.people.limit_counters import CounterStore, MemoryCounters, ValkeyCounters
from storage.servers.embedded import EmbeddedValkey

ADDRESS = "192.0.2.7"


async def is_slowed(
    guard: LoginGuard, account: str, address: str = ADDRESS, known: bool = False
) -> bool:
    async def is_known() -> bool:
        return known

    try:
        await guard.check(address, account, is_known)
    except Refused as refused:
        return refused.refusal == Refusal.RATE_LIMITED and "retry_after" in refused.details
    return False


async def fail(guard: LoginGuard, account: str, times: int, address: str = ADDRESS) -> None:
    for _ in range(times):
        await guard.failed(address, account)


@pytest.fixture(params=["memory", "valkey"])
async def store(request: pytest.FixtureRequest, shared: ValkeyCounters) -> CounterStore:
    return MemoryCounters() if request.param == "memory" else shared


@pytest.fixture
async def shared(redis_url: str, valkey: EmbeddedValkey) -> AsyncIterator[ValkeyCounters]:
    failures = ValkeyCounters(valkey.limits_url)
    yield failures
    await failures.close()


async def test_the_allowed_failures_cost_nothing_and_the_next_doubles(
    store: CounterStore,
) -> None:
    guard = LoginGuard("4/minute", store)
    await fail(guard, "a", 3)
    assert not await is_slowed(guard, "a")
    waits = []
    for _ in range(4):
        await guard.failed(ADDRESS, "a")
        waits.append(await store.wait_s([pair_key(ADDRESS, "a")]))
    assert waits == [1, 2, 4, 8]
    assert not await is_slowed(guard, "b")


async def test_a_right_password_clears_its_account(store: CounterStore) -> None:
    guard = LoginGuard("2/minute", store)
    await fail(guard, "a", 3)
    assert await is_slowed(guard, "a")
    await guard.succeeded(ADDRESS, "a")
    assert not await is_slowed(guard, "a")


async def test_an_address_that_tries_many_accounts_is_slowed(store: CounterStore) -> None:
    guard = LoginGuard("2/minute", store)
    for number in range(10):
        await fail(guard, f"account{number}", 1)
    assert await is_slowed(guard, "another")
    assert not await is_slowed(guard, "another", "192.0.2.8")


async def test_a_strangers_guesses_do_not_hold_up_the_owner(store: CounterStore) -> None:
    guard = LoginGuard("2/minute", store)
    await fail(guard, "a", 9, "192.0.2.66")
    assert await is_slowed(guard, "a", "192.0.2.66")
    assert not await is_slowed(guard, "a")


async def test_guessing_from_many_addresses_is_slowed_but_not_a_known_address(
    store: CounterStore,
) -> None:
    guard = LoginGuard("2/minute", store)
    for number in range(20):
        await fail(guard, "a", 1, f"198.51.100.{number}")
    assert await is_slowed(guard, "a", "203.0.113.9")
    assert not await is_slowed(guard, "a", ADDRESS, known=True)
    assert not await is_slowed(guard, "b", "203.0.113.9")


async def test_a_known_address_waits_for_its_own_wrong_guesses(store: CounterStore) -> None:
    guard = LoginGuard("2/minute", store)
    await fail(guard, "a", 2)
    assert await is_slowed(guard, "a", ADDRESS, known=True)


async def test_a_neighbours_guesses_at_others_do_not_hold_up_a_known_address(
    store: CounterStore,
) -> None:
    guard = LoginGuard("2/minute", store)
    for number in range(10):
        await fail(guard, f"account{number}", 1)
    assert await is_slowed(guard, "a")
    assert not await is_slowed(guard, "a", known=True)


async def test_no_wait_is_longer_than_a_quarter_of_an_hour(store: CounterStore) -> None:
    guard = LoginGuard("1/minute", store)
    await fail(guard, "a", 40)
    assert await store.wait_s([pair_key(ADDRESS, "a")]) == 900


async def test_processes_count_together(shared: ValkeyCounters) -> None:
    one, other = LoginGuard("4/minute", shared), LoginGuard("4/minute", shared)
    await fail(one, "a", 2)
    await fail(other, "a", 3)
    assert await is_slowed(one, "a")


async def test_the_users_for_limits_may_do_all_of_it(
    redis_url: str, valkey: EmbeddedValkey
) -> None:
    failures = ValkeyCounters(valkey.limits_url)
    guard = LoginGuard("1/minute", failures)
    await fail(guard, "a", 2)
    assert await is_slowed(guard, "a")
    await guard.succeeded(ADDRESS, "a")
    await failures.close()


async def test_while_valkey_is_away_half_as_many_are_allowed() -> None:
    guard = LoginGuard("4/minute", ValkeyCounters("redis://127.0.0.1:1/0"))
    await fail(guard, "a", 2)
    assert await is_slowed(guard, "a")
    await guard.succeeded(ADDRESS, "a")
    assert not await is_slowed(guard, "a")
