"""S7, S17, S18, S19: passwords, guessing them, and what strangers can learn."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.api.deployment import Deployment, error_of
from tests.waiting import PROGRAM_S_MAX, eventually

PASSWORD = "long-password"


def register(deployment: Deployment, email: str, password: str = PASSWORD) -> httpx.Response:
    return deployment.http.post("/auth/register", json={"email": email, "password": password})


def log_in(deployment: Deployment, email: str, password: str = PASSWORD) -> httpx.Response:
    return deployment.http.post("/auth/login", json={"email": email, "password": password})


def test_s17_the_stored_hash_is_argon2id_with_enough_memory(exchange: Deployment) -> None:
    register(exchange, "hash@example.com")
    row = exchange.database.execute(
        "SELECT password_hash FROM users WHERE email = 'hash@example.com'"
    ).fetchone()
    assert row is not None
    kind, version, parameters = row[0].split("$")[1:4]
    memory = dict(pair.split("=") for pair in parameters.split(","))
    assert (kind, version) == ("argon2id", "v=19")
    assert int(memory["m"]) >= 19_456
    assert int(memory["t"]) >= 2


@pytest.mark.parametrize("length", [0, 7, 129, 1_000, 10_000])
def test_s17_a_password_of_another_length_is_refused(length: int, exchange: Deployment) -> None:
    refused = register(exchange, "length@example.com", "x" * length)
    assert refused.status_code == 400


def test_s17_nothing_of_a_long_password_is_cut_off(exchange: Deployment) -> None:
    password = "x" * 127
    register(exchange, "cut@example.com", password + "a")
    assert log_in(exchange, "cut@example.com", password + "a").status_code == 200
    assert log_in(exchange, "cut@example.com", password + "b").status_code == 401


def test_s17_fifty_logins_at_once_are_all_answered_and_so_is_health(exchange: Deployment) -> None:
    emails = [f"parallel{number}@example.com" for number in range(5)]
    for email in emails:
        register(exchange, email)
    with ThreadPoolExecutor(len(emails) * 10) as threads:
        logins = [threads.submit(log_in, exchange, email) for email in emails * 10]
        assert exchange.http.get("/health").status_code == 200
        assert not all(login.done() for login in logins)
        assert {login.result(PROGRAM_S_MAX).status_code for login in logins} == {200}


@pytest.mark.parametrize("email", ["", "x", "a@b", "a@@b.c", "a b@c.de", "a@b.", "a@.b", "@b.cd"])
def test_what_is_no_address_is_refused(email: str, exchange: Deployment) -> None:
    assert register(exchange, email).status_code == 400


def test_nobody_has_an_address_that_cannot_be_stored(exchange: Deployment) -> None:
    assert log_in(exchange, "no\u0000body@example.com").status_code == 401


def test_addresses_are_the_same_in_any_case(exchange: Deployment) -> None:
    first = register(exchange, "Case@Example.com")
    assert register(exchange, "case@example.COM").json() == first.json()
    assert log_in(exchange, "CASE@example.com").json()["userId"] == first.json()["userId"]


def test_s18_guessing_is_slowed_down_and_never_locked_for_good(tight: Deployment) -> None:
    register(tight, "guessed@example.com")
    statuses = [log_in(tight, "guessed@example.com", f"guess-{n}").status_code for n in range(8)]
    assert statuses[:3] == [401, 401, 401]
    assert 429 in statuses
    refused = log_in(tight, "guessed@example.com")
    assert error_of(refused) == (429, "RATE_LIMITED")
    within_s = int(refused.headers["Retry-After"]) + 1
    eventually(lambda: log_in(tight, "guessed@example.com").status_code == 200, within_s)


def test_s18_forwarded_headers_are_nobodys_address(tight: Deployment) -> None:
    for number in range(6):
        refused = tight.http.post(
            "/auth/login",
            json={"email": "forwarded@example.com", "password": f"guess-{number}"},
            headers={"X-Forwarded-For": f"10.0.0.{number}", "Forwarded": f"for=10.0.0.{number}"},
        )
    assert refused.status_code == 429


def test_s18_registering_is_no_way_around_the_limit(tight: Deployment) -> None:
    register(tight, "oracle@example.com")
    answers = [register(tight, "oracle@example.com", f"guess-{n:04}") for n in range(6)]
    assert answers[-1].status_code == 429


def test_s19_unknown_address_and_wrong_password_look_alike(exchange: Deployment) -> None:
    register(exchange, "known@example.com")
    known, unknown = "known@example.com", "unknown@example.com"
    wrong, nobody = log_in(exchange, known, "wrong-password"), log_in(exchange, unknown)
    assert error_of(wrong) == (401, "INVALID_CREDENTIALS")
    assert wrong.content == nobody.content


def test_s19_registering_a_taken_address_looks_like_a_new_one(exchange: Deployment) -> None:
    first = register(exchange, "taken@example.com")
    decoy = register(exchange, "taken@example.com", "another-password")
    assert (decoy.status_code, set(decoy.json())) == (201, {"userId"})
    assert decoy.json() != first.json()
    user_id = int(decoy.json()["userId"].removeprefix("user_"))
    for table in ("users", "accounts"):
        found = exchange.database.execute(f"SELECT 1 FROM {table} WHERE id = %s", (user_id,))
        assert found.fetchone() is None
    assert log_in(exchange, "taken@example.com", "another-password").status_code == 401
    assert log_in(exchange, "taken@example.com").json()["userId"] == first.json()["userId"]


def test_s7_no_registration_here_ever_becomes_admin(exchange: Deployment) -> None:
    def one(number: int) -> httpx.Response:
        return register(exchange, f"first{number}@example.com")

    with ThreadPoolExecutor(10) as threads:
        assert {answer.status_code for answer in threads.map(one, range(10))} == {201}
    rows = exchange.database.execute(
        "SELECT DISTINCT role, status FROM users WHERE email LIKE 'first%@example.com'"
    ).fetchall()
    assert rows == [("TRADER", "ACTIVE")]


def test_ten_registrations_of_one_address_at_once_are_one_user(exchange: Deployment) -> None:
    def one(_: int) -> httpx.Response:
        return register(exchange, "race@example.com")

    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(one, range(10)))
    assert len({answer.json()["userId"] for answer in answers}) == 1
