"""POST /simulations with a log of one's own, or with a grid: what is taken, what is refused."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from api.door.bodies import LARGE_AT_ONCE, BodyLimits
from api.simulations.routes import LARGE_BODIES
from api.simulations.schemas import DROID, LOG_BODY_BYTES_MAX, LOG_TEXT, START_TEXT
from storage.runs.sent_log import SENT_BYTES_MAX
from storage.runs.stored_scenario import shipped_text
from tests.api.deployment import Deployment, Person, error_of
from tests.api.sockets import connect
from tests.pool_logs import DAY, MORNING, sent
from tests.waiting import eventually

SENT: dict[str, Any] = {"droid": DROID, "swapsText": LOG_TEXT, "startText": START_TEXT}
BOOKS, CHAIN = shipped_text("pool-and-book").split("[[droids]]")
GRID: dict[str, Any] = {"droid": DROID, "swaps": DAY}
ROUTE = "/simulations"
TWO_DAYS_S = 180_000


@pytest.fixture(autouse=True)
def empty_queue(exchange: Deployment) -> Iterator[None]:
    exchange.database.execute("DELETE FROM simulations")
    yield
    exchange.database.execute("DELETE FROM simulations")


def asked(person: Person, body: dict[str, Any]) -> dict[str, Any]:
    answer = person.post("/simulations", body)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = person.get(f"/simulations/{answer.json()['simulationId']}").json()
    return found


def refused(person: Person, body: dict[str, Any]) -> dict[str, Any]:
    answer = person.post("/simulations", body)
    assert error_of(answer)[0] == 400, answer.text
    found: dict[str, Any] = answer.json()["error"]
    return found


def test_a_log_larger_than_other_bodies_waits_and_is_run_again(alice: Person) -> None:
    one = asked(alice, {"droid": DROID, **sent(MORNING)})
    assert one["scenario"].startswith("droid-sent-")
    assert one["progress"]["steps"] == 3_772
    again = alice.post(f"/simulations/{one['simulationId']}/runs")
    assert again.status_code == 202, again.text
    rerun = alice.get(f"/simulations/{again.json()['simulationId']}").json()
    assert rerun["scenario"] == one["scenario"]


def test_the_same_request_is_the_same_by_its_log(alice: Person) -> None:
    first, second = (alice.post("/simulations", SENT, key="log-1") for _ in range(2))
    assert first.json() == second.json()
    other = SENT | {"swapsText": LOG_TEXT.replace(",306,", ",307,")}
    assert error_of(alice.post("/simulations", other, key="log-1"))[1] == "IDEMPOTENCY_KEY_REUSED"


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        (
            {"swapsText": LOG_TEXT.replace("1341815", "x")},
            "swapsText",
            "swapsText, line 2: amount0",
        ),
        ({"swapsText": LOG_TEXT.replace(",swap,", ",swop,")}, "swapsText", "line 2: op: found"),
        ({"swapsText": LOG_TEXT.replace("block", "blok")}, None, "line 1: the columns must be"),
        ({"swapsText": LOG_TEXT.replace(",306,", ',"306,')}, None, "line 2: it is not CSV"),
        ({"swapsText": LOG_TEXT + "x" * 3_000}, None, "line 3: the line is longer than 2000"),
        ({"swapsText": LOG_TEXT.splitlines()[0]}, None, "has no rows, allowed is at least one"),
        ({"swapsText": ""}, None, "the columns must be"),
        ({"swapsText": "/etc/passwd"}, None, "the columns must be"),
        ({"swapsText": "\x00"}, None, "the columns must be"),
        ({"swapsText": "x" * (SENT_BYTES_MAX + 1)}, "swapsText", f"{SENT_BYTES_MAX} in all"),
        ({"startText": "{"}, None, "startText is not JSON"),
        ({"startText": "[" * 5_000}, None, "startText is nested more than"),
        ({"startText": START_TEXT.replace("199032", "199033")}, "startText", "start.tick: found"),
        ({"startText": START_TEXT.replace("3000", "0")}, "startText", "fee: found 0, allowed is"),
    ],
)
def test_a_bad_log_is_told_where_it_is_bad(
    changes: dict[str, str], field: str | None, said: str, alice: Person
) -> None:
    error = refused(alice, SENT | changes)
    assert error["code"] == "INVALID_SCENARIO"
    assert said in error["message"]
    assert error.get("details", {}).get("field") == field
    assert alice.get("/simulations").json() == []


@pytest.mark.parametrize(
    "body",
    [
        SENT | {"swaps": DAY},
        {name: value for name, value in SENT.items() if name != "startText"},
        {name: value for name, value in SENT.items() if name != "droid"},
        SENT | {"swapsText": ["block"]},
        {"scenario": "calm", "grid": {"maxBots": [3]}},
        GRID | {"grid": "maxBots=3,5"},
        GRID | {"grid": {"maxBots": 3}},
    ],
)
def test_half_a_log_or_two_are_refused(body: dict[str, Any], alice: Person) -> None:
    assert refused(alice, body)["code"] == "INVALID_REQUEST"


def test_half_a_character_is_no_log(alice: Person) -> None:
    body = '{"droid":{},"swapsText":"\\ud800","startText":"{}"}'
    headers = alice.headers | {"Content-Type": "application/json"}
    answer = alice.http.post("/simulations", content=body, headers=headers)
    assert "found half a character, allowed is Unicode" in answer.json()["error"]["message"]


def test_only_this_route_takes_a_large_body_and_only_one_that_says_its_length(
    alice: Person,
) -> None:
    large = b'{"name":"' + b"x" * 100_000 + b'"}'
    headers = alice.headers | {"Content-Type": "application/json"}
    for route in ("/orders", "/simulations/simulation_1/runs", "/auth/api-keys"):
        answer = alice.http.post(route, content=large, headers=headers)
        assert error_of(answer) == (413, "PAYLOAD_TOO_LARGE"), route
    unsaid = alice.http.post("/simulations", content=iter([large]), headers=headers)
    assert error_of(unsaid) == (413, "PAYLOAD_TOO_LARGE")
    too_large = alice.http.post(
        "/simulations", content=b" " * (LOG_BODY_BYTES_MAX + 1), headers=headers
    )
    assert str(LOG_BODY_BYTES_MAX) in too_large.json()["error"]["message"]


def test_an_address_sends_few_large_bodies_at_a_time(exchange: Deployment, alice: Person) -> None:
    head = (
        f"POST {ROUTE} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {alice.token}\r\n"
        "Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
    ).encode()
    no_droid = {"droid": {}, **sent(MORNING)}
    with ExitStack() as open_ones:
        for _ in range(LARGE_AT_ONCE.at_once_of_address_max):
            open_ones.enter_context(connect(exchange)).sendall(head + b" ")

        assert eventually(lambda: alice.post(ROUTE, no_droid).status_code == 503)
        assert alice.post(ROUTE, SENT).status_code == 202
    assert eventually(lambda: alice.post(ROUTE, no_droid).status_code == 400)


def test_a_route_has_the_larger_of_its_own_limit_and_that_of_all() -> None:
    assert BodyLimits(65_536, LARGE_BODIES).bytes_max("POST", ROUTE) == LOG_BODY_BYTES_MAX
    assert BodyLimits(65_536, LARGE_BODIES).bytes_max("GET", ROUTE) == 65_536
    assert BodyLimits(2**24, LARGE_BODIES).bytes_max("POST", ROUTE) == 2**24


def test_a_grid_has_the_steps_of_all_its_combinations(alice: Person) -> None:
    one = asked(alice, GRID | {"grid": {"tickBuckets": [1, "2"], "maxBots": [3, 4, 5]}})
    assert one["scenario"] == f"droid-{DAY}-grid"
    assert (one["traders"], one["progress"]["steps"]) == (6, 6 * 6_877)


@pytest.mark.parametrize(
    ("grid", "field", "said"),
    [
        ({}, "grid", "allowed is fields of the droid"),
        ({"maxBot": [3]}, "grid.maxBot", "(nearest: maxBots)"),
        ({"maxBots": []}, "grid.maxBots", "a list of at least one value"),
        ({"maxBots": [True]}, "grid.maxBots", "each a number or a word"),
        ({"maxBots": [3, 300]}, "grid.maxBots", "at least 1 and at most 100"),
        ({"minPrice": [9_000]}, "grid.minPrice", "below maxPrice"),
        ({"maxBots": [3] * 40, "tickBuckets": [1] * 40}, "grid", "found 1600 combinations"),
    ],
)
def test_a_wrong_grid_is_told_field_and_what_is_allowed(
    grid: dict[str, Any], field: str, said: str, alice: Person
) -> None:
    error = refused(alice, GRID | {"grid": grid})
    assert (error["code"], error["details"]["field"]) == ("INVALID_SCENARIO", field)
    assert said in error["message"]


def test_a_grid_that_is_too_much_work_is_refused_as_any_scenario(alice: Person) -> None:
    grid = {"maxBots": [*range(3, 23)], "tickBuckets": [*range(1, 21)]}
    answer = alice.post("/simulations", GRID | {"grid": grid})
    assert error_of(answer) == (403, "FORBIDDEN")
    assert "traders and orders × steps" in answer.json()["error"]["message"]


def test_a_chain_s_droids_are_work_as_traders_are(alice: Person) -> None:
    droids = [f"[[droids]]{CHAIN}".replace('"ladder"', f'"ladder-{no}"') for no in range(100)]
    slow = BOOKS.replace("seed = 1\n", "seed = 1\nstep_us = 1_000_000\n")
    for text, status in ((slow, 202), ("".join([slow, *droids]), 403)):
        answer = alice.post("/simulations", {"scenarioText": text, "durationS": TWO_DAYS_S})
        assert answer.status_code == status, answer.text
    assert "traders and orders × steps" in answer.json()["error"]["message"]


def test_how_many_actors_a_simulation_has_is_nobody_s_to_ask(alice: Person) -> None:
    body = {"scenario": "pool-and-book", "actors": 2}
    assert refused(alice, body)["code"] == "INVALID_REQUEST"
    text = f"actors = 2\n{BOOKS}"
    assert refused(alice, {"scenarioText": text})["message"].startswith("actors: unknown")
