"""/simulations: asked for, followed, read, stopped, repeated; by whom, and how much of it."""

from collections.abc import Iterator
from typing import Any

import pytest

from api.simulations.schemas import SCENARIO_TEXT
from storage.runs.simulation_runs import Ending, Progress, begin_run, end_run, fail_run, start_next
from storage.runs.simulations import Report, SimulationStatus
from tests.api.deployment import Deployment, Person, error_of
from tests.simulations import SMALL

PAGE = "<!doctype html><title>report</title>"
POLICY = "default-src 'none'; style-src 'sha256-abc='"


@pytest.fixture(autouse=True)
def empty_queue(exchange: Deployment) -> Iterator[None]:
    exchange.database.execute("DELETE FROM simulations")
    yield
    exchange.database.execute("DELETE FROM simulations")


def ask(person: Person, **more: Any) -> str:
    answer = person.post("/simulations", {"scenarioText": SMALL} | more)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["simulationId"])


def refusal(person: Person, **body: Any) -> tuple[tuple[int, str], dict[str, Any]]:
    answer = person.post("/simulations", body)
    return error_of(answer), answer.json()["error"].get("details", {})


def run(exchange: Deployment, name: str, error: str = "") -> None:
    """As a runner would end it."""
    number = int(name.removeprefix("simulation_"))
    start_next(exchange.database, 10)
    begun = begin_run(exchange.database, number)
    assert begun is not None
    if error:
        fail_run(exchange.database, begun.run, error)
        return
    progress, summary = Progress(80, 9, 3), {"state_hash": "ab", "orders": 9}
    report = Report(PAGE, POLICY)
    ending = Ending(SimulationStatus.FINISHED, progress, "ab", summary, report)
    end_run(exchange.database, begun.run, ending)


def test_a_simulation_from_the_wish_to_its_report(exchange: Deployment, alice: Person) -> None:
    name = ask(alice, seed=9, durationS=4)
    one = alice.get(f"/simulations/{name}").json()
    assert (one["status"], one["scenario"], one["seed"]) == ("QUEUED", "tiny", 9)
    assert (one["traders"], one["markets"], one["ahead"]) == (302, 1, 0)
    assert one["progress"]["steps"] == 40
    early = alice.get(f"/simulations/{name}/report")
    assert error_of(early) == (409, "SIMULATION_NOT_ENDED")
    run(exchange, name)
    ended = alice.get(f"/simulations/{name}").json()
    assert (ended["status"], ended["stateHash"]) == ("FINISHED", "ab")
    assert ended["result"] == {"state_hash": "ab", "orders": 9}
    assert ended["progress"] | {"step": 80, "orders": 9, "fills": 3} == ended["progress"]
    (listed,) = alice.get("/simulations").json()
    assert listed == {name: ended[name] for name in ended if name not in ("ahead", "result")}


def test_the_report_runs_in_an_origin_of_its_own_and_loads_nothing(
    exchange: Deployment, alice: Person
) -> None:
    name = ask(alice)
    run(exchange, name)
    report = alice.get(f"/simulations/{name}/report")
    assert (report.status_code, report.text) == (200, PAGE)
    assert report.headers["content-type"] == "text/html; charset=utf-8"
    assert report.headers["x-content-type-options"] == "nosniff"
    assert report.headers["cache-control"] == "private, no-store"
    policy = report.headers["content-security-policy"]
    assert policy == POLICY + "; sandbox allow-scripts; frame-ancestors 'none'"


def test_a_simulation_that_failed_says_why_and_has_no_report(
    exchange: Deployment, alice: Person
) -> None:
    name = ask(alice)
    run(exchange, name, error="It needs more memory")
    one = alice.get(f"/simulations/{name}").json()
    assert (one["status"], one["error"]) == ("FAILED", "It needs more memory")
    assert error_of(alice.get(f"/simulations/{name}/report")) == (404, "NOT_FOUND")


def test_stopping_is_the_same_again_and_too_late_after_the_end(
    exchange: Deployment, alice: Person
) -> None:
    waiting, running, ended = ask(alice), ask(alice), ask(alice)
    run(exchange, ended)
    exchange.database.execute("UPDATE simulations SET status = 'QUEUED' WHERE status = 'RUNNING'")
    exchange.database.execute(
        "UPDATE simulations SET status = 'RUNNING' WHERE id = %s", (running.split("_")[1],)
    )
    for _ in range(2):
        stopped = alice.delete(f"/simulations/{waiting}")
        assert stopped.status_code == 202
        assert stopped.json() == {"simulationId": waiting, "status": "STOPPED"}
        assert alice.delete(f"/simulations/{running}").json()["status"] == "STOPPING"
    assert error_of(alice.delete(f"/simulations/{ended}")) == (409, "SIMULATION_ENDED")


def test_an_ended_simulation_is_forgotten_on_request_and_no_other(
    exchange: Deployment, alice: Person
) -> None:
    ended, waiting = ask(alice), ask(alice)
    run(exchange, ended)
    one = alice.get(f"/simulations/{ended}").json()
    assert one["keptUntil"] - one["endedAt"] == 30 * 86_400_000
    exchange.database.execute("UPDATE simulations SET status = 'QUEUED' WHERE status = 'RUNNING'")
    early = alice.delete(f"/simulations/{waiting}?forget=true")
    assert error_of(early) == (409, "SIMULATION_NOT_ENDED")
    gone = alice.delete(f"/simulations/{ended}?forget=true")
    assert (gone.status_code, gone.json()) == (
        *(200, {"simulationId": ended, "status": "FORGOTTEN"}),
    )
    for method, path in (("get", ""), ("get", "/report"), ("post", "/runs"), ("delete", "")):
        answer = getattr(alice, method)(f"/simulations/{ended}{path}")
        assert error_of(answer) == (404, "SIMULATION_NOT_FOUND")
    again = alice.delete(f"/simulations/{ended}?forget=true")
    assert error_of(again) == (404, "SIMULATION_NOT_FOUND")
    assert [one["simulationId"] for one in alice.get("/simulations").json()] == [waiting]
    assert alice.delete(f"/simulations/{waiting}").json()["status"] == "STOPPED"
    assert alice.delete(f"/simulations/{waiting}?forget=true").status_code == 200
    assert alice.delete(f"/simulations/{waiting}?forget=1").status_code == 400


def test_ended_simulations_lock_nobody_out(
    exchange: Deployment, alice: Person, bob: Person
) -> None:
    """An address may keep 400, everybody 5,000: whoever comes after that is lent an hour."""
    ended = ask(alice)
    run(exchange, ended)
    columns = exchange.database.execute(
        "SELECT string_agg(column_name, ', ') FROM information_schema.columns"
        " WHERE table_name = 'simulations' AND column_name NOT IN ('id', 'account_id')"
    ).fetchall()[0][0]
    exchange.database.execute(
        f"INSERT INTO simulations (account_id, {columns})"
        f" SELECT 900 + n / 100, {columns} FROM simulations, generate_series(1, 5000) AS n"
    )
    for person, kept_ms in ((bob, 3_600_000), (exchange.person(role="ADMIN"), 30 * 86_400_000)):
        name = ask(person)
        run(exchange, name)
        one = person.get(f"/simulations/{name}").json()
        assert one["keptUntil"] - one["endedAt"] == kept_ms


def test_a_simulation_is_run_again_by_its_id(exchange: Deployment, alice: Person) -> None:
    first = ask(alice, seed=77, durationS=3)
    run(exchange, first)
    answer = alice.post(f"/simulations/{first}/runs")
    assert answer.status_code == 202
    again = alice.get(f"/simulations/{answer.json()['simulationId']}").json()
    assert (again["rerunOf"], again["seed"], again["scenario"]) == (first, 77, "tiny")
    assert again["progress"]["steps"] == 30
    rows = exchange.database.execute("SELECT DISTINCT scenario, seed, duration_s FROM simulations")
    assert rows.fetchall() == [(SMALL, 77, 3)]


def test_a_scenario_may_be_a_name_an_object_or_a_text(alice: Person) -> None:
    table = {
        "name": "an-object",
        "seed": 3,
        "duration_s": 5,
        "markets": [
            {
                "id": "ETH-PERP",
                "base": "ETH",
                "quote": "USDC",
                "tick_size": "0.01",
                "lot_size": "0.01",
                "max_quantity": "20000",
                "price": {"process": "constant", "price": "3500"},
            }
        ],
        "populations": [{"name": "n", "strategy": "noise", "heads": 9, "capital": "1000"}],
    }
    bodies = [{"scenario": "calm"}, {"scenario": table}, {"scenarioText": SCENARIO_TEXT}]
    answers = [alice.post("/simulations", body) for body in bodies]
    assert [answer.status_code for answer in answers] == [202] * 3
    named = [one["scenario"] for one in alice.get("/simulations").json()]
    assert named == ["two-crowds", "an-object", "calm"]


def test_a_page_of_simulations_has_a_cursor_to_the_next(alice: Person) -> None:
    names = [ask(alice) for _ in range(3)]
    first = alice.get("/simulations", params={"limit": 2})
    rest = alice.get("/simulations", params={"cursor": first.headers["x-next-cursor"]})
    assert [one["simulationId"] for one in (*first.json(), *rest.json())] == names[::-1]


@pytest.mark.parametrize(
    ("body", "field", "allowed"),
    [
        ({"scenario": "no-such"}, "scenario", "one of agents, basis, calm"),
        ({"scenarioText": SMALL.replace("300", "0")}, "populations[1].heads", "a whole number"),
        ({"scenarioText": SMALL + "colour = 1\n"}, "populations[1].colour", "capital, heads"),
        ({"scenario": {"name": "x", "seed": "1"}}, "seed", "a whole number from 0"),
        ({"scenario": {"name": 1.5}}, "name", "lower-case letters"),
        ({"scenario": {"name": None}}, "scenario", "to leave a field out"),
    ],
)
def test_a_wrong_scenario_is_told_field_and_what_is_allowed(
    body: dict[str, Any], field: str, allowed: str, alice: Person
) -> None:
    error, details = refusal(alice, **body)
    assert error == (400, "INVALID_SCENARIO")
    assert details["field"] == field
    assert details["allowed"].startswith(allowed)


@pytest.mark.parametrize(
    "price",
    [
        'process = "replay", file = "/etc/passwd"',
        'process = "replay", file = "trades.csv"',
        'process = "replay", file = "../../README.md", loop = false',
    ],
)
def test_s23_a_scenario_that_is_sent_opens_no_file(price: str, alice: Person) -> None:
    text = SMALL.replace('process = "synthetic", start = "66000"', price)
    error, details = refusal(alice, scenarioText=text)
    assert error == (400, "INVALID_SCENARIO")
    assert details["field"] == "markets[0].price.process"
    assert refusal(alice, scenario="../worlds/default")[0] == (400, "INVALID_SCENARIO")
    assert refusal(alice, scenario="/etc/passwd")[0] == (400, "INVALID_SCENARIO")


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 50_000,
        "name = 0x" + "F" * 50_000,
        "name = " + "9" * 50_000,
        ".".join("a" * 20_000) + " = 1",
        "# \x00",
        "name = ",
        "",
        "[[markets]]\n" * 4_000,
        "x" * 60_001,
    ],
)
def test_s30_a_text_that_would_hurt_to_read_is_refused(text: str, alice: Person) -> None:
    assert refusal(alice, scenarioText=text)[0] == (400, "INVALID_SCENARIO")


def test_s30_half_a_character_and_a_table_without_end_are_refused(alice: Person) -> None:
    json = alice.headers | {"Content-Type": "application/json"}
    for body in (b'{"scenarioText":"# \\ud800"}', b'{"scenario":{"name":"\\ud800"}}'):
        answer = alice.http.post("/simulations", content=body, headers=json)
        assert error_of(answer) == (400, "INVALID_SCENARIO")
    deep = b'{"scenario":' + b'{"a":' * 9_000 + b"1" + b"}" * 9_001
    assert alice.http.post("/simulations", content=deep, headers=json).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"scenario": "calm", "scenarioText": SMALL},
        {"scenario": 1},
        {"scenario": None},
        {"scenario": "calm", "seed": -1},
        {"scenario": "calm", "seed": 2**63},
        {"scenario": "calm", "seed": 1.5},
        {"scenario": "calm", "durationS": 0},
        {"scenario": "calm", "durationS": 31 * 86_400 + 1},
        {"scenario": "calm", "status": "FINISHED"},
        {"scenario": "calm", "accountId": 1},
    ],
)
def test_s5_a_body_with_more_or_less_than_it_may_have_is_refused(
    body: dict[str, Any], alice: Person
) -> None:
    assert refusal(alice, **body)[0] == (400, "INVALID_REQUEST")
    assert alice.get("/simulations").json() == []


def test_a_trader_has_limits_of_size_and_number_and_an_admin_has_not(
    exchange: Deployment, alice: Person
) -> None:
    admin = exchange.person(role="ADMIN")
    crowd = SMALL.replace("heads = 300", "heads = 20000")
    endless: dict[str, Any] = {"scenarioText": SMALL, "durationS": 31 * 86_400}
    for body in ({"scenarioText": crowd}, {"scenario": "million"}, endless):
        error, details = refusal(alice, **body)
        assert error == (403, "FORBIDDEN")
        assert details["found"] > details["allowed"]
        assert admin.post("/simulations", body).status_code == 202
    for _ in range(5):
        ask(alice)
    assert refusal(alice, scenario="calm")[0] == (409, "TOO_MANY_SIMULATIONS")
    for _ in range(6):
        ask(admin)


def test_s1_a_foreign_simulation_and_a_missing_one_are_the_same_bytes(
    exchange: Deployment, alice: Person, bob: Person
) -> None:
    name = ask(alice)
    run(exchange, name)
    other = ask(alice)
    for method, path in (
        ("get", ""),
        ("get", "/report"),
        ("delete", ""),
        ("delete", "?forget=true"),
        ("post", "/runs"),
    ):
        answers = [
            getattr(bob, method)(f"/simulations/{one}{path}")
            for one in (name, other, "simulation_999999", name.upper(), "simulation_01", "1")
        ]
        assert {error_of(answer) for answer in answers} == {(404, "SIMULATION_NOT_FOUND")}
        assert len({answer.content for answer in answers}) == 1
    assert bob.get("/simulations").json() == []
    assert alice.get(f"/simulations/{other}").json()["status"] == "QUEUED"
    admin = exchange.person(role="ADMIN")
    assert admin.get(f"/simulations/{name}").json()["userId"] == alice.name
    assert admin.get(f"/simulations/{name}/report").text == PAGE
    assert admin.delete(f"/simulations/{other}").json()["status"] == "STOPPED"


def test_the_same_idempotency_key_is_the_same_simulation(alice: Person, bob: Person) -> None:
    body = {"scenario": "calm", "seed": 4}
    first = alice.post("/simulations", body, key="k")
    again = alice.post("/simulations", body, key="k")
    assert first.json() == again.json()
    other = alice.post("/simulations", body | {"seed": 5}, key="k")
    assert error_of(other) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert bob.post("/simulations", body, key="k").json() != first.json()
    path = f"/simulations/{first.json()['simulationId']}/runs"
    runs = [alice.post(path, key="r").json() for _ in range(2)]
    assert runs[0] == runs[1] != first.json()
    assert len(alice.get("/simulations").json()) == 2


def test_metrics_tell_how_many_wait_and_run(exchange: Deployment, alice: Person) -> None:
    ask(alice)
    ask(alice)
    start_next(exchange.database, 1)
    metrics = exchange.metrics()
    assert 'sandpit_simulations{status="QUEUED"} 1.0' in metrics
    assert 'sandpit_simulations{status="RUNNING"} 1.0' in metrics


def test_where_traders_have_filled_the_queue_an_admin_finds_a_place(
    exchange: Deployment, alice: Person, bob: Person
) -> None:
    ask(bob)
    columns = exchange.database.execute(
        "SELECT string_agg(column_name, ', ') FROM information_schema.columns"
        " WHERE table_name = 'simulations' AND column_name <> 'id'"
    ).fetchall()[0][0]
    fill = f"INSERT INTO simulations ({columns}) SELECT {columns} FROM simulations, "
    exchange.database.execute(fill + "generate_series(1, 99)")
    assert refusal(alice, scenario="calm")[0] == (409, "TOO_MANY_SIMULATIONS")
    ask(exchange.person(role="ADMIN"))
