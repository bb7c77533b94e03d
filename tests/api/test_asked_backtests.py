"""POST /simulations with a droid: what is taken, what is refused, and how it is listed."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from api.simulations.schemas import DROID
from tests.api.deployment import DOCUMENTED_DROID, Deployment, Person, error_of
from tests.pool_logs import DAY
from tests.simulations import SMALL

BODY: dict[str, Any] = {"droid": DROID, "swaps": DAY}


@pytest.fixture(autouse=True)
def empty_queue(exchange: Deployment) -> Iterator[None]:
    exchange.database.execute("DELETE FROM simulations")
    yield
    exchange.database.execute("DELETE FROM simulations")


def asked(person: Person, **body: Any) -> dict[str, Any]:
    answer = person.post("/simulations", body)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = person.get(f"/simulations/{answer.json()['simulationId']}").json()
    return found


def refused(person: Person, **body: Any) -> dict[str, Any]:
    answer = person.post("/simulations", body)
    assert error_of(answer)[0] == 400, answer.text
    found: dict[str, Any] = answer.json()["error"]
    return found


def test_a_backtest_waits_and_is_listed_like_any_simulation(alice: Person) -> None:
    one = asked(alice, **BODY, seed=9)
    assert (one["status"], one["scenario"], one["seed"]) == ("QUEUED", f"droid-{DAY}", 9)
    assert (one["traders"], one["markets"], one["progress"]["steps"]) == (1, 0, 6877)
    (listed,) = alice.get("/simulations").json()
    assert listed["simulationId"] == one["simulationId"]
    again = alice.post(f"/simulations/{one['simulationId']}/runs")
    assert again.status_code == 202
    rerun = alice.get(f"/simulations/{again.json()['simulationId']}").json()
    assert (rerun["rerunOf"], rerun["seed"]) == (one["simulationId"], 9)


def test_without_a_seed_it_has_that_of_the_command_line(alice: Person) -> None:
    assert asked(alice, **BODY)["seed"] == 1


def test_the_droid_of_the_app_s_document_is_taken_as_it_stands(alice: Person) -> None:
    asked(alice, droid=DOCUMENTED_DROID, swaps=DAY)
    asked(alice, droid=DROID | {"gasBudgetLimit": None}, swaps=DAY)
    as_text = {"fundingUSD": "050000.50", "maxBots": "5", "derivativeThreshold": "0"}
    asked(alice, droid=DROID | as_text, swaps=DAY)
    asked(alice, **BODY, asCalled=True, baseFee=30.25)


@pytest.mark.parametrize(
    ("body", "field", "allowed"),
    [
        (BODY | {"swaps": "no-such"}, "swaps", f"one of {DAY}"),
        (BODY | {"swaps": "/etc/passwd"}, "swaps", f"one of {DAY}"),
        (BODY | {"swaps": f"../swap_logs/{DAY}"}, "swaps", f"one of {DAY}"),
        (BODY | {"droid": DROID | {"maxBots": 0}}, "droid.maxBots", "at least 1 and at most 100"),
        (BODY | {"droid": DROID | {"maxBots": "five"}}, "droid.maxBots", "a number at least 1"),
        (BODY | {"droid": DROID | {"triggerType": 1}}, "droid.triggerType", "one of EMA"),
        (BODY | {"droid": DROID | {"minPrice": 4000}}, "droid.minPrice", "below maxPrice"),
        (BODY | {"droid": DROID | {"txPriority": 51}}, "droid.txPriority", "at most maxGasPrice"),
        (BODY | {"droid": DROID | {"maxBot": 5}}, "droid.maxBot", "bucketOffset"),
        (BODY | {"droid": {"maxBots": 5}}, "droid.fundingUSD", "given"),
        (BODY | {"durationS": 60}, "swaps", "none: all of the log"),
    ],
)
def test_a_wrong_backtest_is_told_field_and_what_is_allowed(
    body: dict[str, Any], field: str, allowed: str, alice: Person
) -> None:
    error = refused(alice, **body)
    assert error["code"] == "INVALID_SCENARIO"
    assert error["details"]["field"] == field
    assert error["details"]["allowed"].startswith(allowed)
    assert alice.get("/simulations").json() == []


@pytest.mark.parametrize(
    "body",
    [
        BODY | {"scenario": "calm"},
        BODY | {"scenarioText": SMALL},
        {"droid": DROID},
        {"swaps": DAY},
        {"scenario": "calm", "swaps": DAY},
        {"scenario": "calm", "asCalled": True},
        {"scenario": "calm", "baseFee": 1},
        BODY | {"asCalled": 1},
        BODY | {"baseFee": "much"},
        BODY | {"baseFee": "0.0000000001"},
        BODY | {"baseFee": 1_000_000_001},
        BODY | {"droid": "EMA"},
        BODY | {"swaps": 1},
        BODY | {"start": {}},
    ],
)
def test_a_body_of_two_kinds_or_of_half_a_one_is_refused(
    body: dict[str, Any], alice: Person
) -> None:
    assert refused(alice, **body)["code"] == "INVALID_REQUEST"


@pytest.mark.parametrize(
    "value",
    [
        *("1e400", "1e-400", "1e999999999999999999999", "-0", "9" * 45, "[null]", "{}", "true"),
        *('"\\ud800"', '"\\u007f"', '"\\n[x]"', '"' + "x" * 60_000 + '"', "[" * 200 + "]" * 200),
    ],
)
@pytest.mark.parametrize("name", ["fundingUSD", "triggerType", "tickBuckets", "a.b\n"])
def test_s30_a_value_that_would_hurt_to_read_is_refused(
    name: str, value: str, alice: Person
) -> None:
    body = json.dumps(BODY | {"droid": DROID | {name: "sent"}}).replace('"sent"', value)
    headers = alice.headers | {"Content-Type": "application/json"}
    answer = alice.http.post("/simulations", content=body, headers=headers)
    assert answer.status_code == 400, answer.text


def test_it_takes_a_trader(exchange: Deployment) -> None:
    answer = exchange.person(role="VIEWER").post("/simulations", BODY)
    assert error_of(answer) == (403, "FORBIDDEN")


def test_it_counts_among_a_trader_s_simulations(alice: Person) -> None:
    for _ in range(5):
        asked(alice, **BODY)
    answer = alice.post("/simulations", BODY)
    assert error_of(answer) == (409, "TOO_MANY_SIMULATIONS")
