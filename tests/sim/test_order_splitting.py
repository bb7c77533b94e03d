import numpy as np
import pytest

from sim.facts.measures import autocorrelation
from sim.market import BTC_PERP
from sim.populations.dice import UNIT
from sim.populations.order_splitting import parts
from sim.rows.messages import Side, TimeInForce
from tests.sim.lone_traders import INDEX, crowd, rows_whole_and_in_parts
from tests.sim.simulated_market import still_view

SEED = 71
VIEW = still_view(BTC_PERP, INDEX, INDEX - 5, INDEX + 5)


def signs(heads: int, steps: int, **fields: int) -> np.ndarray:
    """Of the parts in the order they are sent, ±1; nothing is ever filled."""
    traders = crowd("order-splitting", heads, 1, SEED, **fields)
    rows = np.concatenate([traders.act(step, [VIEW])[0] for step in range(1, steps + 1)])
    assert np.all(rows["time_in_force"] == TimeInForce.IOC)
    return np.where(rows["side"] == Side.BUY, 1.0, -1.0)


@pytest.mark.parametrize("tail_percent", [120, 150, 300])
def test_the_number_of_parts_has_the_tail_it_is_told(tail_percent: int) -> None:
    counts = parts(np.arange(UNIT), tail_percent)
    assert counts.min() == 1
    for more_than in (1, 3, 10):
        share = (counts > more_than).mean()
        assert share == pytest.approx((more_than + 1) ** (-tail_percent / 100), rel=0.03)


def test_signs_remember_as_lillo_mike_and_farmer_say() -> None:
    """With M traders and exponent α: near M^(α−2) k^(1−α) ÷ α at a lag k that is not small."""
    print(f"seed {SEED}")
    lags = np.array([4, 16, 64])
    found = autocorrelation(signs(5, 20_000, activity_ppm=200_000), lags)
    wanted = 5.0**-0.5 * lags**-0.5 / 1.5
    print(found.round(3), wanted.round(3))
    assert np.all(found > wanted / 2)
    assert np.all(found < wanted * 2)


def test_one_part_at_a_time_forgets_at_once() -> None:
    found = signs(5, 5_000, activity_ppm=200_000, tail_percent=1_000)
    assert abs(autocorrelation(found, np.array([2]))[0]) < 0.05


def test_a_position_at_its_limit_is_not_added_to() -> None:
    traders = crowd("order-splitting", 400, 1, SEED, activity_ppm=1_000_000)
    limit = traders.limit_lots(0, VIEW)
    traders.enter(0, 1, np.full(400, limit))
    for step in range(1, 5):
        [rows] = traders.act(step, [VIEW])
        assert np.all(rows["side"] == Side.SELL)


def test_nobody_pays_a_wide_spread() -> None:
    traders = crowd("order-splitting", 50, 1, SEED, activity_ppm=1_000_000, patience_ppm=100)
    assert len(traders.act(1, [VIEW])[0]) == 50
    wide = still_view(BTC_PERP, INDEX, INDEX - 50, INDEX + 50)
    assert len(traders.act(2, [wide])[0]) == 0


def test_parts_of_the_population_do_what_the_whole_does() -> None:
    whole, in_parts = rows_whole_and_in_parts("order-splitting", steps=10)
    assert np.array_equal(whole, in_parts)
