"""S15, S16: staying logged in, noticing a stolen refresh token, and logging out."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx
import pytest

from api.credentials.refresh_tokens import RefreshTokens, Shown, kept
from storage.people.login_sessions import GRACE_US, SESSIONS_MAX
from storage.servers.data_directory import secret
from tests.api.deployment import Deployment, error_of
from tests.waiting import eventually

PASSWORD = "long-password"
ENDED = 21_000
"""Logins that end at once: more than are read in one go."""

_numbers = itertools.count(1)


@pytest.fixture
def login(exchange: Deployment) -> dict[str, Any]:
    credentials = {"email": f"stays{next(_numbers)}@example.com", "password": PASSWORD}
    exchange.http.post("/auth/register", json=credentials)
    return dict(exchange.http.post("/auth/login", json=credentials).json())


def refresh(exchange: Deployment, token: str) -> httpx.Response:
    return exchange.http.post("/auth/refresh", json={"refreshToken": token})


def is_out(exchange: Deployment, token: str) -> bool:
    return balances(exchange, token) == 401


def balances(exchange: Deployment, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return exchange.http.get("/balances", headers=headers).status_code


def email_of(exchange: Deployment, number: int) -> str:
    row = exchange.database.execute("SELECT email FROM users WHERE id = %s", (number,)).fetchone()
    assert row is not None
    return str(row[0])


def after_the_grace(exchange: Deployment) -> None:
    exchange.database.execute(
        "UPDATE login_sessions SET refreshed_at_us = refreshed_at_us - %s", (GRACE_US + 1,)
    )


def test_a_login_answers_a_refresh_token_and_how_long_it_lives(login: dict[str, Any]) -> None:
    assert set(login) == {"token", "userId", "expiresIn", "refreshToken", "refreshExpiresIn"}
    assert login["refreshExpiresIn"] > login["expiresIn"] == 900


def test_a_refresh_is_the_same_user_with_two_new_tokens(
    exchange: Deployment, login: dict[str, Any]
) -> None:
    next_one = refresh(exchange, login["refreshToken"])
    assert next_one.status_code == 200
    assert set(next_one.json()) == set(login)
    assert next_one.json()["userId"] == login["userId"]
    assert next_one.json()["token"] != login["token"]
    assert next_one.json()["refreshToken"] != login["refreshToken"]
    assert balances(exchange, next_one.json()["token"]) == 200
    assert refresh(exchange, next_one.json()["refreshToken"]).status_code == 200


def test_s15_ten_refreshes_at_once_are_one_chain(
    exchange: Deployment, login: dict[str, Any]
) -> None:
    def one(_: int) -> httpx.Response:
        return refresh(exchange, login["refreshToken"])

    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(one, range(10)))
    assert {answer.status_code for answer in answers} == {200}
    successors = {answer.json()["refreshToken"] for answer in answers}
    assert len(successors) == 1
    assert refresh(exchange, successors.pop()).status_code == 200


def test_s15_a_token_used_twice_ends_the_login_and_both_tokens(
    exchange: Deployment, login: dict[str, Any]
) -> None:
    second = refresh(exchange, login["refreshToken"]).json()
    after_the_grace(exchange)
    thief = refresh(exchange, login["refreshToken"])
    assert error_of(thief) == (401, "UNAUTHENTICATED")
    assert error_of(refresh(exchange, second["refreshToken"])) == (401, "UNAUTHENTICATED")
    for token in (login["token"], second["token"]):
        eventually(partial(is_out, exchange, token))


def test_s15_an_old_token_ends_the_login_also_right_after_a_refresh(
    exchange: Deployment, login: dict[str, Any]
) -> None:
    second = refresh(exchange, login["refreshToken"]).json()
    third = refresh(exchange, second["refreshToken"]).json()
    assert refresh(exchange, login["refreshToken"]).status_code == 401
    assert refresh(exchange, third["refreshToken"]).status_code == 401


def test_s15_another_logins_tokens_are_not_touched(
    exchange: Deployment, login: dict[str, Any]
) -> None:
    credentials = {"email": "two-places@example.com", "password": PASSWORD}
    exchange.http.post("/auth/register", json=credentials)
    here, there = (exchange.http.post("/auth/login", json=credentials).json() for _ in range(2))
    exchange.http.post("/auth/logout", json={"refreshToken": here["refreshToken"]})
    assert refresh(exchange, here["refreshToken"]).status_code == 401
    assert balances(exchange, here["token"]) == 401
    assert balances(exchange, there["token"]) == 200
    assert refresh(exchange, there["refreshToken"]).status_code == 200


def test_s15_the_database_holds_hashes_only(exchange: Deployment, login: dict[str, Any]) -> None:
    session_id = login["refreshToken"].split("_")[1]
    row = exchange.database.execute(
        "SELECT token_hash, login_sessions::text FROM login_sessions WHERE id = %s", (session_id,)
    ).fetchone()
    assert row is not None
    assert bytes(row[0]) == kept(login["refreshToken"])
    assert login["refreshToken"].split("_", 3)[3] not in row[1]


def test_an_expired_refresh_token_says_so(exchange: Deployment, login: dict[str, Any]) -> None:
    session_id = login["refreshToken"].split("_")[1]
    exchange.database.execute(
        "UPDATE login_sessions SET expires_at_us = 1 WHERE id = %s", (session_id,)
    )
    refused = refresh(exchange, login["refreshToken"])
    assert error_of(refused) == (401, "UNAUTHENTICATED")
    assert "expired" in refused.json()["error"]["message"]


def test_a_disabled_user_is_not_refreshed(exchange: Deployment, login: dict[str, Any]) -> None:
    number = int(login["userId"].removeprefix("user_"))
    exchange.database.execute("UPDATE users SET status = 'DISABLED' WHERE id = %s", (number,))
    assert error_of(refresh(exchange, login["refreshToken"])) == (401, "UNAUTHENTICATED")


def test_a_forged_refresh_token_neither_opens_nor_ends_anything(
    exchange: Deployment, login: dict[str, Any]
) -> None:
    real = login["refreshToken"]
    session_id = real.split("_")[1]
    forged = RefreshTokens(b"\0" * 32, 60).write(Shown(session_id, 0))
    swapped = real.replace("_0_", "_1_", 1)
    for text in (forged, swapped, real[:-1], real + "A", "sr_", "", "x" * 1_025, login["token"]):
        assert refresh(exchange, text).status_code in (400, 401)
        exchange.http.post("/auth/logout", json={"refreshToken": text})
    assert balances(exchange, login["token"]) == 200
    assert refresh(exchange, real).status_code == 200


def test_a_token_of_another_database_opens_nothing(exchange: Deployment) -> None:
    ours = RefreshTokens(secret(exchange.data_dir / "auth.secret"), 60)
    assert error_of(refresh(exchange, ours.write(Shown("0" * 32, 0)))) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("which", ["token", "refreshToken"])
def test_the_two_tokens_are_not_taken_for_each_other(
    which: str, exchange: Deployment, login: dict[str, Any]
) -> None:
    assert balances(exchange, login["refreshToken"]) == 401
    assert refresh(exchange, login[which]).status_code == (200 if which == "refreshToken" else 401)


def test_s16_logging_out_again_is_the_same(exchange: Deployment, login: dict[str, Any]) -> None:
    sent = {"refreshToken": login["refreshToken"]}
    for _ in range(2):
        answer = exchange.http.post("/auth/logout", json=sent)
        assert (answer.status_code, answer.json()) == (200, {"status": "LOGGED_OUT"})
    assert balances(exchange, login["token"]) == 401


def test_s16_a_login_that_another_process_ended_opens_nothing_within_seconds(
    exchange: Deployment, login: dict[str, Any]
) -> None:
    """As it would be written by that other process."""
    session_id = login["refreshToken"].split("_")[1]
    exchange.database.execute(
        "INSERT INTO ended_sessions VALUES (%s, extract(epoch FROM now())::bigint * 1000000)",
        (session_id,),
    )
    eventually(lambda: balances(exchange, login["token"]) == 401, 5)


def test_s16_however_many_logins_have_ended_each_of_them_opens_nothing(
    exchange: Deployment, login: dict[str, Any]
) -> None:
    """The others end at one moment, and the one that is looked at right after them."""
    session_id = login["refreshToken"].split("_")[1]
    exchange.database.execute(
        "INSERT INTO ended_sessions SELECT id, extract(epoch FROM now())::bigint * 1000000 + later"
        " FROM (SELECT 'crowd' || n, 0 FROM generate_series(1, %s) AS n"
        " UNION ALL SELECT %s, 1) AS ended(id, later)",
        (ENDED, session_id),
    )
    try:
        eventually(lambda: balances(exchange, login["token"]) == 401, 10)
    finally:
        exchange.database.execute("DELETE FROM ended_sessions WHERE id LIKE 'crowd%'")


def test_the_login_that_makes_room_for_another_opens_nothing_within_seconds(
    exchange: Deployment, login: dict[str, Any]
) -> None:
    number = int(login["userId"].removeprefix("user_"))
    exchange.database.execute(
        "INSERT INTO login_sessions SELECT 'later' || %s || '-' || n, %s, 0, '', n, n,"
        " 9e18::bigint FROM generate_series(9e17::bigint, 9e17::bigint + %s) AS n",
        (number, number, SESSIONS_MAX - 2),
    )
    assert balances(exchange, login["token"]) == 200
    again = {"email": email_of(exchange, number), "password": PASSWORD}
    newest = exchange.http.post("/auth/login", json=again).json()
    eventually(lambda: balances(exchange, login["token"]) == 401, 10)
    assert balances(exchange, newest["token"]) == 200
    assert refresh(exchange, login["refreshToken"]).status_code == 401


def test_a_user_has_a_bounded_number_of_logins(exchange: Deployment, login: dict[str, Any]) -> None:
    number = int(login["userId"].removeprefix("user_"))
    exchange.database.execute(
        "INSERT INTO login_sessions SELECT 'filler' || n, %s, 0, '', n, n, 9e18::bigint"
        " FROM generate_series(1, %s) AS n",
        (number, SESSIONS_MAX + 5),
    )
    again = {"email": email_of(exchange, number), "password": PASSWORD}
    assert exchange.http.post("/auth/login", json=again).status_code == 200
    count = exchange.database.execute(
        "SELECT count(*), bool_or(id = 'filler1') FROM login_sessions WHERE user_id = %s", (number,)
    ).fetchone()
    assert count == (SESSIONS_MAX, False)
    assert refresh(exchange, login["refreshToken"]).status_code == 200
