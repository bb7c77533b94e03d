"""Strategies on history: asked for, run to the end, followed, cancelled, deleted."""

import json
from decimal import Decimal
from typing import Any

import pytest

from storage.runs.simulation_runs import begin_run
from tests.api.asked_backtests import (
    AFTER,
    DAY,
    DAY_BEFORE,
    DAY_US,
    MARKET,
    NOBODYS,
    SYMBOL,
    Backtests,
    body,
    faults,
    refused,
    with_candles,
    without_candles,
)

LARGE = {"candle_s": [60, 120, 180, 240, 300, 360], "voting.min_votes": [1, 2, 3, 4, 5, 6]}
DAY_S = 86_400
GRID = {"voting.min_confidence": [0.1, 0.99]}


def test_a_backtest_runs_on_the_exchange_s_own_candles_and_tells_how_it_went(
    backtests: Backtests,
) -> None:
    one = backtests.asked()
    waiting = backtests.paper.asks(f"backtest/{one}")
    assert (waiting["status"], waiting["progress"], waiting["best"]) == ("pending", 0, None)
    assert (waiting["from_time"], waiting["to_time"]) == (
        f"{DAY}T00:00:00Z", f"{DAY}T00:{AFTER}:00Z",
    )  # fmt: skip
    backtests.runs_all()
    told = backtests.paper.asks(f"backtest/{one}")
    assert (told["status"], told["progress"], told["combinations"]) == ("completed", 100, 1)
    (result,) = told["results"]
    metrics, equity = result["metrics"], result["equity"]
    assert result["error"] is None
    page = backtests.agents.app.http.get(result["report"])
    assert result["state_hash"] in page.text
    assert "sandbox" in page.headers["content-security-policy"]
    assert (equity[0]["value"], equity[-1]["value"]) == (10_000, metrics["final_capital"])
    assert len(equity) == AFTER + 1
    assert metrics["total_return"] == round(metrics["final_capital"] / 10_000 - 1, 8)
    assert metrics["total_trades"] > 0
    assert result["trade_count"] == len(result["trades"]) >= metrics["total_trades"]
    closed = [one for one in result["trades"] if one["exit_time"] is not None]
    assert metrics["winning_trades"] == sum(one["pnl"] > 0 for one in closed)
    assert all(one["symbol"] == SYMBOL and one["agents"] for one in closed)
    assert all(one["entry_time"].startswith(f"{DAY}T00:") for one in closed)
    assert sum(result["decisions"].values()) == 6 * AFTER
    assert set(result["verdicts"]) == {"APPROVED", "REDUCED", "VETOED"}
    let = [*result["verdicts"]["APPROVED"].values(), *result["verdicts"]["REDUCED"].values()]
    assert sum(let) >= result["trade_count"]
    assert "Verdicts: " in page.text
    earned = sum(one["pnl"] for one in result["trades"])
    assert sum(one["pnl"] for one in result["agents"]) == earned
    assert told["best"] == {
        "combination": 0, "parameters": {}, "total_return": metrics["total_return"],
    }  # fmt: skip
    simulation = backtests.database.execute("SELECT state_hash, scenario FROM simulations")
    assert simulation.fetchone()[0] == result["state_hash"]  # type: ignore[index]


def test_the_same_request_comes_to_the_same_hash_whatever_became_of_the_candles(
    backtests: Backtests,
) -> None:
    first, second = backtests.asked(), backtests.asked()
    other = backtests.asked(seed=4)
    backtests.database.execute("UPDATE candles SET close_ticks = close_ticks + 1")
    backtests.runs_all()
    hashes = [
        backtests.paper.asks(f"backtest/{one}")["results"][0]["state_hash"]
        for one in (first, second, other)
    ]
    assert hashes[0] == hashes[1] != hashes[2]


def test_each_combination_of_a_grid_is_a_simulation_and_the_list_has_the_best(
    backtests: Backtests,
) -> None:
    one = backtests.asked(parameter_grid=GRID)
    assert len(backtests.numbers(one)) == 2
    backtests.runs_all()
    told = backtests.paper.asks(f"backtest/{one}")
    eager, shy = told["results"]
    assert shy["parameters"] == {"voting.min_confidence": Decimal("0.99")}
    assert (shy["trade_count"], shy["metrics"]["total_return"]) == (0, 0)
    assert eager["trade_count"] > 0
    assert eager["state_hash"] != shy["state_hash"]
    listed = backtests.paper.asks("backtest")
    assert (listed["count"], listed["total"]) == (1, 1)
    returns = [result["metrics"]["total_return"] for result in told["results"]]
    assert listed["backtests"][0]["best"]["total_return"] == max(returns)
    assert listed["backtests"][0].items() <= told.items()


def test_one_whose_process_is_lost_goes_on_and_comes_to_the_same_hash(
    backtests: Backtests,
) -> None:
    whole = backtests.asked()
    backtests.runs_all()
    lost = backtests.asked()
    (number,) = backtests.takes()
    assert begin_run(backtests.database, number) is not None  # and it is never heard of again
    assert backtests.paper.asks(f"backtest/{lost}")["status"] == "running"
    backtests.loses(number)
    backtests.resumes(number)
    told = [backtests.paper.asks(f"backtest/{one}")["results"][0] for one in (whole, lost)]
    assert told[0]["state_hash"] == told[1]["state_hash"]
    assert told[0]["trades"] == told[1]["trades"]


def test_a_session_trades_all_symbols_by_the_strategy_in_force(backtests: Backtests) -> None:
    with_candles(backtests.database, "BTC-PERP")
    one = backtests.asked(symbols=["BTC/USDT", SYMBOL], strategy=None)
    without_candles(backtests.database, "BTC-PERP")
    backtests.runs_all()
    told = backtests.paper.asks(f"backtest/{one}")
    assert told["status"] == "completed"
    assert told["strategy"] == backtests.paper.asks("strategies/current")
    assert sum(told["results"][0]["decisions"].values()) == 2 * 6 * AFTER


def test_a_scenario_that_ships_is_lived_instead_of_history(backtests: Backtests) -> None:
    crowd = [{"name": "makers", "strategy": "ladder", "heads": 2, "capital": "1000000000"}]
    one = backtests.asked(
        start_date=None, end_date=None, symbols=["BTC/USDT"], scenario="calm", duration_s=60,
        populations=crowd,
    )  # fmt: skip
    backtests.runs_all()
    told = backtests.paper.asks(f"backtest/{one}")
    assert (told["status"], told["scenario"]) == ("completed", "calm")
    assert (told["from_time"], told["to_time"]) == ("1970-01-01T00:00:00Z", "1970-01-01T00:01:00Z")
    assert told["results"][0]["decisions"] == {"BUY": 0, "SELL": 0, "HOLD": 6}


def test_everything_that_is_wrong_is_told_at_once(backtests: Backtests) -> None:
    found = faults(
        backtests.paper,
        end_date=DAY_BEFORE,
        symbols=["DOGE/USDT", SYMBOL, SYMBOL],
        strategy={"voting": {"wisdom": 1}},
        duration_s=60,
    )
    assert set(found) == {
        "end_date", "symbols.0", "symbols.2", "strategy.voting.wisdom", "duration_s",
    }  # fmt: skip
    assert found["end_date"] == "must not be before start_date"
    assert backtests.paper.asks("backtest")["total"] == 0


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"start_date": "2024-12-01"}, "start_date", f"history reaches from {DAY_BEFORE}T22:00"),
        ({"end_date": "2025-01-16"}, "end_date", f"to {DAY}T00:20:00Z"),
        ({"start_date": None}, "start_date", "is missing"),
        ({"start_date": None, "end_date": None}, "start_date", "or a scenario"),
        ({"parameter_grid": {"voting.quorum": [0.5, 2]}}, "parameter_grid.voting.quorum", "most 1"),
        ({"parameter_grid": {"name": ["x"]}}, "parameter_grid.name", "list of numbers"),
        ({"parameter_grid": {"voting": [1]}}, "parameter_grid.voting", "section"),
        ({"parameter_grid": LARGE}, "parameter_grid", "has 36 combinations, allowed are at most"),
        ({"initial_capital": "0.0000001"}, "initial_capital", "0"),
        ({"populations": [{"strategy": "signal-agents"}]}, "populations.0.strategy", "own"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_allowed(
    backtests: Backtests, changes: dict[str, Any], field: str, said: str
) -> None:
    found = faults(backtests.paper, **changes)
    assert said in found[field], found


def test_days_in_a_gap_of_history_are_refused(backtests: Backtests) -> None:
    later = "UPDATE candles SET open_time_us = open_time_us + %s WHERE open_time_us >= %s"
    backtests.database.execute(later, (9 * DAY_S * 10**6, DAY_US))
    told = refused(backtests.paper, body(start_date="2025-01-19", end_date="2025-01-20"))
    assert told["field"] == "start_date"
    assert "none of them" in told["details"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"start_date": "2025-02-30"}, "start_date"),
        ({"start_date": "yesterday"}, "start_date"),
        ({"symbols": []}, "symbols"),
        ({"initial_capital": 0}, "initial_capital"),
        ({"initial_capital": "much"}, "initial_capital"),
        ({"name": ""}, "name"),
        ({"name": "\x07"}, "name"),
        ({"wish": 1}, "wish"),
        ({"seed": -1}, "seed"),
        ({"parameter_grid": {"voting.quorum": []}}, "parameter_grid.voting.quorum"),
        ({"scenario": "no-such", "start_date": None, "end_date": None}, "scenario"),
        ({"scenario": "replay", "start_date": None, "end_date": None}, ""),
        ({"populations": [{"name": "x", "strategy": "ladder"}]}, "populations[0].heads"),
        ({"strategy": {"candle_s": 90, "voting": {"quorum": 2}}}, "strategy.voting.quorum"),
    ],
)
def test_a_bad_body_is_refused_by_its_field(
    backtests: Backtests, changes: dict[str, Any], field: str
) -> None:
    told = refused(backtests.paper, body(**changes))
    assert set(told) <= {"error", "details", "field", "errors"}
    assert told.get("field", "").startswith(field), told
    assert backtests.paper.asks("backtest")["total"] == 0


def test_a_backtest_that_waits_is_cancelled_and_deleted(backtests: Backtests) -> None:
    one = backtests.asked(parameter_grid=GRID)
    early = backtests.paper.sends("DELETE", f"backtest/{one}")
    assert (early.status_code, early.json()["status"]) == (409, "pending")
    assert backtests.paper.does(f"backtest/{one}/cancel", None)["status"] == "cancelled"
    assert backtests.takes() == []
    told = backtests.paper.asks(f"backtest/{one}")
    assert [result["status"] for result in told["results"]] == ["cancelled", "cancelled"]
    again = backtests.paper.sends("POST", f"backtest/{one}/cancel")
    assert (again.status_code, again.json()) == (
        409,
        {
            "error": "backtest cannot be cancelled",
            "details": "The backtest is cancelled",
            "backtest_id": one,
            "status": "cancelled",
        },
    )
    assert backtests.paper.sends("DELETE", f"backtest/{one}").status_code == 200
    assert backtests.paper.sends("GET", f"backtest/{one}").status_code == 404
    assert backtests.numbers(one) == []
    done = [entry["action"] for entry in backtests.paper.asks("audit")["entries"]]
    assert done == ["backtest_deleted", "backtest_cancelled", "backtest_run"]


def test_a_backtest_that_runs_is_stopped_and_tells_what_it_has(backtests: Backtests) -> None:
    one = backtests.asked()
    (number,) = backtests.takes()
    assert backtests.paper.does(f"backtest/{one}/cancel", None)["id"] == one
    early = backtests.paper.sends("DELETE", f"backtest/{one}")
    assert (early.status_code, early.json()["error"]) == (409, "backtest cannot be deleted")
    backtests.resumes(number)
    told = backtests.paper.asks(f"backtest/{one}")
    assert (told["status"], told["results"][0]["status"]) == ("cancelled", "cancelled")
    assert told["results"][0]["metrics"] is None
    assert backtests.paper.sends("DELETE", f"backtest/{one}").status_code == 200


def test_one_that_has_ended_is_not_cancelled(backtests: Backtests) -> None:
    one = backtests.asked()
    backtests.runs_all()
    answer = backtests.paper.sends("POST", f"backtest/{one}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (409, "completed")


@pytest.mark.parametrize("which", ["theirs", NOBODYS])
def test_nobody_sees_another_s_backtest(backtests: Backtests, which: str) -> None:
    theirs = backtests.asked(backtests.agents.client())
    named = theirs if which == "theirs" else which
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/cancel")):
        answer = backtests.paper.sends(method, f"backtest/{named}{path}")
        assert (answer.status_code, answer.json()) == (
            404, {"error": "backtest not found", "backtest_id": named},
        )  # fmt: skip
    assert backtests.paper.asks("backtest")["total"] == 0
    wrong = backtests.paper.sends("GET", "backtest/12")
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid backtest_id format")


def test_the_list_has_pages(backtests: Backtests) -> None:
    names = [backtests.asked(name=f"no. {place}") for place in range(3)]
    page = backtests.paper.asks("backtest", limit="2", offset="1")
    assert [one["id"] for one in page["backtests"]] == [names[1], names[0]]
    assert (page["count"], page["total"]) == (2, 3)
    for bad in ({"limit": "0"}, {"limit": "101"}, {"offset": "-1"}):
        answer = backtests.agents.app.http.get("/api/v1/backtest", params=bad)
        assert answer.status_code == 400


def test_a_key_makes_one_backtest(backtests: Backtests) -> None:
    key = {"Idempotency-Key": "one"}
    first = backtests.paper.sends("POST", "backtest/run", body(), **key)
    again = backtests.paper.sends("POST", "backtest/run", body(), **key)
    assert first.json() == again.json()
    other = backtests.paper.sends("POST", "backtest/run", body(name="another"), **key)
    assert other.status_code == 409
    assert backtests.paper.asks("backtest")["total"] == 1


def test_a_grid_counts_once_among_what_may_wait(backtests: Backtests) -> None:
    for _ in range(5):
        backtests.asked(parameter_grid=GRID)
    told = refused(backtests.paper, body(), 409)
    assert told["error"] == "too many simulations"


def test_who_may_only_look_runs_nothing_and_what_is_too_large_takes_an_admin(
    backtests: Backtests,
) -> None:
    assert refused(backtests.agents.client("VIEWER"), body(), 403)["error"] == "forbidden"
    crowd = [{"name": "many", "strategy": "noise", "heads": 20_000, "capital": "1000"}]
    told = refused(backtests.paper, body(populations=crowd), 403)
    assert "20001 traders" in told["details"]


def test_a_run_that_is_forgotten_leaves_the_others(backtests: Backtests) -> None:
    one = backtests.asked(parameter_grid=GRID)
    backtests.runs_all()
    backtests.database.execute(
        "DELETE FROM simulations WHERE id = %s", (backtests.numbers(one)[0],)
    )
    gone, there = backtests.paper.asks(f"backtest/{one}")["results"]
    assert (gone["status"], gone["metrics"], there["status"]) == ("forgotten", None, "completed")
    assert MARKET in str(backtests.database.execute("SELECT scenario FROM simulations").fetchone())


@pytest.mark.parametrize("field", ["strategy", "parameter_grid", "populations", "name", "symbols"])
@pytest.mark.parametrize(
    "value", ["1e400", "[[1e400]]", "null", '{"a":1e400}', "[" * 900 + "]" * 900, '["\\ud800"]',
              '{"' + "a." * 5_000 + '":[1]}', '[{"a":' * 400 + "1" + "}]" * 400],
)  # fmt: skip
def test_s30_a_value_that_would_hurt_to_read_is_refused(
    backtests: Backtests, field: str, value: str
) -> None:
    text = json.dumps(body(**{field: "sent"})).replace('"sent"', value)
    headers = {"Content-Type": "application/json"}
    http = backtests.agents.app.http
    answer = http.post("/api/v1/backtest/run", content=text, headers=headers)
    optional = value == "null" and field not in ("name", "symbols")
    assert answer.status_code == (202 if optional else 400), answer.text
