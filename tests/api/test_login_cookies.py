"""Cookies: what a browser keeps, whom they serve, and which pages cannot use them."""

import re

import httpx
import pytest

from storage.people.login_sessions import GRACE_US
from tests.api.browsers import PASSWORD, Browser, client, error_of, people
from tests.api.deployment import Deployment, Person


def set_cookies(answer: httpx.Response) -> dict[str, dict[str, str]]:
    """Attributes of each cookie that an answer sets."""
    found = {}
    for header in answer.headers.get_list("set-cookie"):
        first, *rest = [part.strip() for part in header.split(";")]
        pairs = [part.partition("=") for part in rest]
        found[first.partition("=")[0]] = {name.lower(): value for name, _, value in pairs}
    return found


def test_s9_cookies_on_this_machine(newcomer: Browser) -> None:
    login = set_cookies(newcomer.logs_in())
    assert set(login) == {"auth_token", "refresh_token"}
    for name, path in (("auth_token", "/"), ("refresh_token", "/api/auth")):
        attributes = login[name]
        assert attributes.keys() == {"httponly", "max-age", "path", "samesite"}
        assert (attributes["path"], attributes["samesite"].lower()) == (path, "lax")
    assert int(login["auth_token"]["max-age"]) == 900
    gone = set_cookies(newcomer.http.post("/api/auth/logout"))
    assert {name: (one["path"], one["max-age"]) for name, one in gone.items()} == {
        "auth_token": ("/", "0"),
        "refresh_token": ("/api/auth", "0"),
    }
    assert newcomer.cookies == {}


def test_s9_cookies_elsewhere_travel_encrypted_only(tight: Deployment) -> None:
    credentials = {"email": "secure@havencap.io", "password": PASSWORD}
    tight.http.post("/api/auth/register", json=credentials)
    login = tight.http.post("/api/auth/login", json=credentials)
    assert login.status_code == 200, login.text
    assert all("secure" in attributes for attributes in set_cookies(login).values())
    tight.http.cookies.clear()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://OURS", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_s10_a_foreign_page_changes_nothing_with_our_cookie(
    headers: dict[str, str], admin: Browser, newcomer: Browser
) -> None:
    before = people(admin)
    headers = {name: value.replace("http://OURS", admin.app.url) for name, value in headers.items()}
    path = f"/api/admin/users/{newcomer.user_id}"
    change = {"role": "ADMIN", "status": "ACTIVE"}
    assert error_of(admin.http.patch(path, json=change, headers=headers)) == 403
    assert error_of(admin.http.post("/api/auth/logout", headers=headers)) == 403
    assert error_of(admin.http.post("/api/auth/refresh", headers=headers)) == 403
    login = admin.http.post("/api/auth/login", json=newcomer.credentials, headers=headers)
    assert error_of(login) == 403
    assert people(admin) == before


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
def test_s10_a_body_that_a_form_can_send_is_refused(kind: str | None, admin: Browser) -> None:
    before = people(admin)
    request = admin.http.build_request(
        "PATCH", f"/api/admin/users/{before[0]['userId']}", content=b'{"role":"VIEWER"}'
    )
    if kind is not None:
        request.headers["Content-Type"] = kind
    assert error_of(admin.http.send(request)) == 415
    assert people(admin) == before


@pytest.mark.parametrize(
    "sent",
    [
        "//evil.example", "/\\evil.example", "https:evil.example", "/%2f%2fevil.example",
        "%2f%2fevil.example", "/%09/evil.example", "javascript:alert(1)", "/@evil.example",
        "/%0d%0aSet-Cookie:x=1", "http://evil.example", "///evil.example", "/%5cevil.example",
        "", "evil", "/%E2%81%84evil", "/%00", "/x%20y", "\\\\evil", "/x#y", "/" + "a" * 5_000,
        "/%252f%252fevil.example", "/markets%0a", "/..//evil.example", "/?next=//evil.example",
    ],
)  # fmt: skip
def test_s11_a_browser_stays_on_this_site(sent: str, newcomer: Browser) -> None:
    newcomer.logs_in()
    answer = newcomer.http.get(
        f"/api/auth/refresh?callbackUrl={sent}", headers={"Accept": "text/html"}
    )
    if answer.status_code == 400:
        assert "location" not in answer.headers
        return
    assert answer.status_code == 302
    target = httpx.URL(newcomer.app.url).join(answer.headers["location"])
    assert (target.host, target.port) == ("127.0.0.1", newcomer.app.port)
    assert re.fullmatch(r"/(?![/\\])[\w\-./?=&%]*", answer.headers["location"], re.ASCII)
    assert set(set_cookies(answer)) == {"auth_token", "refresh_token"}
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("sent", "target"),
    [
        ("/..//evil.example", "/"), ("/.%252F%252Fevil.example", "/"),
        ("/.%2F%2Fevil.example", "/"),
        ("/a/../..//evil.example", "/"), ("/a//b", "/"), ("/./a", "/"), ("/a/%252e%252e/b", "/"),
        ("/a/..", "/"), ("/%255cevil.example", "/"), ("/a..b/c.d?next=//x/../y", None),
        ("/markets/42", None),
    ],
)  # fmt: skip
def test_s11_dot_segments_and_double_slashes_lead_home(
    sent: str, target: str | None, newcomer: Browser
) -> None:
    newcomer.logs_in()
    answer = newcomer.http.get(
        f"/api/auth/refresh?callbackUrl={sent}", headers={"Accept": "text/html"}
    )
    assert (answer.status_code, answer.headers["location"]) == (302, target or sent)


def test_the_documented_redirect_and_where_one_goes_without_a_login(
    app: Deployment, newcomer: Browser
) -> None:
    before = newcomer.cookies
    answer = newcomer.http.get("/api/auth/refresh?callbackUrl=/markets")
    assert (answer.status_code, answer.headers["location"]) == (302, "/markets")
    assert newcomer.cookies["auth_token"] != before["auth_token"]
    stranger = client(app)
    answer = stranger.get("/api/auth/refresh?callbackUrl=/markets?a=1")
    assert (answer.status_code, answer.headers["location"]) == (
        302,
        "/login?callbackUrl=/markets%3Fa%3D1",
    )
    asked_for_json = stranger.get("/api/auth/refresh", headers={"Accept": "application/json"})
    assert error_of(asked_for_json) == 401


def test_s15_a_refresh_cookie_that_comes_again_later_ends_the_login(newcomer: Browser) -> None:
    stolen = newcomer.cookies["refresh_token"]
    answer = newcomer.http.post("/api/auth/refresh")
    assert (answer.status_code, set(answer.json())) == (200, {"user"})
    newcomer.app.database.execute(
        "UPDATE login_sessions SET refreshed_at_us = refreshed_at_us - %s", (GRACE_US + 1,)
    )
    thief = client(newcomer.app, refresh_token=stolen)
    assert error_of(thief.post("/api/auth/refresh")) == 401
    assert error_of(newcomer.http.post("/api/auth/refresh")) == 401
    assert error_of(newcomer.http.get("/api/auth/me")) == 401


def test_s16_who_has_logged_out_is_out_with_every_cookie(newcomer: Browser) -> None:
    kept = dict(newcomer.cookies)
    assert newcomer.http.post("/api/auth/logout").json() == {"message": "Logged out"}
    assert newcomer.http.post("/api/auth/logout").status_code == 200
    again = client(newcomer.app, **kept)
    assert error_of(again.get("/api/auth/me")) == 401
    assert error_of(again.post("/api/auth/refresh")) == 401


def test_s21_one_kind_of_credentials_a_request(newcomer: Browser, exchange: Deployment) -> None:
    token = newcomer.cookies["auth_token"]
    with_bearer = {"Authorization": f"Bearer {token}"}
    assert error_of(newcomer.http.get("/api/auth/me", headers=with_bearer)) == 400
    assert error_of(newcomer.http.get("/api/auth/me", headers={"X-API-Key": "x"})) == 400
    wrong = {"Authorization": "Bearer wrong"}
    assert error_of(newcomer.http.get("/api/auth/me", headers=wrong)) == 401
    alone = client(newcomer.app)
    assert alone.get("/api/auth/me", headers=with_bearer).status_code == 200
    two = {"Cookie": f"auth_token={token}; auth_token=other"}
    assert error_of(alone.get("/api/auth/me", headers=two)) == 401


def test_flux_looks_at_no_cookie(exchange: Deployment, alice: Person) -> None:
    cookies = {"Cookie": f"auth_token={alice.token}"}
    assert exchange.http.get("/balances", headers=cookies).status_code == 401
    assert exchange.http.get("/balances", headers=cookies | alice.headers).status_code == 200


def test_a_login_that_was_refreshed_while_its_user_was_kept_out_stays_over(
    admin: Browser, newcomer: Browser
) -> None:
    user_id = newcomer.user_id
    admin.changes(user_id, status="DISABLED")
    assert error_of(newcomer.http.post("/api/auth/refresh")) == 401
    admin.changes(user_id, role="TRADER", status="ACTIVE")
    assert error_of(newcomer.http.post("/api/auth/refresh")) == 401
    assert newcomer.logs_in().status_code == 200
    assert newcomer.http.get("/api/auth/me").status_code == 200


def test_an_answer_to_a_cookie_is_kept_by_no_cache(newcomer: Browser) -> None:
    for path in ("/api/auth/me", "/api/orders"):
        assert newcomer.http.get(path).headers["cache-control"] == "private, no-store"
