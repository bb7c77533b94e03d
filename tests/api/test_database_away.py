"""With PostgreSQL gone nothing is promised: 503 with Retry-After, never a 2xx."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from api.credentials.key_ring import make_key
from api.credentials.refresh_tokens import Shown
from sim.orders import AcceptedOrder, PlaceOrder
from storage.errors import OutcomeUnknown
from storage.reading.market_data import MarketCatalog
from storage.settings import Settings
from tests.api.deployment import DOCUMENTED_ORDER, error_of, small_order

NOBODY_LISTENS = "postgresql://sandpit@127.0.0.1:1/away?connect_timeout=1"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    monkeypatch.setattr("storage.postgres.database.POOL_WAIT_S", 0.2)
    return create_app(Settings.load(database_url=NOBODY_LISTENS, data_dir=tmp_path))


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    token = app.state.services.tokens.issue(1_000)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=transport,
            base_url="http://test",
            headers={"Authorization": f"Bearer {token}"},
        ) as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/orders", DOCUMENTED_ORDER),
        ("POST", "/orders/batch", {"orders": [small_order()]}),
        ("DELETE", "/orders/order_1", None),
        ("DELETE", "/orders", None),
        ("GET", "/orders", None),
        ("GET", "/balances", None),
        ("GET", "/markets", None),
        ("GET", "/prices", None),
        ("POST", "/deposits", {"asset": "USDC", "amount": "1"}),
        ("POST", "/auth/register", {"email": "a@example.com", "password": "long-password"}),
        ("POST", "/auth/login", {"email": "a@example.com", "password": "long-password"}),
        ("POST", "/auth/guest", None),
        ("POST", "/auth/api-keys", {"name": "a", "scopes": ["read"]}),
        ("GET", "/auth/api-keys", None),
        ("DELETE", "/auth/api-keys/key_1", None),
        ("POST", "/admin/drain", None),
    ],
)
async def test_without_a_database_every_operation_is_503(
    method: str, path: str, body: object, http: httpx.AsyncClient
) -> None:
    answer = await http.request(method, path, json=body)
    assert error_of(answer) == (503, "UNAVAILABLE")
    assert int(answer.headers["Retry-After"]) >= 1


async def test_without_a_database_no_key_and_no_refresh_token_is_called_wrong(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    del http.headers["Authorization"]
    by_key = await http.get("/balances", headers={"X-API-Key": make_key().text})
    assert error_of(by_key) == (503, "UNAVAILABLE")
    token = app.state.services.refreshing.write(Shown("0" * 32, 0))
    for path in ("/auth/refresh", "/auth/logout"):
        answer = await http.post(path, json={"refreshToken": token})
        assert error_of(answer) == (503, "UNAVAILABLE")


async def test_health_says_that_the_database_is_down(http: httpx.AsyncClient) -> None:
    answer = await http.get("/health")
    assert answer.status_code == 503
    assert answer.json() == {"ok": False, "status": "down", "checks": {"database": "down"}}


async def test_the_agents_health_says_so_too(http: httpx.AsyncClient) -> None:
    answer = await http.get("/api/v1/health")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    told = answer.json()
    assert (told["status"], told["error"]) == ("unhealthy", "database connection failed")
    assert set(told) == {"status", "error", "version"}
    refused = await http.get("/api/v1/orders")
    assert (refused.status_code, refused.json()["error"]) == (503, "service unavailable")


async def test_the_clock_and_the_documentation_need_no_database(http: httpx.AsyncClient) -> None:
    for path in ("/time", "/docs", "/openapi.json"):
        assert (await http.get(path)).status_code == 200


async def test_an_unknown_outcome_is_said_as_unknown(
    app: FastAPI, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sim.market import BTC_PERP
    from sim.rows.messages import MarketStatus
    from storage.reading.market_data import ListedMarket

    async def lose_the_reply(_: PlaceOrder, key: str | None, asker: int) -> AcceptedOrder:
        raise OutcomeUnknown("the connection was lost")

    async def listed(_: MarketCatalog) -> dict[str, ListedMarket]:
        return {"BTC-PERP": ListedMarket(BTC_PERP, MarketStatus.ACTIVE)}

    monkeypatch.setattr(app.state.services.acceptor, "place", lose_the_reply)
    monkeypatch.setattr(MarketCatalog, "markets", listed)
    answer = await http.post("/orders", json=DOCUMENTED_ORDER)
    assert error_of(answer) == (503, "UNAVAILABLE")
    error = answer.json()["error"]
    assert error["details"] == {"outcome": "unknown"}
    assert "clientOrderId" in error["message"]
    assert answer.headers["Retry-After"] == "1"
