import numpy as np

from tests.sim.volume_curve import SEED, Executed, executed, shares

FORECAST = {"sell_ppm": 0, "parent_quote": 20_000}


def distance(agents: np.ndarray, market: np.ndarray) -> float:
    return float(np.abs(shares(agents) - shares(market)).max())


def test_execution_follows_the_volume_that_the_market_trades() -> None:
    print(f"seed {SEED}")
    followed, even = executed("vwap", **FORECAST), executed("twap", **FORECAST)
    near, far = distance(followed.agents, followed.market), distance(even.agents, even.market)
    print(f"largest distance from the volume curve: VWAP {near:.3f}, TWAP {far:.3f}")
    assert near < 0.1
    assert far > 2.5 * near


def assert_done(ran: Executed) -> None:
    whole = ran.whole_lots
    assert np.array_equal(ran.traders.holdings[0].positions_lots, whole)


def test_the_whole_is_done_at_the_end() -> None:
    ran = executed("vwap", **FORECAST)
    assert np.array_equal(ran.traders.holdings[0].positions_lots, ran.whole_lots)


def test_a_forecast_of_the_scenario_replaces_the_one_from_before() -> None:
    ran = executed("vwap", volume_quote=100_000_000, **FORECAST)
    assert shares(ran.agents)[200] < 0.2
    assert np.array_equal(ran.traders.holdings[0].positions_lots, ran.whole_lots)
