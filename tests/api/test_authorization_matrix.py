"""S1, S4: every route and every role, from one file that a new route must enter."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from api.app import SECTIONS
from tests.api.deployment import DOCUMENTED_DROID, Deployment, error_of, small_order

MATRIX = tomllib.loads((Path(__file__).parent / "authorization_matrix.toml").read_text())
ROLES: list[str] = MATRIX.pop("roles")
ROWS: dict[str, int | list[int]] = {
    operation: statuses for section in MATRIX.values() for operation, statuses in section.items()
}
NOBODYS_UUID = "123e4567-e89b-12d3-a456-426614174000"
CREDENTIALS = {"email": "matrix@example.com", "password": "long-password"}
BODIES: dict[str, Any] = {
    "POST /auth/register": CREDENTIALS,
    "POST /auth/login": CREDENTIALS | {"password": "wrong-password"},
    "POST /api/auth/register": CREDENTIALS,
    "POST /api/auth/login": CREDENTIALS | {"password": "wrong-password"},
    "PATCH /api/admin/users/{user_id}": {"role": "VIEWER", "status": "ACTIVE"},
    "POST /api/orders": {
        "market": "ETH_USDC",
        "side": "BUY",
        "orderType": "LIMIT",
        "quantity": 0.01,
        "price": 10,
    },
    "POST /api/deposits": {"asset": "USDC", "amount": 1},
    "POST /api/droids": DOCUMENTED_DROID,
    "PATCH /api/droids/{droid_id}/active": {"active": 3},
    "PATCH /api/droids/{droid_id}/config": {"maxBots": 8},
    "POST /auth/refresh": {"refreshToken": "sr_nobody"},
    "POST /auth/logout": {"refreshToken": "sr_nobody"},
    "POST /auth/api-keys": {"name": "matrix", "scopes": ["read"]},
    "POST /orders": small_order(),
    "PATCH /orders/{order_id}": {"price": "60000"},
    "POST /orders/batch": {"orders": [small_order()]},
    "POST /orders/cancel-batch": {"orders": [{"orderId": "order_999999"}]},
    "POST /deposits": {"asset": "USDC", "amount": "1"},
    "PUT /leverage": {"marketId": "ETH-PERP", "leverage": 20},
    "POST /withdrawals": {"asset": "USDC", "amount": "1"},
    "POST /accounts": {"name": "matrix"},
    "POST /accounts/transfers": {
        "from": "account_999999",
        "to": "account_999998",
        "asset": "USDC",
        "amount": "1",
    },
    "PATCH /accounts/{account_id}": {"name": "matrix"},
    "POST /account/cancel-after": {"timeoutMs": 0},
    "POST /api/v1/orders": {
        "symbol": "BTC/USDT",
        "side": "BUY",
        "type": "LIMIT",
        "quantity": 0.001,
        "price": 60000,
    },
    "POST /api/v1/trade/start": {"symbol": "BTC/USDT", "initial_capital": 1},
    "POST /api/v1/trade/stop": {"session_id": NOBODYS_UUID, "final_capital": 1},
    "POST /api/v1/trade/pause": {"session_id": NOBODYS_UUID},
    "POST /api/v1/trade/resume": {"session_id": NOBODYS_UUID},
    "PATCH /api/v1/config": {"max_positions": 3},
    "POST /api/v1/decisions/search": {"query": "nothing"},
    "POST /api/v1/decisions/{decision_id}/feedback": {"rating": "positive"},
    "PUT /api/v1/feedback/{feedback_id}": {"rating": "positive"},
    "PUT /api/v1/strategies/current": {"name": "calm"},
    "POST /api/v1/strategies/export": {"format": "json"},
    "POST /api/v1/strategies/import": {"name": "calm", "description": "Seldom but surely."},
    "POST /api/v1/strategies/validate": {"name": "calm"},
    "POST /api/v1/strategies/clone": {"name": "calm"},
    "POST /api/v1/strategies/merge": {"override": {"candle_s": 60}},
    "POST /simulations": {"scenario": "calm"},
}


def test_every_route_stands_in_the_matrix_once() -> None:
    routes = [
        f"{method} {route.path}"
        for section in SECTIONS
        for route in section.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    ]
    assert sorted(routes) == sorted(ROWS)


def expected(operation: str, role: str) -> int:
    statuses = ROWS[operation]
    return statuses if isinstance(statuses, int) else statuses[ROLES.index(role)]


@pytest.mark.parametrize("role", ROLES)
def test_each_role_gets_what_the_matrix_says(role: str, exchange: Deployment) -> None:
    exchange.database.execute("DELETE FROM commands")
    exchange.database.execute(
        "INSERT INTO symbols VALUES ('BTC/USDT', 'BTC-PERP') ON CONFLICT DO NOTHING"
    )
    headers = {} if role == "anonymous" else exchange.person(role=role).headers
    wrong = []
    ends_the_login = "POST /api/auth/logout"
    in_order = sorted(ROWS, key=lambda name: (name == ends_the_login, name != "POST /admin/drain"))
    for operation in in_order:
        method, path = operation.split(" ")
        if path.startswith("/api/v1/"):
            path = path.replace("order_id}", "uuid}").replace("{symbol:path}", "BTC/USDT")
            for name in (
                "{uuid}",
                "{session_id}",
                "{decision_id}",
                "{feedback_id}",
                "{backtest_id}",
            ):
                path = path.replace(name, NOBODYS_UUID)
        path = path.replace("{market_id}", "BTC-PERP").replace("{order_id}", "order_999999")
        path = path.replace("{simulation_id}", "simulation_999999")
        path = path.replace("{key_id}", "key_999999").replace("{user_id}", "user_999999")
        path = path.replace("{account_id}", "account_999999").replace("{droid_id}", "999999")
        exchange.http.cookies.clear()
        answer = exchange.http.request(method, path, headers=headers, json=BODIES.get(operation))
        if answer.status_code != expected(operation, role):
            wrong.append(f"{operation} answers {answer.status_code} to {role}: {answer.text}")
        if answer.status_code in (401, 403, 404) and not path.startswith("/api/"):
            error_of(answer)
    assert wrong == []


def test_a_batch_of_a_viewer_accepts_nothing(exchange: Deployment) -> None:
    viewer = exchange.person(role="VIEWER")
    assert error_of(viewer.post("/orders/batch", {"orders": [small_order()]})) == (
        403,
        "FORBIDDEN",
    )
    assert viewer.get("/orders").json() == []
