"""Browsers of people who use the trading app, each with cookies of its own."""

import itertools
from typing import Any

import httpx

from tests.api.deployment import Deployment

PASSWORD = "mypassword123"
NUMBERS = itertools.count(1)
CLIENTS: list[httpx.Client] = []


def client(app: Deployment, **cookies: str) -> httpx.Client:
    """One with cookies of its own, which is closed behind the test."""
    CLIENTS.append(httpx.Client(base_url=app.url, timeout=20, cookies=cookies))
    return CLIENTS[-1]


def close_all() -> None:
    while CLIENTS:
        CLIENTS.pop().close()


class Browser:
    """Someone with cookies of their own."""

    def __init__(self, app: Deployment, name: str = "trader") -> None:
        self.app = app
        self.email = f"{name}{next(NUMBERS)}@havencap.io"
        self.http = client(app)

    @property
    def credentials(self) -> dict[str, str]:
        return {"email": self.email, "password": PASSWORD}

    def joins(self) -> httpx.Response:
        return self.http.post("/api/auth/register", json=self.credentials)

    def logs_in(self) -> httpx.Response:
        return self.http.post("/api/auth/login", json=self.credentials)

    @property
    def user_id(self) -> str:
        return str(self.http.get("/api/auth/me").json()["user"]["userId"])

    def changes(self, user_id: str, **change: str) -> httpx.Response:
        return self.http.patch(f"/api/admin/users/{user_id}", json=change)

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie.name: cookie.value or "" for cookie in self.http.cookies.jar}


def without_anybody(app: Deployment) -> None:
    """As new: nobody has ever joined."""
    app.database.execute("TRUNCATE first_admin")
    app.database.execute("UPDATE users SET role = 'TRADER' WHERE role = 'ADMIN'")


def error_of(answer: httpx.Response) -> int:
    body = answer.json()
    assert set(body) == {"error", "code"}, body
    assert body["code"] == str(answer.status_code)
    return answer.status_code


def people(admin: Browser) -> list[dict[str, Any]]:
    answer = admin.http.get("/api/admin/users")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["users"]
    return found
