"""Every refusal that the document shows with an operation is the one that it gives."""

import json
from typing import Any

import pytest

from api.app import WORDS
from api.cryptofunk import document as of_agents
from api.cryptofunk.envelope import error_body as agents_error_body
from api.flux.envelope import error_body
from api.havencap import document as of_app
from api.havencap.envelope import error_body as app_error_body
from storage.people.owned_accounts import ACCOUNTS_MAX
from tests.api.deployment import Deployment, error_of, small_order

EXAMPLES = {key: shown for words in WORDS for key, shown in words.refusals.items()}
TWICE = "?a=1&a=2"
OTHER_BODY = {"asset": "USDC", "amount": "2"}
MOVED = {"from": "account_1", "to": "account_2", "asset": "USDC", "amount": "1"}
NO_MARKET = "marketId=DOGE-PERP"
CREDENTIALS = {"email": "shown@example.com", "password": "long-password"}

SPOT_ORDER = {
    "market": "ETH_USDC",
    "side": "BUY",
    "orderType": "LIMIT",
    "quantity": 1.5,
    "price": 3200.00,
}

Shown = tuple[str, int, str, str, Any]

PROVOKED: list[Shown] = [
    ("submitOrder", 400, "POST", "/orders", small_order(quantity="1.2504")),
    ("submitOrder", 404, "POST", "/orders", small_order(marketId="DOGE-PERP")),
    ("submitOrders", 400, "POST", "/orders/batch", {"orders": []}),
    ("cancelOrders", 400, "POST", "/orders/cancel-batch", {"orders": []}),
    ("cancelOrder", 400, "DELETE", f"/orders/order_1{TWICE}", None),
    ("cancelOrder", 404, "DELETE", "/orders/order_999999", None),
    ("amendOrder", 400, "PATCH", "/orders/order_1", {"price": "1e3"}),
    ("amendOrder", 404, "PATCH", "/orders/order_999999", {"price": "1"}),
    ("cancelAllOrders", 400, "DELETE", "/orders?x=1", None),
    ("cancelAllOrders", 404, "DELETE", f"/orders?{NO_MARKET}", None),
    ("cancelAllOrdersAfter", 400, "POST", "/account/cancel-after", {"timeoutMs": 99_999_999}),
    ("getBalances", 400, "GET", f"/balances{TWICE}", None),
    ("getPositions", 400, "GET", f"/positions{TWICE}", None),
    ("getOrders", 400, "GET", "/orders?status=open", None),
    ("getOrders", 404, "GET", f"/orders?{NO_MARKET}", None),
    ("getOrder", 400, "GET", f"/orders/order_1{TWICE}", None),
    ("getOrder", 404, "GET", "/orders/order_999999", None),
    ("getFills", 400, "GET", "/fills?limit=501", None),
    ("getFills", 404, "GET", f"/fills?{NO_MARKET}", None),
    ("getLedger", 400, "GET", "/ledger?cursor=x", None),
    ("getMarkets", 400, "GET", f"/markets{TWICE}", None),
    ("getMarket", 400, "GET", f"/markets/BTC-PERP{TWICE}", None),
    ("getMarket", 404, "GET", "/markets/DOGE-PERP", None),
    ("getOrderBook", 400, "GET", "/markets/BTC-PERP/orderbook?depth=101", None),
    ("getOrderBook", 404, "GET", "/markets/DOGE-PERP/orderbook", None),
    ("getTrades", 400, "GET", "/markets/BTC-PERP/trades?limit=501", None),
    ("getTrades", 404, "GET", "/markets/DOGE-PERP/trades", None),
    ("getCandles", 400, "GET", "/markets/BTC-PERP/candles?interval=2m", None),
    ("getCandles", 404, "GET", "/markets/DOGE-PERP/candles", None),
    ("getPrices", 400, "GET", f"/prices{TWICE}", None),
    ("getPrice", 400, "GET", f"/prices/BTC-PERP{TWICE}", None),
    ("getPrice", 404, "GET", "/prices/DOGE-PERP", None),
    ("getTime", 400, "GET", f"/time{TWICE}", None),
    ("deposit", 400, "POST", "/deposits", {"asset": "USDC", "amount": "1e3"}),
    ("withdraw", 400, "POST", "/withdrawals", {"asset": "USDC", "amount": "20000"}),
    ("resetAccount", 400, "POST", f"/account/reset{TWICE}", None),
    ("getAccounts", 400, "GET", "/accounts?archived=yes", None),
    ("openAccount", 400, "POST", "/accounts", {}),
    ("changeAccount", 404, "PATCH", "/accounts/account_1", {"name": "x"}),
    ("transferBetweenAccounts", 400, "POST", "/accounts/transfers", MOVED | {"amount": "1e3"}),
    ("transferBetweenAccounts", 404, "POST", "/accounts/transfers", MOVED),
    ("resetNamedAccount", 400, "POST", f"/accounts/account_1/reset{TWICE}", None),
    ("resetNamedAccount", 404, "POST", "/accounts/account_1/reset", None),
    ("register", 400, "POST", "/auth/register", CREDENTIALS | {"email": "nobody"}),
    ("logIn", 400, "POST", "/auth/login", {"email": "shown@example.com"}),
    ("logIn", 401, "POST", "/auth/login", CREDENTIALS),
    ("refresh", 400, "POST", "/auth/refresh", {}),
    ("refresh", 401, "POST", "/auth/refresh", {"refreshToken": "sr_nobody"}),
    ("logOut", 400, "POST", "/auth/logout", {}),
    ("makeApiKey", 400, "POST", "/auth/api-keys", {"name": "x", "scopes": []}),
    ("getApiKeys", 400, "GET", f"/auth/api-keys{TWICE}", None),
    ("revokeApiKey", 400, "DELETE", f"/auth/api-keys/key_1{TWICE}", None),
    ("revokeApiKey", 404, "DELETE", "/auth/api-keys/key_999999", None),
    ("becomeGuest", 400, "POST", f"/auth/guest{TWICE}", None),
    ("drain", 400, "POST", f"/admin/drain{TWICE}", None),
    ("getSimulations", 400, "GET", "/simulations?limit=501", None),
    ("getHealth", 400, "GET", f"/health{TWICE}", None),
    ("getServer", 400, "GET", f"/{TWICE}", None),
    ("placeSpotOrder", 400, "POST", "/api/orders", SPOT_ORDER | {"price": 3200.001}),
    ("placeSpotOrder", 404, "POST", "/api/orders", SPOT_ORDER | {"market": "DOGE_USDC"}),
    ("getSpotOrder", 404, "GET", "/api/orders/order_999999", None),
    ("cancelSpotOrder", 404, "DELETE", "/api/orders/order_999999", None),
    ("getDroid", 404, "GET", "/api/droids/999999", None),
    ("getDroidHistory", 404, "GET", "/api/droids/999999/history", None),
    ("putMoneyIn", 400, "POST", "/api/deposits", {"asset": "DOGE", "amount": 1}),
]


def body_of(operation_id: str, status: int) -> dict[str, Any]:
    """The refusal as the operation's family words it."""
    family = app_error_body if operation_id in of_app.EXAMPLES else error_body
    family = agents_error_body if operation_id in of_agents.EXAMPLES else family
    return family(*EXAMPLES[operation_id][status])


@pytest.mark.parametrize("shown", PROVOKED, ids=lambda shown: f"{shown[0]}-{shown[1]}")
def test_a_refusal_is_shown_as_it_is_given(shown: Shown, exchange: Deployment) -> None:
    operation_id, status, method, path, body = shown
    person = exchange.person()
    answer = exchange.http.request(method, path, json=body, headers=person.headers)
    assert answer.status_code == status
    assert answer.json() == body_of(operation_id, status)


def test_the_conflicts_of_orders_are_shown_as_they_are_given(exchange: Deployment) -> None:
    person = exchange.person()
    order_id = person.post("/orders", small_order(clientOrderId="a")).json()["orderId"]
    other = person.post("/orders", small_order(clientOrderId="a", price="50000"))
    shown = error_body(*EXAMPLES["submitOrder"][409])
    text = json.dumps(shown).replace("order_123", order_id)
    assert (other.status_code, other.json()) == (409, json.loads(text))
    number = int(order_id.removeprefix("order_"))
    exchange.database.execute("UPDATE orders SET status = 5 WHERE id = %s", (number,))
    closed = person.delete(f"/orders/{order_id}")
    assert (closed.status_code, closed.json()) == (
        409,
        error_body(*EXAMPLES["cancelOrder"][409]),
    )
    amended = person.patch(f"/orders/{order_id}", {"price": "1"})
    assert (amended.status_code, amended.json()) == (409, error_body(*EXAMPLES["amendOrder"][409]))
    named = person.delete("/orders", params={"clientOrderId": "a"})
    text = json.dumps(error_body(*EXAMPLES["cancelAllOrders"][409]))
    assert (named.status_code, named.json()) == (
        409,
        json.loads(text.replace("order_123", order_id)),
    )


def test_the_conflicts_of_money_are_shown_as_they_are_given(exchange: Deployment) -> None:
    person = exchange.person()
    for operation_id, path in (("deposit", "/deposits"), ("withdraw", "/withdrawals")):
        person.post(path, {"asset": "USDC", "amount": "1"}, path)
        again = person.post(path, OTHER_BODY, path)
        assert error_of(again)[0] == 409
        assert again.json() == error_body(*EXAMPLES[operation_id][409])
    person.post("/orders", small_order())
    reset = person.post("/account/reset")
    assert reset.json() == error_body(*EXAMPLES["resetAccount"][409])


def test_the_conflicts_of_accounts_are_shown_as_they_are_given(exchange: Deployment) -> None:
    person = exchange.person()
    paper = person.opened(USDC="100")
    path, main = f"/accounts/{paper.account}", f"/accounts/{person.account_name}"
    assert person.patch(main, {"archived": True}).json() == error_body(
        *EXAMPLES["changeAccount"][400]
    )
    paper.post("/orders", small_order())
    shown = error_body(*EXAMPLES["changeAccount"][409])
    assert person.patch(path, {"archived": True}).json() == shown
    assert person.post(f"{path}/reset").json() == shown
    for number in range(ACCOUNTS_MAX - 2):
        last = person.opened(f"account {number}")
    full = person.post("/accounts", {"name": "one more"})
    assert full.json() == error_body(*EXAMPLES["openAccount"][409])
    person.patch(f"/accounts/{last.account}", {"archived": True})
    ends = {"from": person.account_name, "to": last.account_name}
    refused = person.post("/accounts/transfers", MOVED | ends)
    assert refused.json() == error_body(*EXAMPLES["transferBetweenAccounts"][409])


def test_the_document_shows_them(exchange: Deployment) -> None:
    document = exchange.http.get("/openapi.json").json()
    shown = {
        operation["operationId"]: operation["responses"]
        for methods in document["paths"].values()
        for operation in methods.values()
    }
    for operation_id, refusals in EXAMPLES.items():
        for status in refusals:
            content = shown[operation_id][str(status)]["content"]["application/json"]
            assert content["example"] == body_of(operation_id, status), operation_id
    cancelled = shown["cancelOrder"]["202"]["content"]["application/json"]["example"]
    assert cancelled["status"] == "PENDING_CANCEL"
