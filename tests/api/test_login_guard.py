"""Failed logins are counted in Valkey for all processes, and by oneself while it is away."""

from collections.abc import AsyncIterator

import pytest

from api.limits import LoginGuard
from sim.refusals import Refusal, Refused
from storage.embedded import EmbeddedValkey
from storage.login_failures import FailureStore, MemoryFailures, ValkeyFailures

ADDRESS = "192.0.2.7"


async def is_slowed(guard: LoginGuard, account: str, address: str = ADDRESS) -> bool:
    try:
        await guard.check(address, account)
    except Refused as refused:
        return refused.refusal == Refusal.RATE_LIMITED and "retryAfter" in refused.details
    return False


async def fail(guard: LoginGuard, account: str, times: int, address: str = ADDRESS) -> None:
    for _ in range(times):
        await guard.failed(address, account)


@pytest.fixture(params=["memory", "valkey"])
async def store(request: pytest.FixtureRequest, shared: ValkeyFailures) -> FailureStore:
    return MemoryFailures() if request.param == "memory" else shared


@pytest.fixture
async def shared(redis_url: str) -> AsyncIterator[ValkeyFailures]:
    failures = ValkeyFailures(redis_url)
    yield failures
    await failures.close()


async def test_the_allowed_failures_cost_nothing_and_the_next_doubles(
    store: FailureStore,
) -> None:
    guard = LoginGuard("4/minute", store)
    await fail(guard, "a", 3)
    assert not await is_slowed(guard, "a")
    waits = []
    for _ in range(4):
        await guard.failed(ADDRESS, "a")
        waits.append(await store.wait_s(["account:a"]))
    assert waits == [1, 2, 4, 8]
    assert not await is_slowed(guard, "b")


async def test_a_right_password_clears_its_account(store: FailureStore) -> None:
    guard = LoginGuard("2/minute", store)
    await fail(guard, "a", 3)
    assert await is_slowed(guard, "a")
    await guard.succeeded("a")
    assert not await is_slowed(guard, "a")


async def test_an_address_that_tries_many_accounts_is_slowed(store: FailureStore) -> None:
    guard = LoginGuard("2/minute", store)
    for number in range(10):
        await fail(guard, f"account{number}", 1)
    assert await is_slowed(guard, "another")
    assert not await is_slowed(guard, "another", "192.0.2.8")


async def test_no_wait_is_longer_than_a_quarter_of_an_hour(store: FailureStore) -> None:
    guard = LoginGuard("1/minute", store)
    await fail(guard, "a", 40)
    assert await store.wait_s(["account:a"]) == 900


async def test_processes_count_together(shared: ValkeyFailures) -> None:
    one, other = LoginGuard("4/minute", shared), LoginGuard("4/minute", shared)
    await fail(one, "a", 2)
    await fail(other, "a", 3)
    assert await is_slowed(one, "a")


async def test_the_users_for_limits_may_do_all_of_it(
    redis_url: str, valkey: EmbeddedValkey
) -> None:
    failures = ValkeyFailures(valkey.limits_url)
    guard = LoginGuard("1/minute", failures)
    await fail(guard, "a", 2)
    assert await is_slowed(guard, "a")
    await guard.succeeded("a")
    await failures.close()


async def test_while_valkey_is_away_half_as_many_are_allowed() -> None:
    guard = LoginGuard("4/minute", ValkeyFailures("redis://127.0.0.1:1/0"))
    await fail(guard, "a", 2)
    assert await is_slowed(guard, "a")
    await guard.succeeded("a")
    assert not await is_slowed(guard, "a")
