"""S20, S21: the token that opens the explorer opens nothing else, and nothing else opens that."""

import re

import httpx
import pytest

from api.havencap.document import EXAMPLES
from api.havencap.envelope import error_body
from tests.api.browsers import Browser, client, error_of
from tests.api.deployment import Deployment

TOKEN = re.compile(r"hc_live_[0-9a-f]{40}", re.ASCII)
PATH = "/api/user/token"
EXPLORER = "/api/v1/transactions"
OTHERS = (
    "/api/auth/me",
    "/api/orders",
    "/api/user/token",
    "/api/admin/users",
    "/balances",
    "/orders",
    "/auth/api-keys",
)


@pytest.fixture
def trader(app: Deployment, admin: Browser, newcomer: Browser) -> Browser:
    """A TRADER with a cookie."""
    changed = admin.changes(newcomer.user_id, role="TRADER", status="ACTIVE")
    assert changed.status_code == 200
    return newcomer


def made(browser: Browser) -> str:
    answer = browser.http.post(PATH)
    assert answer.status_code == 201, answer.text
    assert set(answer.json()) == {"token"}
    assert "no-store" in answer.headers["cache-control"]
    token = str(answer.json()["token"])
    assert TOKEN.fullmatch(token)
    return token


def explores(app: Deployment, token: str, **headers: str) -> httpx.Response:
    return client(app).get(EXPLORER, headers={"Authorization": f"Bearer {token}"} | headers)


def test_there_is_none_then_one_then_none(app: Deployment, trader: Browser) -> None:
    assert trader.http.get(PATH).json() == {"exists": False}
    token = made(trader)
    told = trader.http.get(PATH)
    assert set(told.json()) == {"exists", "createdAt"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told.json()["createdAt"])
    assert token[8:] not in told.text
    assert explores(app, token).status_code == 200
    for _ in range(2):
        revoked = trader.http.delete(PATH)
        assert (revoked.status_code, revoked.json()) == (200, {"message": "Token revoked"})
    assert trader.http.get(PATH).json() == {"exists": False}
    assert error_of(explores(app, token)) == 401


def test_s20_a_second_token_ends_the_first_at_once(app: Deployment, trader: Browser) -> None:
    first = made(trader)
    assert explores(app, first).status_code == 200
    second = made(trader)
    assert first != second
    assert error_of(explores(app, first)) == 401
    assert explores(app, second).status_code == 200
    count = app.database.execute(
        "SELECT count(*) FROM app_tokens WHERE user_id = %s", (trader.user_id[5:],)
    )
    assert count.fetchone() == (1,)


def test_s20_nothing_that_is_kept_opens_anything(app: Deployment, trader: Browser) -> None:
    token = made(trader)
    kept = app.database.execute(
        "SELECT t::text, encode(token_hash, 'hex'), prefix FROM app_tokens t WHERE user_id = %s",
        (trader.user_id[5:],),
    ).fetchone()
    assert kept is not None
    row, token_hash, prefix = kept
    assert token[8:] not in row
    assert token[16:] not in row
    for guess in (token_hash[:40], f"{prefix}{token_hash[:32]}"):
        assert error_of(explores(app, f"hc_live_{guess}")) == 401
    assert token not in (app.data_dir / "api.log").read_text()


def test_s20_one_who_begins_alike_is_told_apart(
    app: Deployment, trader: Browser, admin: Browser
) -> None:
    tokens = [made(trader), made(admin)]
    app.database.execute("UPDATE app_tokens SET prefix = %s", (tokens[0][8:16],))
    assert explores(app, tokens[0]).status_code == 200
    wrong = tokens[0][:-1] + ("0" if tokens[0][-1] != "0" else "1")
    assert error_of(explores(app, wrong)) == 401


@pytest.mark.parametrize(
    "wrong",
    ["hc_live_", "hc_live_" + "a" * 39, "hc_live_" + "A" * 40, "hc_live_" + "a" * 40, "x"],
)
def test_what_is_no_token_is_401(wrong: str, app: Deployment) -> None:
    assert error_of(explores(app, wrong)) == 401


def test_it_opens_no_other_route(app: Deployment, trader: Browser) -> None:
    token = made(trader)
    for path in OTHERS:
        answer = client(app).get(path, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, path
    for method, path in (("POST", PATH), ("DELETE", PATH), ("DELETE", "/orders")):
        answer = client(app).request(method, path, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, path
    assert explores(app, token).status_code == 200


def test_no_cookie_no_bearer_of_a_login_and_no_key_opens_the_explorer(
    app: Deployment, trader: Browser
) -> None:
    login = app.http.post("/auth/login", json=trader.credentials).json()["token"]
    bearer = {"Authorization": f"Bearer {login}"}
    key = app.http.post(
        "/auth/api-keys", json={"name": "k", "scopes": ["read"]}, headers=bearer
    ).json()["key"]
    assert error_of(trader.http.get(EXPLORER)) == 401
    assert error_of(explores(app, login)) == 401
    assert error_of(client(app).get(EXPLORER, headers={"X-API-Key": key})) == 401
    assert error_of(client(app).get(EXPLORER)) == 401


def test_s21_a_request_shows_one_kind_of_credentials(app: Deployment, trader: Browser) -> None:
    token = made(trader)
    both = {"Authorization": f"Bearer {token}"}
    assert error_of(trader.http.get(EXPLORER, headers=both)) == 400
    assert error_of(explores(app, token, **{"X-API-Key": "sandpit_x"})) == 400
    wrong = {"Authorization": "Bearer hc_live_" + "a" * 40}
    for path in (EXPLORER, "/api/auth/me"):
        assert error_of(trader.http.get(path, headers=wrong)) == 401


def test_who_may_not_come_in_any_more_is_403_and_comes_back(
    app: Deployment, admin: Browser, trader: Browser
) -> None:
    token, user_id = made(trader), trader.user_id
    for change in ({"status": "DISABLED"}, {"role": "PENDING", "status": "PENDING"}):
        assert admin.changes(user_id, **change).status_code == 200
        assert error_of(explores(app, token)) == 403
    assert admin.changes(user_id, role="VIEWER", status="ACTIVE").status_code == 200
    assert explores(app, token).status_code == 200


def test_who_waits_for_approval_makes_none(newcomer: Browser) -> None:
    for method in ("GET", "POST", "DELETE"):
        assert error_of(newcomer.http.request(method, PATH)) == 403


def test_the_same_request_again_makes_no_other_token(app: Deployment, trader: Browser) -> None:
    headers = {"Idempotency-Key": "token-1"}
    first = trader.http.post(PATH, headers=headers)
    assert first.status_code == 201
    again = trader.http.post(PATH, headers=headers)
    assert error_of(again) == 409
    assert again.json() == error_body(*EXAMPLES["makeAppToken"][409])
    assert explores(app, first.json()["token"]).status_code == 200
