"""S5, S29, S30, S33: bodies that want more than they may."""

from typing import Any

import pytest

from tests.api.deployment import JSON, Deployment, Person, error_of, small_order

NOT_PLAIN_DECIMALS = [
    "1e999999",
    "1e-999999",
    "1E5",
    " 1 ",
    "1 ",
    "1_0",
    "٣",
    "\uff11",
    "+1",
    "-1",
    "-0",
    ".5",
    "5.",
    "1.123456789",
    "1234567890123",
    "0x10",
    "1,5",
    "1.2.3",
    "NaN",
    "Infinity",
    "-Infinity",
    "inf",
    "",
    "null",
    "1\n",
    "1\u0000",
    "9" * 5_000,
]
NOT_JSON_DECIMALS = [
    "1E-7",
    "1e12",
    "-1e1",
    "-0e0",
    "1e-33",
    "1e100",
    "0e100",
    "1e999999999",
    "1e-999999999",
    "0e999999999",
    "1e" + "9" * 5_000,
    "-1",
    "-0.0",
    "1234567890123",
    "1.123456789",
    "9" * 31,
    "9" * 5_000,
    "1e999999",
    "NaN",
    "Infinity",
    "true",
    "null",
    "[]",
    "{}",
    '["1"]',
]
FOREIGN_FIELDS = {
    "role": "ADMIN",
    "status": "FILLED",
    "userId": "user_1",
    "accountId": 1,
    "passwordHash": "x",
    "createdAt": 0,
    "filledQuantity": "1",
    "market_id": "BTC-PERP",
    "__proto__": {},
}


def raw(person: Person, path: str, content: str | bytes) -> Any:
    return person.http.post(path, content=content, headers=person.headers | JSON)


@pytest.mark.parametrize("field", ["quantity", "price"])
@pytest.mark.parametrize("text", NOT_PLAIN_DECIMALS)
def test_s29_a_string_that_is_no_plain_decimal_is_refused(
    field: str, text: str, alice: Person
) -> None:
    refused = alice.post("/orders", small_order(**{field: text}))
    assert error_of(refused) == (400, "INVALID_ORDER")


@pytest.mark.parametrize("number", NOT_JSON_DECIMALS)
def test_s29_a_number_that_is_no_plain_decimal_is_refused(number: str, alice: Person) -> None:
    body = '{"marketId":"BTC-PERP","side":"BUY","type":"LIMIT","price":60000,"quantity":%s}'
    assert error_of(raw(alice, "/orders", body % number)) == (400, "INVALID_ORDER")
    deposit = '{"asset":"USDC","amount":%s}'
    assert error_of(raw(alice, "/deposits", deposit % number))[0] == 400
    assert (
        alice.get("/balances").json()[0] | {"total": "10000", "locked": "0"}
        == (alice.get("/balances").json()[0])
    )


def test_a_json_number_keeps_its_digits(alice: Person) -> None:
    body = (
        '{"marketId":"ETH-PERP","side":"SELL","type":"LIMIT","price":21474836.47,'
        '"quantity":0.01,"leverage":20,"reduceOnly":true}'
    )
    order_id = raw(alice, "/orders", body).json()["orderId"]
    order = alice.get(f"/orders/{order_id}").json()
    assert (order["price"], order["quantity"]) == ("21474836.47", "0.01")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"1",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b'{"quantity":"1","quantity":"2"}',
        b'{"quantity":NaN}',
        b'{"quantity":-Infinity}',
        b'{"quantity":' + b"9" * 5_000 + b"}",
        b'{"marketId":"\\ud800"}',
        b"{} {}",
        b"{'a':1}",
    ],
)
def test_s30_a_body_that_is_no_json_object_of_distinct_keys_is_400(
    body: bytes, alice: Person
) -> None:
    for path in ("/orders", "/orders/batch"):
        assert error_of(raw(alice, path, body)) == (400, "INVALID_ORDER")
    for path in ("/deposits", "/auth/login"):
        assert error_of(raw(alice, path, body)) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize("field", FOREIGN_FIELDS)
def test_s5_a_field_that_is_not_asked_for_is_refused(field: str, alice: Person) -> None:
    extra = {field: FOREIGN_FIELDS[field]}
    credentials = {"email": "mass@example.com", "password": "long-password"}
    assert alice.post("/orders", small_order(**extra)).status_code == 400
    (entry,) = alice.post("/orders/batch", {"orders": [small_order(**extra)]}).json()["results"]
    assert entry["error"]["code"] == "INVALID_ORDER"
    assert alice.post("/deposits", {"asset": "USDC", "amount": "1"} | extra).status_code == 400
    assert alice.post("/auth/register", credentials | extra).status_code == 400
    assert alice.post("/auth/login", credentials | extra).status_code == 400
    assert alice.get("/orders").json() == []


@pytest.mark.parametrize(
    "change",
    [
        {"reduceOnly": "true"},
        {"reduceOnly": 1},
        {"quantity": None},
        {"leverage": "10"},
        {"leverage": 10.5},
        {"leverage": True},
        {"leverage": 0},
        {"leverage": -1},
        {"leverage": 21},
        {"leverage": 256},
        {"side": "HOLD"},
        {"side": 1},
        {"type": "STOP"},
        {"timeInForce": "GTD"},
        {"clientOrderId": ""},
        {"clientOrderId": "x" * 65},
        {"clientOrderId": "a\u0000b"},
        {"clientOrderId": "ключ"},
        {"clientOrderId": 7},
        {"price": None},
        {"type": "MARKET"},
        {"postOnly": True, "timeInForce": "IOC"},
        {"quantity": "0"},
        {"price": "0"},
        {"quantity": "1000.001"},
    ],
)
def test_an_order_that_no_market_takes_is_invalid(change: dict[str, Any], alice: Person) -> None:
    assert error_of(alice.post("/orders", small_order(**change))) == (400, "INVALID_ORDER")


@pytest.mark.parametrize(
    ("field", "text", "nearest"),
    [
        ("price", "60000.04", "60000"),
        ("price", "60000.05", "60000.1"),
        ("quantity", "0.0014", "0.001"),
        ("quantity", "0.0001", "0.001"),
        ("quantity", "1000.5", "1000"),
        ("price", "999999999999", "214748364.7"),
    ],
)
def test_off_the_grid_is_refused_with_the_nearest_valid_value(
    field: str, text: str, nearest: str, alice: Person
) -> None:
    refused = alice.post("/orders", small_order(**{field: text}))
    assert error_of(refused) == (400, "INVALID_ORDER")
    assert nearest in refused.json()["error"]["message"]
    assert refused.json()["error"]["details"]["nearest"] == nearest


@pytest.mark.parametrize(
    "market", ["BTC-PERP}x", "BTC-PERP\n", "*", "' OR 1=1 --", "../etc", "DOGE-PERP", "btc-perp"]
)
def test_s33_a_market_that_does_not_exist_gets_no_further(
    market: str, exchange: Deployment, alice: Person
) -> None:
    refused = alice.post("/orders", small_order(marketId=market))
    assert error_of(refused) == (404, "MARKET_NOT_FOUND")
    assert alice.get("/orders", params={"marketId": market}).status_code in (400, 404)
    commands = exchange.database.execute("SELECT DISTINCT market_id FROM commands").fetchall()
    assert {row[0] for row in commands} <= {"BTC-PERP", "ETH-PERP"}


@pytest.mark.parametrize(
    "query",
    ["sort=id;DROP TABLE orders", "status=OPEN' OR '1'='1", "status=open", "interval=2m", "x=1"],
)
def test_s33_a_query_outside_the_allowed_list_is_400(query: str, alice: Person) -> None:
    assert error_of(alice.get(f"/orders?{query}")) == (400, "INVALID_REQUEST")
    assert error_of(alice.get(f"/markets/BTC-PERP/candles?{query}"))[0] == 400


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{" + ",".join(f'"k{n}":1' for n in range(3_900)) + "}", "more than 64 fields"),
        ('{"email":[' + "1," * 30_000 + '1],"password":"x"}', "more than 4000 commas"),
    ],
)
def test_s30_what_would_cost_more_to_word_than_to_refuse_is_refused_at_once(
    body: str, said: str, exchange: Deployment
) -> None:
    answer = exchange.http.post(
        "/auth/login", content=body, headers={"Content-Type": "application/json"}
    )
    assert error_of(answer)[0] == 400
    assert said in answer.json()["error"]["message"]
