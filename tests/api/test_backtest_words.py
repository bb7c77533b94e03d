"""What is said of a request for a backtest: each thing once, by its field, with what is allowed."""

from typing import Any

import pytest

from sim.signals.strategy import merged
from tests.api.asked_backtests import DAY, DAY_BEFORE, EAGER, SYMBOL, Backtests, body, refused

UNDATED: dict[str, Any] = {"start_date": None, "end_date": None}


@pytest.mark.parametrize("day", ["0001-01-01", "1900-01-01", "1969-12-31"])
def test_a_day_before_all_history_is_a_day(backtests: Backtests, day: str) -> None:
    said = refused(backtests.paper, body(start_date=day))["details"]
    assert said == f"start_date: history reaches from {DAY_BEFORE}T22:00:00Z to {DAY}T00:20:00Z"


def test_a_day_after_all_history_is_a_day(backtests: Backtests) -> None:
    told = refused(backtests.paper, body(end_date="9999-12-31"))
    assert f"end_date: history reaches from {DAY_BEFORE}" in told["details"]


def test_a_scenario_is_set_on_days_that_can_be_told(backtests: Backtests) -> None:
    changes = {"scenario": "calm", "start_date": "1900-01-01", "end_date": "9999-12-31"}
    told = refused(backtests.paper, body(symbols=["BTC/USDT"], **changes))
    assert {one["field"] for one in told["errors"]} == {"start_date", "end_date"}
    assert "from 1970-01-01 to 9998-12-31" in told["details"]


def test_the_scenarios_that_are_listed_may_be_run(backtests: Backtests) -> None:
    said = refused(backtests.paper, body(scenario="nope", **UNDATED))["details"]
    names = said.partition("one of ")[2].split(", ")
    assert "replay" not in names
    assert {"calm", "flash-crash"} <= set(names)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"initial_capital": "0.0000001"}, "initial_capital: 0.0000001 is below the least amount"),
        ({"initial_capital": "1.0000001"}, "initial_capital: 1.0000001 has more than"),
        ({"symbols": ["DOGE/USDT"]}, "symbols.0: must be one of"),
        ({"parameter_grid": {"voting.quorum": [2]}}, "parameter_grid: voting.quorum must be"),
        ({"scenario": "calm", "symbols": [SYMBOL], **UNDATED}, "symbols.0: ETH/USDT is ETH-PERP"),
    ],
)
def test_a_field_is_named_once(backtests: Backtests, changes: dict[str, Any], said: str) -> None:
    told = refused(backtests.paper, body(**changes))
    assert told["details"].startswith(said)
    for one in told.get("errors", []):
        assert told["details"].endswith(f": {one['message']}")
        assert not one["message"].startswith((f"{one['field']}:", "parameter_grid"))


def test_a_combination_that_no_grid_has_is_told_the_bound(backtests: Backtests) -> None:
    path = f"backtest/{backtests.asked()}/report?combination=32"
    answer = backtests.paper.sends("GET", path)
    assert answer.json()["details"] == "combination: must be 31 or less: that is the maximum"


def test_the_whole_strategy_is_told_with_its_defaults(backtests: Backtests) -> None:
    told = backtests.paper.asks(f"backtest/{backtests.asked()}")["strategy"]
    default = backtests.paper.asks("strategies/current")
    assert told["agents"]["technical"] == default["agents"]["technical"]
    assert {name: float(told["voting"][name]) for name in EAGER["voting"]} == EAGER["voting"]
    assert set(merged(default, EAGER)) == set(told)


def test_the_document_tells_what_a_backtest_s_fields_are(backtests: Backtests) -> None:
    schemas = backtests.agents.app.http.get("/openapi.json").json()["components"]["schemas"]
    told = {
        f"{schema}.{name}": schemas[schema]["properties"][name]["description"]
        for schema, name in (
            ("BacktestTold", "status"),
            ("BacktestAnswer", "status"),
            ("BacktestQueuedAnswer", "message"),
            ("BacktestTrade", "side"),
        )
    }
    assert told["BacktestTold.status"] == told["BacktestAnswer.status"]
    assert "completed" in told["BacktestTold.status"]
    assert "waits" in told["BacktestQueuedAnswer.message"]
    assert told["BacktestTrade.side"] == "LONG or SHORT."
    _, number = schemas["BacktestSent"]["properties"]["initial_capital"]["anyOf"]
    assert (number["exclusiveMinimum"], "minimum" in number) == (0, False)
