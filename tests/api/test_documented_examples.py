"""The requests of the first API document as they stand there, and what they get."""

import json

from tests.api.deployment import JSON, Deployment, Person

MARKET = {
    "id": "BTC-PERP",
    "symbol": "BTC-PERP",
    "baseAsset": "BTC",
    "quoteAsset": "USDC",
    "maxLeverage": 20,
    "initialMarginRate": "0.05",
    "maintenanceMarginRate": "0.005",
    "makerFeeRate": "0.0002",
    "takerFeeRate": "0.0005",
    "fundingIntervalHours": 8,
    "fundingRateCap": "0.00375",
    "status": "ACTIVE",
}
REGISTER = '{\n  "email": "trader@example.com",\n  "password": "long-password"\n}'
DEPOSIT = '{\n  "asset": "USDC",\n  "amount": "10000"\n}'
ORDER = """{
  "marketId": "BTC-PERP",
  "side": "BUY",
  "type": "LIMIT",
  "quantity": "1.25",
  "price": "65000",
  "timeInForce": "GTC",
  "reduceOnly": false,
  "postOnly": true,
  "clientOrderId": "client-123",
  "leverage": 10
}"""


def test_the_documented_session_from_registering_to_cancelling(exchange: Deployment) -> None:
    http = exchange.http
    registered = http.post("/auth/register", content=REGISTER, headers=JSON)
    assert registered.status_code == 201
    user_id = registered.json()["userId"]
    assert registered.json() == {"userId": user_id}
    login = http.post("/auth/login", content=REGISTER, headers=JSON)
    assert login.status_code == 200
    assert {"token", "userId"} <= set(login.json())
    assert login.json()["userId"] == user_id
    headers = JSON | {"Authorization": f"Bearer {login.json()['token']}"}

    deposit = http.post("/deposits", content=DEPOSIT, headers=headers)
    assert deposit.status_code == 201
    account_id = user_id.replace("user", "account")
    assert deposit.json() == {
        "userId": user_id, "accountId": account_id, "asset": "USDC", "total": "10000", "locked": "0"
    }  # fmt: skip

    placed = http.post("/orders", content=ORDER, headers=headers)
    assert placed.status_code == 202
    order_id = placed.json()["orderId"]
    assert placed.json() == {"orderId": order_id, "status": "PENDING"}
    assert http.get("/balances", headers=headers).json()[0]["locked"] == "8165.625"

    cancelled = http.delete(f"/orders/{order_id}", headers=headers)
    assert cancelled.status_code == 202
    assert cancelled.json() == {"orderId": order_id, "status": "PENDING_CANCEL"}


def test_a_market_has_the_documented_fields(exchange: Deployment) -> None:
    one = exchange.http.get("/markets/BTC-PERP")
    assert one.status_code == 200
    assert one.json() | MARKET == one.json()
    everything = exchange.http.get("/markets").json()
    assert [market["id"] for market in everything] == ["BTC-PERP", "ETH-PERP", "ETH_USDC"]
    assert everything[0] == one.json()


def test_an_order_reads_back_as_it_was_sent(alice: Person) -> None:
    order_id = alice.post("/orders", json.loads(ORDER)).json()["orderId"]
    order = alice.get(f"/orders/{order_id}").json()
    assert order | json.loads(ORDER) == order
    assert order["id"] == order["orderId"] == order_id
    assert order["userId"] == alice.name
    assert (order["filledQuantity"], order["remainingQuantity"]) == ("0", "1.25")
    assert order["status"] == "PENDING"
    assert "rejectionReason" not in order
    assert abs(order["createdAt"] - order["updatedAt"]) < 10_000
    assert alice.get("/orders").json() == [order]


def test_too_little_margin_gets_the_documented_error(exchange: Deployment) -> None:
    poor = exchange.person(deposit="1")
    refused = poor.post("/orders", json.loads(ORDER))
    assert refused.status_code == 400
    error = refused.json()["error"]
    assert error["code"] == "INSUFFICIENT_MARGIN"
    assert error["message"] == "Available margin is below required margin"
    assert error["details"] == {"required": "8165.625", "available": "1"}


def test_queries_of_a_new_account_are_bare_arrays(alice: Person) -> None:
    for path in ("/positions", "/orders", "/fills"):
        assert alice.get(path).json() == []
    documented = {"userId": alice.name, "asset": "USDC", "total": "10000", "locked": "0"}
    more = {"accountId": alice.account_name, "available": "10000"}
    assert alice.get("/balances").json() == [documented | more]


def test_drain_returns_how_much_it_waited_for(exchange: Deployment) -> None:
    exchange.database.execute("DELETE FROM commands")
    drained = exchange.http.post("/admin/drain")
    assert drained.status_code == 200
    assert drained.json() == {"processed": 0}


def test_a_guest_can_trade_at_once(exchange: Deployment) -> None:
    guest = exchange.http.post("/auth/guest")
    assert guest.status_code == 201
    assert set(guest.json()) == {"token", "userId", "expiresIn"}
    headers = JSON | {"Authorization": f"Bearer {guest.json()['token']}"}
    assert exchange.http.post("/deposits", content=DEPOSIT, headers=headers).status_code == 201
    assert exchange.http.post("/orders", content=ORDER, headers=headers).status_code == 202
