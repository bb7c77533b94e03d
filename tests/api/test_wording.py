"""What a person reads when something is wrong: one voice, and nothing of how it is built."""

import json
import random
import re
from typing import Any

import pytest

from tests.api.deployment import Deployment, Person, small_order
from tests.api.test_authorization_matrix import BODIES, ROWS

INTERNALS = re.compile(
    r"pydantic|python|instance of|Input should|valid (string|integer|list|dictionary|boolean)|"
    r"\b(dict|str|int|float|bool|tuple|NoneType|object at|None|True|False)\b|"
    r"[A-Z][a-z]+(Sent|Asked|Answer)\b|Error\b|Extra inputs|Field required|Traceback|\bge\b|\ble\b|"
    r"http[s]?://|<class|ExactNumber|String should|value_error"
)
WRONG = [None, True, 0, -1, 1.5, 10**30, "", "x" * 3_000, [1], {"a": 1}]
ROUNDS = 15


def wrong_bodies(right: Any, dice: random.Random) -> list[Any]:
    """The right body with one thing wrong, in every way there is; and things that are no body."""
    found = [*WRONG, [right], {**right, "extra": 1}, {}]
    for name in right:
        found += [{**right, name: value} for value in WRONG]
        found.append({key: value for key, value in right.items() if key != name})
    for _ in range(ROUNDS):
        found.append({name: dice.choice(WRONG) for name in right})
    return found


def assert_plain(answer: Any, context: str) -> None:
    """No refusal says how it is built, and every one is spaced as answers are."""
    assert answer.status_code < 500, f"{context}: {answer.text}"
    if answer.status_code < 400:
        return
    error = answer.json()["error"]
    if isinstance(error, str):  # the trading app's envelope
        error = {"message": error}
    sentences = [error["message"]]
    sentences += [one["message"] for one in error.get("details", {}).get("errors", [])]
    for sentence in sentences:
        assert INTERNALS.search(sentence) is None, f"{context}: {sentence}"
        assert sentence, context
    compact = json.dumps(answer.json(), separators=(",", ":"), ensure_ascii=False)
    assert answer.text == compact


FULL_BODIES: dict[str, Any] = {
    **BODIES,
    "POST /orders": small_order(
        timeInForce="GTC", reduceOnly=False, postOnly=False, clientOrderId="c", leverage=1
    ),
    "POST /simulations": {"scenario": "calm", "seed": 1, "durationS": 5},
}
TAKERS = [route for route in ROWS if route in FULL_BODIES]
ASKED = {
    "limit": "100",
    "cursor": "1",
    "marketId": "BTC-PERP",
    "status": "OPEN",
    "clientOrderId": "c",
    "orderId": "order_1",
    "depth": "5",
    "interval": "1m",
    "end": "1",
}
WRONG_TEXTS = ["", "-1", "99999999999", "é", "x" * 200]


@pytest.mark.parametrize("route", TAKERS)
def test_no_wrong_body_is_answered_in_the_librarys_words(
    route: str, exchange: Deployment, request: pytest.FixtureRequest
) -> None:
    seed = request.config.getoption("--hypothesis-seed")
    dice = random.Random(f"{seed} {route}")
    person = exchange.person()
    method, path = route.split()
    for body in wrong_bodies(FULL_BODIES[route], dice):
        if isinstance(body, dict) and is_work(path, body):
            continue
        answer = person.http.request(method, path, json=body, headers=person.headers)
        assert_plain(answer, f"{route} {json.dumps(body)[:300]} (seed {seed})")


def is_work(path: str, body: dict[str, Any]) -> bool:
    """True for a body that would be hashed, or count as a wrong guess, or run."""
    if path.startswith(("/auth/", "/api/auth/")):
        return isinstance(body.get("password"), str) and isinstance(body.get("email"), str)
    return path == "/simulations" and body.get("scenario") == "calm"


@pytest.mark.parametrize("route", [route for route in ROWS if not route.startswith("POST")])
def test_no_wrong_query_is_answered_in_the_librarys_words(
    route: str, exchange: Deployment, alice: Person
) -> None:
    method, path = route.split()
    path = re.sub(r"\{market_id\}", "BTC-PERP", path)
    for wrong in WRONG_TEXTS:
        for name in ASKED:
            answer = exchange.http.request(
                method, re.sub(r"\{\w+\}", "7", path), params={name: wrong}, headers=alice.headers
            )
            assert_plain(answer, f"{route}?{name}={wrong}")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"leverage": 0}, "leverage: must be 1 or more: that is the minimum"),
        ({"leverage": 256}, "leverage: must be 255 or less: that is the maximum"),
        ({"side": "HOLD"}, "side: must be one of BUY, SELL"),
        ({"timeInForce": "DAY"}, "timeInForce: must be one of GTC, IOC, FOK, GTD"),
        ({"reduceOnly": "yes"}, "reduceOnly: must be true or false"),
        ({"marketId": 7}, "marketId: must be a text"),
        ({"clientOrderId": "x" * 65}, "clientOrderId: must have 64 characters or fewer"),
        ({"sides": "BUY"}, "sides: is not a field of this request"),
        ({"leverage": -1}, "leverage: must be 1 or more: that is the minimum"),
        ({"leverage": 10**40}, "leverage: must be 255 or less: that is the maximum"),
        ({"leverage": 1.5}, "leverage: must be a whole number"),
        (
            {"timeInForce": "GTD", "expiresAt": "2030-01-01T00:00:00Z"},
            "expiresAt: must be a whole number: milliseconds since 1970",
        ),
        ({"clientOrderId": ""}, "clientOrderId: must not be empty"),
        ({"clientOrderId": "\u00e9"}, "clientOrderId: must be printable ASCII"),
    ],
)
def test_a_finding_says_what_is_allowed(
    change: dict[str, Any], sentence: str, alice: Person
) -> None:
    assert alice.post("/orders", small_order(**change)).json()["error"]["message"] == sentence


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("/auth/api-keys", {"name": "", "scopes": ["read"]}, "name: must not be empty"),
        (
            "/auth/api-keys",
            {"name": "x", "scopes": ["write"]},
            "scopes.0: must be one of read, trade",
        ),
        (
            "/simulations",
            {"scenario": "calm", "seed": -1},
            "seed: must be 0 or more: that is the minimum",
        ),
        (
            "/simulations",
            {"scenario": "calm", "seed": 10**25},
            f"seed: must be {2**63 - 1} or less: that is the maximum",
        ),
        (
            "/account/cancel-after",
            {"timeoutMs": 10**12},
            "timeoutMs: must be 86400000 or less: that is the maximum",
        ),
        (
            "/account/reset",
            {"balances": {"USDC": "1.0000001"}},
            "balances.USDC 1.0000001 has more than 6 decimals; the nearest valid value is 1",
        ),
        (
            "/account/reset",
            {"balances": {"USDC": "0.0000001"}},
            "balances.USDC 0.0000001 is below the least amount, which is 0.000001",
        ),
        (
            "/account/reset",
            {"balances": {"USDC": "1000000000.5"}},
            "balances.USDC 1000000000.5 is above the most that a deposit may be, which is"
            " 1000000000",
        ),
    ],
)
def test_a_finding_outside_of_orders_says_what_is_allowed(
    path: str, body: dict[str, Any], sentence: str, alice: Person
) -> None:
    assert alice.post(path, body).json()["error"]["message"] == sentence


def test_an_amount_to_begin_anew_with_is_named_as_it_was_sent(alice: Person) -> None:
    refused = alice.post("/account/reset", {"balances": {"USDC": "1.0000001"}})
    assert refused.json()["error"]["details"]["field"] == "balances.USDC"
    unknown = alice.post("/account/reset", {"balances": {"X" * 9_000: "1.0000001"}})
    assert unknown.json()["error"] == {
        "code": "UNKNOWN_ASSET",
        "message": "The asset must be USDC, ETH or USDT",
        "details": {"field": "balances"},
    }


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ("-1", "limit: must be 1 or more: that is the minimum"),
        ("9" * 20, "limit: must be 500 or less: that is the maximum"),
        ("9" * 2_000, "limit: must be a whole number"),
        ("+5", "limit: must be a whole number"),
    ],
)
def test_a_number_in_a_query_is_told_its_bounds(limit: str, sentence: str, alice: Person) -> None:
    refused = alice.get("/fills", params={"limit": limit})
    assert refused.json()["error"]["message"] == sentence


def test_a_time_in_a_query_is_told_what_counts_it(alice: Person) -> None:
    refused = alice.get("/fills", params={"since": "2030-01-01T00:00:00Z"})
    sentence = "since: must be a whole number: milliseconds since 1970"
    assert refused.json()["error"]["message"] == sentence


def test_a_body_that_is_no_object_is_told_so(alice: Person) -> None:
    bodies: list[Any] = [[], "text", 1]
    for body in bodies:
        message = alice.post("/deposits", body).json()["error"]["message"]
        assert message == "The body must be an object"
    missing = alice.post("/deposits").json()["error"]["message"]
    assert missing == "The body is missing: it must be a JSON object"
    (entry,) = alice.post("/orders/batch", {"orders": [7]}).json()["results"]
    assert entry["error"]["message"] == "The entry must be an object"
    (entry,) = alice.post("/orders/cancel-batch", {"orders": [{}]}).json()["results"]
    said = "The entry must name the order by orderId or by clientOrderId"
    assert entry["error"]["message"] == said


def test_a_key_that_is_no_text_at_all_is_answered(alice: Person) -> None:
    headers = alice.headers | {"Content-Type": "application/json"}
    for body in (b'{"\\ud800":1}', b'{"marketId":"\\ud800"}', '{"ключ":1}'.encode()):
        answer = alice.http.post("/orders", content=body, headers=headers)
        assert answer.status_code == 400
        assert_plain(answer, str(body))


@pytest.mark.parametrize("path", ["/nothing", "/balances", "/health", "/markets", "/time", "/"])
def test_answers_and_refusals_are_spaced_alike(path: str, exchange: Deployment) -> None:
    answer = exchange.http.get(path)
    assert answer.text == json.dumps(answer.json(), separators=(",", ":"), ensure_ascii=False)
