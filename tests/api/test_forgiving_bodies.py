"""What a bot's libraries write without being asked: nulls, and more decimals than a grid has."""

from typing import Any

import pytest

from tests.api.deployment import Person, error_of, small_order

NULLS = dict.fromkeys(("timeInForce", "reduceOnly", "postOnly", "clientOrderId", "leverage"), None)


def test_null_is_the_same_as_nothing_where_a_field_may_be_missing(alice: Person) -> None:
    placed = alice.post("/orders", small_order(**NULLS))
    assert placed.status_code == 202
    order = alice.get(f"/orders/{placed.json()['orderId']}").json()
    assert (order["reduceOnly"], order["postOnly"], order["leverage"]) == (False, False, 10)
    batch = alice.post("/orders/batch", {"orders": [small_order(**NULLS)]})
    assert "orderId" in batch.json()["results"][0]
    cancel = {"orders": [{"orderId": order["id"], "clientOrderId": None}]}
    assert "status" in alice.post("/orders/cancel-batch", cancel).json()["results"][0]
    simulation = {"scenario": "calm", "seed": None, "scenarioText": None, "durationS": None}
    assert alice.post("/simulations", simulation).status_code == 202


@pytest.mark.parametrize("name", ["marketId", "side", "type", "quantity", "foreign"])
def test_null_is_no_value_of_a_field_that_must_be_there(name: str, alice: Person) -> None:
    refused = alice.post("/orders", small_order(**{name: None}))
    assert error_of(refused) == (400, "INVALID_ORDER")


ROUNDED_UP = "999999999999." + "9" * 32


@pytest.mark.parametrize(
    ("path", "body", "nearest"),
    [
        ("/deposits", {"asset": "USDC", "amount": ROUNDED_UP}, "1000000000"),
        ("/withdrawals", {"asset": "USDC", "amount": ROUNDED_UP}, "1000000000"),
        ("/account/reset", {"balances": {"USDC": ROUNDED_UP}}, "1000000000"),
        ("/orders", small_order(price=ROUNDED_UP), "214748364.7"),
        ("/orders", small_order(quantity=ROUNDED_UP), "1000"),
    ],
)
def test_what_rounds_up_to_more_digits_than_may_be_written_is_told_the_nearest_value(
    path: str, body: dict[str, Any], nearest: str, alice: Person
) -> None:
    refused = alice.post(path, body)
    assert refused.status_code == 400, refused.text
    assert refused.json()["error"]["details"]["nearest"] == nearest


@pytest.mark.parametrize(
    ("field", "value", "nearest"),
    [
        ("quantity", "0.30000000000000004", "0.3"),
        ("quantity", 0.1 + 0.2, "0.3"),
        ("quantity", "0.000000001", "0.001"),
        ("price", "60000.099999999999", "60000.1"),
        ("price", "60000.04999999999999999999999999999", "60000"),
    ],
)
def test_beyond_every_decimal_the_nearest_valid_value_is_told(
    field: str, value: Any, nearest: str, alice: Person
) -> None:
    refused = alice.post("/orders", small_order(**{field: value}))
    assert error_of(refused) == (400, "INVALID_ORDER")
    assert refused.json()["error"]["details"]["nearest"] == nearest
    assert nearest in refused.json()["error"]["message"]


def test_too_much_leverage_is_told_the_most_that_the_market_allows(alice: Person) -> None:
    refused = alice.post("/orders", small_order(leverage=21))
    assert error_of(refused) == (400, "INVALID_ORDER")
    said = "leverage 21 is not valid in this market; the nearest valid value is 20"
    assert refused.json()["error"]["message"] == said
    assert refused.json()["error"]["details"] == {"field": "leverage", "nearest": 20}
    assert alice.post("/orders", small_order(leverage=20)).status_code == 202


@pytest.mark.parametrize("path", ["/deposits", "/withdrawals"])
@pytest.mark.parametrize("amount", ["0.0000001", "0", "0.00000000000000001", "0.0"])
def test_too_little_money_is_told_the_least_amount(path: str, amount: str, alice: Person) -> None:
    refused = alice.post(path, {"asset": "USDC", "amount": amount})
    assert error_of(refused) == (400, "INVALID_AMOUNT")
    assert "the least amount, which is 0.000001" in refused.json()["error"]["message"]
    assert refused.json()["error"]["details"]["nearest"] == "0.000001"


def test_one_order_that_is_none_refuses_itself_alone(alice: Person) -> None:
    orders: list[Any] = [
        small_order(),
        {"side": "BUY"},
        7,
        small_order(price="60000.01"),
        small_order(leverage="ten"),
        small_order(price="60001"),
    ]
    answer = alice.post("/orders/batch", {"orders": orders})
    assert answer.status_code == 202
    results = answer.json()["results"]
    assert ["orderId" in entry for entry in results] == [True, False, False, False, False, True]
    errors = [entry["error"] for entry in results if "error" in entry]
    assert {error["code"] for error in errors} == {"INVALID_ORDER"}
    assert errors[0]["message"] == "marketId: is missing"
    assert errors[3]["message"] == "leverage: must be a whole number"
    placed = [results[5]["orderId"], results[0]["orderId"]]
    assert [order["id"] for order in alice.get("/orders").json()] == placed


@pytest.mark.parametrize(
    ("field", "folded", "foreign"),
    [
        ("side", "sell", "\u017fell"),
        ("type", "lImIt", "l\u0131mit"),
        ("timeInForce", "gtc", "\uff47tc"),
        ("triggerBy", "laST", "la\ufb06"),
    ],
)
def test_words_may_be_small_and_only_of_ascii(
    field: str, folded: str, foreign: str, alice: Person
) -> None:
    order = small_order()
    if field == "triggerBy":
        order |= {"type": "STOP_LIMIT", "triggerPrice": order["price"]}
    assert alice.post("/orders", order | {field: folded}).status_code == 202
    assert error_of(alice.post("/orders", order | {field: foreign})) == (400, "INVALID_ORDER")


@pytest.mark.parametrize("name", ["json\u00a0", "json; charset=\u00a0utf-8"])
def test_a_body_is_called_json_in_ascii(name: str, alice: Person) -> None:
    sent = alice.headers | {"Content-Type": f"application/{name}"}
    headers = [(field.encode(), value.encode("latin-1")) for field, value in sent.items()]
    answer = alice.http.post("/deposits", content=b'{"asset":"USDC","amount":"1"}', headers=headers)
    assert answer.status_code == 415
