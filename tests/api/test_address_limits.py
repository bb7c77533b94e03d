"""What one address may use, whatever tokens it holds, and what its neighbours keep."""

import itertools

import httpx
import pytest

from tests.api.conftest import BEHIND_A_PROXY
from tests.api.deployment import Deployment, Person, error_of, small_order

READS, ACCOUNTS, CANCELS, FAILURES = 30, 5, 5, 30
USERS = int(BEHIND_A_PROXY["SANDPIT_USERS_AN_ADDRESS"])
_numbers = itertools.count(1)


@pytest.fixture
def address() -> str:
    """An address that no other test has used."""
    return f"198.51.100.{next(_numbers)}"


def reads(person: Person | None, address: str, times: int, deployment: Deployment) -> list[int]:
    headers = (person.headers if person else {}) | {"X-Forwarded-For": address}
    return [deployment.http.get("/time", headers=headers).status_code for _ in range(times)]


def register(deployment: Deployment, address: str, email: str) -> httpx.Response:
    return deployment.http.post(
        "/auth/register",
        json={"email": email, "password": "long-password"},
        headers={"X-Forwarded-For": address},
    )


def log_in(deployment: Deployment, address: str, email: str, password: str) -> int:
    return deployment.http.post(
        "/auth/login",
        json={"email": email, "password": password},
        headers={"X-Forwarded-For": address},
    ).status_code


def test_more_tokens_are_not_more_requests(proxied: Deployment, address: str) -> None:
    people = [proxied.person() for _ in range(4)]
    statuses = [status for person in people for status in reads(person, address, READS, proxied)]
    assert statuses == [200] * (READS * USERS) + [429] * (READS * (4 - USERS))
    assert reads(people[3], "198.51.100.250", 1, proxied) == [200]


def test_guests_and_strangers_share_their_addresss_budget(
    proxied: Deployment, address: str
) -> None:
    headers = {"X-Forwarded-For": address}
    statuses = reads(None, address, READS + 1, proxied)
    assert statuses == [200] * READS + [429]
    for _ in range(3):
        guest = proxied.http.post("/auth/guest", headers=headers).json()
        token = {"Authorization": f"Bearer {guest['token']}"}
        statuses += [
            proxied.http.get("/time", headers=headers | token).status_code for _ in range(READS)
        ]
    assert statuses.count(200) == READS * USERS


def test_two_users_behind_one_address_have_all_of_their_own(
    proxied: Deployment, address: str
) -> None:
    first, second = proxied.person(), proxied.person()
    both = [
        reads(person, address, 1, proxied)[0] for _ in range(READS) for person in (first, second)
    ]
    assert set(both) == {200}


def test_knocking_in_vain_takes_nothing_from_a_neighbour(proxied: Deployment, address: str) -> None:
    greedy, modest = proxied.person(), proxied.person()
    assert reads(greedy, address, READS * 4, proxied).count(200) == READS
    assert set(reads(modest, address, READS, proxied)) == {200}


def test_an_ipv6_client_is_its_network(proxied: Deployment) -> None:
    statuses = [
        status for n in range(READS + 3) for status in reads(None, f"2001:db8:1::{n:x}", 1, proxied)
    ]
    assert statuses == [200] * READS + [429] * 3
    assert reads(None, "2001:db8:2::1", 1, proxied) == [200]


def test_what_a_client_writes_into_the_header_itself_changes_nothing(
    proxied: Deployment, address: str
) -> None:
    spoofed = [f"203.0.113.{n}, {address}, 10.1.2.3" for n in range(READS + 1)]
    statuses = [status for text in spoofed for status in reads(None, text, 1, proxied)]
    assert statuses == [200] * READS + [429]


def test_an_address_opens_a_bounded_number_of_accounts(proxied: Deployment, address: str) -> None:
    headers = {"X-Forwarded-For": address}
    for number in range(ACCOUNTS - 1):
        assert register(proxied, address, f"new{number}@example.com").status_code == 201
    assert register(proxied, address, "no address").status_code == 400
    assert proxied.http.post("/auth/guest", headers=headers).status_code == 201
    for refused in (
        register(proxied, address, "one-more@example.com"),
        proxied.http.post("/auth/guest", headers=headers),
    ):
        assert error_of(refused) == (429, "RATE_LIMITED")
        assert 0 < int(refused.headers["Retry-After"]) <= 3_600
    assert register(proxied, "198.51.100.251", "one-more@example.com").status_code == 201
    assert log_in(proxied, address, "new0@example.com", "long-password") == 200


def test_a_strangers_wrong_guesses_do_not_lock_the_owner_out(
    proxied: Deployment, address: str
) -> None:
    email = "guarded@example.com"
    register(proxied, "203.0.113.1", email)
    guesses = [log_in(proxied, address, email, f"guess-{n}") for n in range(8)]
    assert guesses[:3] == [401] * 3
    assert guesses[-1] == 429
    for place in ("203.0.113.1", "203.0.113.2"):
        assert log_in(proxied, place, email, "long-password") == 200


def test_guesses_from_everywhere_are_slowed_and_the_known_address_gets_through(
    proxied: Deployment,
) -> None:
    email = "besieged@example.com"
    register(proxied, "203.0.113.11", email)
    assert log_in(proxied, "203.0.113.12", email, "long-password") == 200
    guesses = [log_in(proxied, f"192.0.2.{n}", email, "wrong-guess") for n in range(FAILURES + 1)]
    assert guesses[:FAILURES] == [401] * FAILURES
    assert guesses[-1] == 429
    assert log_in(proxied, "203.0.113.13", email, "long-password") == 429
    for known in ("203.0.113.11", "203.0.113.12"):
        assert log_in(proxied, known, email, "long-password") == 200
    nobody = [log_in(proxied, f"192.0.2.{n}", "unknown@example.com", "x") for n in range(40, 80)]
    assert nobody[: len(guesses)] == guesses


def test_cancels_are_counted_for_the_address_too(proxied: Deployment, address: str) -> None:
    statuses = []
    for _ in range(USERS + 1):
        headers = proxied.person().headers | {"X-Forwarded-For": address}
        assert proxied.http.post("/orders", json=small_order(), headers=headers).status_code == 202
        statuses += [
            proxied.http.delete("/orders", headers=headers).status_code for _ in range(CANCELS)
        ]
    assert statuses == [202] * (CANCELS * USERS) + [429] * CANCELS
