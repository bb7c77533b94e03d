"""The trading app's people: the first ADMIN, who waits, and what ADMINs change."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from api.havencap.answers import PENDING_MESSAGE
from sim.roles import Role
from storage.people.accounts import give_role
from tests.api.browsers import (
    NUMBERS,
    PASSWORD,
    Browser,
    client,
    close_all,
    error_of,
    people,
    without_anybody,
)
from tests.api.deployment import Deployment

OPENING = {"USDC": "200000", "USDT": "200000", "ETH": "20"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
RACERS, RACES = 50, 3


def balances_of(app: Deployment, token: str) -> dict[str, str]:
    answer = app.http.get("/balances", headers={"Authorization": f"Bearer {token}"})
    return {row["asset"]: row["total"] for row in answer.json()}


def test_the_first_who_joins_is_an_admin_and_logged_in(app: Deployment) -> None:
    without_anybody(app)
    browser = Browser(app)
    answer = browser.joins()
    body = answer.json()
    assert (answer.status_code, set(body)) == (201, {"user", "accessToken"})
    assert set(body["user"]) == {"userId", "email", "role", "createdAt"}
    assert (body["user"]["email"], body["user"]["role"]) == (browser.email, "ADMIN")
    assert TIME.fullmatch(body["user"]["createdAt"])
    assert browser.cookies["auth_token"] == body["accessToken"]
    assert browser.http.get("/api/auth/me").json() == {"user": body["user"]}
    assert balances_of(app, body["accessToken"]) == OPENING


def test_who_joins_later_waits_and_is_answered_as_one_who_is_known(
    app: Deployment, admin: Browser
) -> None:
    later = Browser(app)
    first, again = later.joins(), later.joins()
    stranger = later.http.post(
        "/api/auth/register", json={"email": later.email, "password": "another-password"}
    )
    for answer in (first, again, stranger):
        assert (answer.status_code, answer.json()) == (201, {"message": PENDING_MESSAGE})
        assert "set-cookie" not in answer.headers
    assert [row["email"] for row in people(admin)].count(later.email) == 1


def test_s7_of_many_who_are_first_at_once_one_is_the_admin(app: Deployment) -> None:
    for _ in range(RACES):
        without_anybody(app)
        racers = [Browser(app, "racer") for _ in range(RACERS)]
        with ThreadPoolExecutor(RACERS) as threads:
            answers = list(threads.map(Browser.joins, racers))
        assert {answer.status_code for answer in answers} <= {201, 503}, "a line has an end"
        assert sum("accessToken" in answer.json() for answer in answers) == 1
        close_all()
        row = app.database.execute("SELECT count(*) FROM users WHERE role = 'ADMIN'").fetchone()
        assert row == (1,)


def test_s7_when_the_first_is_gone_the_way_stays_closed(app: Deployment, admin: Browser) -> None:
    app.database.execute("UPDATE users SET status = 'DISABLED', role = 'VIEWER'")
    assert Browser(app).joins().json() == {"message": PENDING_MESSAGE}
    assert app.database.execute("SELECT 1 FROM users WHERE role = 'ADMIN'").fetchone() is None


def test_who_registers_with_flux_never_takes_the_first_place(app: Deployment) -> None:
    without_anybody(app)
    credentials = {"email": f"flux{next(NUMBERS)}@example.com", "password": PASSWORD}
    assert app.http.post("/auth/register", json=credentials).status_code == 201
    assert app.http.post("/api/auth/register", json=credentials).json() == {
        "message": PENDING_MESSAGE
    }
    assert "accessToken" in Browser(app).joins().json()


def test_who_waits_may_look_at_themselves_and_leave_and_nothing_else(newcomer: Browser) -> None:
    assert newcomer.http.get("/api/auth/me").json()["user"]["role"] == "PENDING"
    token = newcomer.cookies["auth_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    alone = client(newcomer.app)
    for method, path in (
        ("GET", "/balances"),
        ("GET", "/orders"),
        ("GET", "/account"),
        ("DELETE", "/orders"),
        ("POST", "/deposits"),
        ("POST", "/orders"),
    ):
        body = {
            "/deposits": {"asset": "USDC", "amount": "1"},
            "/orders": {"marketId": "BTC-PERP", "side": "BUY", "type": "LIMIT", "quantity": "1",
                        "price": "60000"},
        }  # fmt: skip
        sent = body.get(path) if method == "POST" else None
        assert alone.request(method, path, json=sent, headers=bearer).status_code == 403, path
    assert error_of(newcomer.http.get("/api/admin/users")) == 403
    assert newcomer.http.post("/api/auth/logout").json() == {"message": "Logged out"}


def test_an_admin_approves_and_the_opening_balance_comes_once(
    app: Deployment, admin: Browser, newcomer: Browser
) -> None:
    user_id, token = newcomer.user_id, newcomer.cookies["auth_token"]
    answer = admin.changes(user_id, role="OPERATOR", status="ACTIVE")
    assert answer.status_code == 200, answer.text
    user = answer.json()["user"]
    assert set(user) == {"userId", "email", "role", "status", "createdAt"}
    assert (user["userId"], user["role"], user["status"]) == (user_id, "OPERATOR", "ACTIVE")
    assert newcomer.http.get("/api/auth/me").json()["user"]["role"] == "OPERATOR"
    assert balances_of(app, token) == OPENING
    for status in ("DISABLED", "ACTIVE"):
        assert admin.changes(user_id, status=status).status_code == 200
    assert balances_of(app, token) == OPENING
    ledger = app.http.get("/ledger", headers={"Authorization": f"Bearer {token}"}).json()
    assert sorted((row["type"], row["asset"], row["amount"]) for row in ledger) == [
        ("DEPOSIT", "ETH", "20"),
        ("DEPOSIT", "USDC", "200000"),
        ("DEPOSIT", "USDT", "200000"),
    ]


def test_a_role_changes_what_a_live_token_opens_at_once(admin: Browser, newcomer: Browser) -> None:
    user_id = newcomer.user_id
    admin.changes(user_id, role="ADMIN", status="ACTIVE")
    assert newcomer.http.get("/api/admin/users").status_code == 200
    admin.changes(user_id, role="TRADER")
    assert error_of(newcomer.http.get("/api/admin/users")) == 403
    admin.changes(user_id, status="DISABLED")
    assert error_of(newcomer.http.get("/api/auth/me")) == 401
    assert error_of(newcomer.logs_in()) == 401


def test_s8_the_last_admin_stays(admin: Browser) -> None:
    for change in ({"role": "TRADER"}, {"status": "DISABLED"}):
        assert error_of(admin.changes(admin.user_id, **change)) == 409
    assert [row["status"] for row in people(admin) if row["role"] == "ADMIN"] == ["ACTIVE"]


def test_s8_of_two_admins_who_demote_each_other_one_remains(
    app: Deployment, admin: Browser, newcomer: Browser
) -> None:
    mine, other = admin.user_id, newcomer.user_id
    both = [int(user_id.removeprefix("user_")) for user_id in (mine, other)]
    for _ in range(5):
        app.database.execute(
            "UPDATE users SET role = 'ADMIN', status = 'ACTIVE' WHERE id = ANY(%s)", (both,)
        )
        with ThreadPoolExecutor(2) as threads:
            asked = [
                threads.submit(admin.changes, other, role="VIEWER"),
                threads.submit(newcomer.changes, mine, role="VIEWER"),
            ]
            answers = [one.result(20).status_code for one in asked]
        assert sorted(answers) in ([200, 403], [200, 409]), answers
        count = app.database.execute("SELECT count(*) FROM users WHERE role = 'ADMIN'").fetchone()
        assert count == (1,)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 400),
        ({"role": None}, 400),
        ({"status": "ACTIVE"}, 400),
        ({"role": "PENDING", "status": "ACTIVE"}, 400),
        ({"role": "KING"}, 400),
        ({"role": "ADMIN", "email": "x@example.com"}, 400),
        ({"role": "ADMIN", "userId": "user_1"}, 400),
        ({"role": 1}, 400),
    ],
)
def test_s5_what_no_admin_can_change_changes_nothing(
    change: dict[str, Any], status: int, admin: Browser, newcomer: Browser
) -> None:
    before = people(admin)
    answer = admin.http.patch(f"/api/admin/users/{newcomer.user_id}", json=change)
    assert error_of(answer) == status
    assert people(admin) == before


@pytest.mark.parametrize("user_id", ["user_999999", "user_01", "cm1abc123xyz", "user_9" * 9])
def test_an_unknown_user_is_404(user_id: str, admin: Browser) -> None:
    assert error_of(admin.changes(user_id, role="TRADER", status="ACTIVE")) == 404


def test_s5_who_joins_chooses_no_role(app: Deployment, admin: Browser) -> None:
    for more in ({"role": "ADMIN"}, {"status": "ACTIVE"}, {"userId": "user_1"}):
        body = Browser(app).credentials | more
        assert error_of(app.http.post("/api/auth/register", json=body)) == 400


def test_pages_of_people_hold_everybody_once(admin: Browser, newcomer: Browser) -> None:
    found, cursor = [], None
    while True:
        asked = {"limit": "7"} | ({"cursor": cursor} if cursor else {})
        answer = admin.http.get("/api/admin/users", params=asked)
        found += [row["userId"] for row in answer.json()["users"]]
        cursor = answer.headers.get("X-Next-Cursor")
        if cursor is None:
            break
    everybody = [row["userId"] for row in admin.http.get(
        "/api/admin/users", params={"limit": "500"}).json()["users"]]  # fmt: skip
    assert found == everybody
    asked = {"status": "PENDING", "limit": "500"}
    waiting = admin.http.get("/api/admin/users", params=asked).json()["users"]
    assert {row["status"] for row in waiting} == {"PENDING"}
    assert newcomer.user_id in {row["userId"] for row in waiting}
    assert error_of(admin.http.get("/api/admin/users", params={"status": "GONE"})) == 400
    assert error_of(admin.http.get("/api/admin/users", params={"cursor": "x"})) == 400


def test_one_person_through_two_families(
    app: Deployment, admin: Browser, newcomer: Browser
) -> None:
    user_id = newcomer.user_id
    admin.changes(user_id, role="TRADER", status="ACTIVE")
    login = app.http.post("/auth/login", json=newcomer.credentials).json()
    assert login["userId"] == user_id
    by_bearer = app.http.get("/balances", headers={"Authorization": f"Bearer {login['token']}"})
    assert {row["asset"]: row["total"] for row in by_bearer.json()} == OPENING


def test_who_is_kept_out_before_approval_gets_the_opening_balance_all_the_same(
    app: Deployment, admin: Browser, newcomer: Browser
) -> None:
    user_id = newcomer.user_id
    admin.changes(user_id, status="DISABLED")
    admin.changes(user_id, role="TRADER", status="ACTIVE")
    token = app.http.post("/auth/login", json=newcomer.credentials).json()["token"]
    assert balances_of(app, token) == OPENING


def test_who_came_by_flux_gets_none(app: Deployment, admin: Browser) -> None:
    credentials = {"email": f"flux{next(NUMBERS)}@example.com", "password": PASSWORD}
    user_id = app.http.post("/auth/register", json=credentials).json()["userId"]
    for change in (
        {"role": "PENDING", "status": "PENDING"},
        {"role": "TRADER", "status": "ACTIVE"},
    ):
        assert admin.changes(user_id, **change).status_code == 200
    token = app.http.post("/auth/login", json=credentials).json()["token"]
    assert balances_of(app, token) == {"USDC": "0"}


def test_a_role_from_outside_is_no_longer_waited_for(app: Deployment, newcomer: Browser) -> None:
    assert give_role(app.database, newcomer.email, Role.ADMIN)
    assert newcomer.http.get("/api/admin/users").status_code == 200
