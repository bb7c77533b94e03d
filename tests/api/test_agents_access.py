"""S1, S2, S21: whom the agents' routes know. On loopback who shows nothing is the paper account."""

from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from api.app import create_app
from storage.settings import ConfigurationError, Settings
from tests.api.agents_floor import SYMBOL, AgentsFloor
from tests.api.deployment import Deployment

LOOKED_AT = ("agents", "orders", "positions", "sessions", "decisions", "config", "status")
ORDER = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "quantity": 0.001, "price": 30_000}
NOBODYS = "123e4567-e89b-12d3-a456-426614174000"


def error_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


def test_who_shows_nothing_is_the_paper_account_with_its_opening_balance(
    agents: AgentsFloor,
) -> None:
    order = agents.paper.places(price=30_000)
    assert agents.paper.asks("orders", status="NEW")["orders"][0] == order
    row = agents.app.database.execute(
        "SELECT u.email, u.role, b.total_atoms FROM users u JOIN balances b ON b.account_id = u.id"
        " JOIN orders o ON o.account_id = u.id WHERE b.asset = 'USDC' AND o.id = %s",
        (int(order["exchange_order_id"].removeprefix("order_")),),
    ).fetchone()
    assert row is not None
    assert row[:2] == ("paper", "TRADER")
    other = agents.client()
    for path in (f"orders/{order['id']}", f"orders?session_id={NOBODYS}"):
        assert other.sends("GET", path).status_code == 404
    register = {"email": "paper", "password": "long-password"}
    assert agents.app.http.post("/auth/register", json=register).status_code == 400
    assert agents.paper.sends("DELETE", f"orders/{order['id']}").status_code == 200


@pytest.mark.parametrize(
    ("headers", "status", "error"),
    [
        ({"Origin": "https://evil.example"}, 403, "forbidden"),
        ({"Origin": "null"}, 403, "forbidden"),
        ({"Sec-Fetch-Site": "cross-site"}, 403, "forbidden"),
        ({"Host": "evil.example"}, 400, "invalid request parameters"),
        ({"Authorization": "Bearer nonsense"}, 401, "authentication required"),
        ({"Authorization": "Basic YTpi"}, 401, "authentication required"),
        ({"X-API-Key": "nonsense"}, 401, "authentication required"),
        ({"Cookie": "auth_token=nonsense"}, 401, "authentication required"),
        ({"Authorization": "Bearer a", "X-API-Key": "b"}, 400, "invalid request parameters"),
    ],
)
def test_foreign_pages_and_bad_credentials_do_not_fall_back_to_it(
    headers: dict[str, str], status: int, error: str, agents: AgentsFloor
) -> None:
    for path in LOOKED_AT:
        assert error_of(agents.paper.sends("GET", path, **headers)) == (status, error)
    wanted = "invalid request body" if status == 400 else error
    assert error_of(agents.paper.sends("POST", "orders", ORDER, **headers)) == (status, wanted)


def test_a_page_of_ours_may_look(agents: AgentsFloor) -> None:
    own = {"Origin": agents.app.url, "Sec-Fetch-Site": "same-origin"}
    assert agents.paper.sends("GET", "agents", **own).status_code == 200


def test_elsewhere_than_on_loopback_credentials_are_wanted(tight: Deployment) -> None:
    person = tight.person()
    assert error_of(tight.http.get("/api/v1/agents")) == (401, "authentication required")
    assert tight.http.get("/api/v1/health").status_code == 200
    answer = tight.http.post("/api/v1/orders", json=ORDER)
    assert error_of(answer) == (401, "authentication required")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert person.get("/api/v1/agents").json() == {"agents": [], "count": 0}


def test_a_key_opens_what_its_scopes_say(agents: AgentsFloor) -> None:
    person = agents.app.person()
    sent = {"name": "agents", "scopes": ["read"]}
    made: Any = person.post("/auth/api-keys", sent).json()
    key = {"X-API-Key": made["key"]}
    assert agents.paper.sends("GET", "orders", **key).status_code == 200
    assert error_of(agents.paper.sends("POST", "orders", ORDER, **key)) == (403, "forbidden")


def test_an_open_family_on_an_open_bind_does_not_start(tmp_path: Any) -> None:
    settings = Settings.load(
        database_url="postgresql://nobody@127.0.0.1/none",
        data_dir=tmp_path,
        host="0.0.0.0",
        agents_auth="open",
    )
    with pytest.raises(ConfigurationError, match="SANDPIT_AGENTS_AUTH"):
        create_app(settings)


def test_no_method_and_path_is_registered_twice(tmp_path: Any) -> None:
    settings = Settings.load(database_url="postgresql://nobody@127.0.0.1/none", data_dir=tmp_path)
    pairs = [
        (method, route.path)
        for route in create_app(settings).routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    ]
    assert sorted(set(pairs)) == sorted(pairs)
    assert ("GET", "/api/v1/health") in pairs


def test_the_health_is_that_of_whoever_asks(agents: AgentsFloor) -> None:
    told = agents.paper.asks("health")
    assert (told["status"], set(told)) == ("healthy", {"status", "version", "uptime"})
    assert agents.client().asks("health")["status"] == "healthy"
    answer = agents.paper.sends("GET", "health", Authorization="Bearer hc_live_" + "0" * 40)
    assert (answer.status_code, answer.json()["code"]) == (401, "401")
