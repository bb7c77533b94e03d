"""What backtests may take of what is everybody's, and what of history they live."""

from datetime import UTC, datetime, timedelta

from sim.money.candles import MINUTE_US
from storage.postgres.database import now_us
from tests.api.asked_backtests import INSERT, MARKET, Backtests, body, refused
from tests.simulations import SMALL

RSI = "agents.technical.rsi_period"


def test_one_owner_s_grids_leave_places_to_everybody_else(backtests: Backtests) -> None:
    many, others = backtests.agents.client(), backtests.agents.client()
    backtests.asked(many, parameter_grid={RSI: [*range(10, 42)]})
    told = refused(many, body(), 409)
    assert "At most 32 runs of your backtests may wait or run" in told["details"]
    assert many.http.post(
        "/simulations", json={"scenarioText": SMALL}, headers=dict(many.headers)
    ).is_success
    backtests.asked(others, parameter_grid={RSI: [*range(10, 26)]})
    told = refused(backtests.agents.client(), body(parameter_grid={RSI: [10, 11, 12]}), 409)
    assert "At most 50 runs of backtests from one address may wait or run" in told["details"]
    third = backtests.agents.client()
    backtests.asked(third, parameter_grid={RSI: [10, 11]})
    assert third.http.post(
        "/simulations", json={"scenarioText": SMALL}, headers=dict(third.headers)
    ).is_success


def test_the_minute_that_is_under_way_is_no_history_yet(backtests: Backtests) -> None:
    first_us = now_us() // MINUTE_US * MINUTE_US - MINUTE_US
    try:
        for place in range(4):
            at_us = first_us + place * MINUTE_US
            backtests.database.execute(INSERT, (MARKET, MINUTE_US, at_us, 9, 9, 9, 9))
        today = datetime.fromtimestamp(first_us / 1e6, UTC)
        day = today.date().isoformat()
        one = backtests.paper.asks(f"backtest/{backtests.asked(start_date=day, end_date=day)}")
        ended, created = map(datetime.fromisoformat, (one["to_time"], one["created_at"]))
        assert timedelta(0) <= created - ended < timedelta(minutes=1)
        assert ended.second == 0
    finally:
        backtests.database.execute(
            "DELETE FROM candles WHERE open_time_us >= %s AND market_id = %s", (first_us, MARKET)
        )


def test_what_was_cancelled_on_the_way_is_never_the_best(backtests: Backtests) -> None:
    one = backtests.asked()
    (number,) = backtests.takes()
    backtests.loses(number)
    backtests.paper.does(f"backtest/{one}/cancel", None)
    backtests.resumes(number)
    told = backtests.paper.asks(f"backtest/{one}")
    assert told["results"][0]["status"] == "cancelled"
    assert told["results"][0]["metrics"]["total_return"] is not None
    assert told["best"] is None
    assert backtests.paper.asks("backtest")["backtests"][0]["best"] is None
