"""A refusal names things in nobody's words, and Flux answers with its own."""

import json

import pytest

from api.app import FAMILIES
from api.desk.amendments import ROUTE as AMEND_ROUTE
from api.desk.orders import no_such_market
from api.desk.scenario_text import TEXT_BYTES_MAX
from api.door.errors import as_refused
from api.door.spelling import NAMES
from api.flux.envelope import error_of
from api.flux.spelling import ASKED_BY, spell
from sim.money.acceptance import market_halted
from sim.refusals import Name, Refusal, Refused, request_to
from storage.errors import OutcomeUnknown
from storage.intake.idempotency import recalled_refusal, remembered_refusal
from tests.api.deployment import Person, small_order

SCOPE = {"method": "DELETE", "path": "/orders"}
ONE_WORD = {"quantity", "price", "leverage", "asset", "amount", "balances"}


def test_flux_has_a_word_of_its_own_for_every_name() -> None:
    spelled = {name.strip("{}"): spell(name.strip("{}")) for name in Name}
    assert {name for name in spelled if spelled[name] == name} == ONE_WORD
    assert set(ASKED_BY) <= {*spelled, f"/{AMEND_ROUTE}", "/account/reset"}
    assert (spelled["client_order_id"], spelled["list_orders"]) == ("clientOrderId", "GET /orders")


def test_keys_of_details_are_spelled_and_their_values_are_not() -> None:
    refused = market_halted("ETH-PERP", "book {market_id} of {orders} is_crossed")
    assert error_of(refused, SCOPE)["details"] == {
        "marketId": "ETH-PERP",
        "haltReason": "book {market_id} of {orders} is_crossed",
    }


def test_a_clients_own_braces_stay_as_they_were_sent() -> None:
    sentence = "name: found {a_b} and {}, allowed is {0}"
    refused = Refused(Refusal.INVALID_SCENARIO, sentence, {"field": "markets[0].tick_size"})
    assert error_of(refused, SCOPE) == {
        "code": "INVALID_SCENARIO",
        "message": sentence,
        "details": {"field": "markets[0].tick_size"},
    }


@pytest.mark.parametrize(
    "refused",
    [
        no_such_market(),
        as_refused(OutcomeUnknown("lost")),
        Refused(Refusal.ORDER_NOT_OPEN, f"{Name.POST_ONLY}", {"order_id": 7, "field": Name.PRICE}),
        Refused(Refusal.IDEMPOTENCY_KEY_REUSED, request_to("simulations/12/runs")),
    ],
    ids=str,
)
def test_a_remembered_refusal_is_worded_when_it_is_answered(refused: Refused) -> None:
    memory = json.loads(json.dumps(remembered_refusal(refused)))
    answered = error_of(recalled_refusal(memory), SCOPE)
    assert answered == error_of(refused, SCOPE)
    assert NAMES.search(json.dumps(answered)) is None


def test_a_refusal_that_an_older_version_remembered_is_answered_as_it_was() -> None:
    memory = {
        "refusal": "DUPLICATE_CLIENT_ORDER_ID",
        "message": "This clientOrderId belongs to another order",
        "details": {"orderId": 7, "haltReason": "x_y", "field": "marketId"},
    }
    assert error_of(recalled_refusal(memory), SCOPE) == {
        "code": "DUPLICATE_CLIENT_ORDER_ID",
        "message": "This clientOrderId belongs to another order",
        "details": {"orderId": "order_7", "haltReason": "x_y", "field": "marketId"},
    }


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        (
            {"postOnly": True, "timeInForce": "IOC"},
            "postOnly",
            "postOnly needs timeInForce GTC or GTD",
        ),
        ({"leverage": 200}, "leverage", "leverage 200 is not valid in this market; the nearest"),
        ({"marketId": "DOGE-PERP"}, "marketId", "No such market; GET /markets lists them"),
        ({"quantity": "0.00001"}, "quantity", "quantity 0.00001 is not valid in this market"),
    ],
)
def test_a_wrong_order_is_told_in_fluxs_words(
    change: dict[str, object], field: str, sentence: str, alice: Person
) -> None:
    error = alice.post("/orders", small_order(**change)).json()["error"]
    assert error["message"].startswith(sentence)
    assert error["details"]["field"] == field
    batch = {"orders": [small_order(**change)]}
    for _ in range(2):
        (entry,) = alice.post("/orders/batch", batch, key="k").json()["results"]
        assert entry["error"]["message"] == error["message"]
        assert entry["error"]["details"] == error["details"]


def test_a_scenario_text_is_named_as_it_was_sent(alice: Person) -> None:
    sent = {"scenarioText": "x" * (TEXT_BYTES_MAX + 1)}
    assert alice.post("/simulations", sent).json()["error"] == {
        "code": "INVALID_SCENARIO",
        "message": f"scenarioText: found {TEXT_BYTES_MAX + 1} bytes, allowed is {TEXT_BYTES_MAX}",
        "details": {"field": "scenarioText", "allowed": str(TEXT_BYTES_MAX)},
    }


def test_a_request_that_must_wait_is_told_how_long() -> None:
    flux = FAMILIES[0]
    refused = Refused(Refusal.RATE_LIMITED, "Later", {"retry_after": 7})
    answer = flux.refuse(refused, SCOPE)
    assert answer.headers["Retry-After"] == "7"
    assert json.loads(bytes(answer.body))["error"]["details"] == {"retryAfter": 7}
