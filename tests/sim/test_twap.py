import numpy as np
import pytest

from sim.market import BTC_PERP
from sim.populations.twap import SCHEDULE_WHOLE
from sim.populations.twap import executed as schedule
from sim.rows.messages import Side
from tests.sim.lone_traders import INDEX, crowd
from tests.sim.simulated_market import still_view
from tests.sim.volume_curve import DURATION, SEED, SLICE, executed, shares


@pytest.mark.parametrize("sell_ppm", [0, 1_000_000])
def test_an_order_is_executed_evenly_and_wholly_whatever_the_market_trades(sell_ppm: int) -> None:
    print(f"seed {SEED}")
    ran = executed("twap", sell_ppm=sell_ppm)
    even = np.arange(1, DURATION + 1) / DURATION
    assert np.abs(shares(ran.agents) - even).max() < 3 * SLICE / DURATION
    held = ran.traders.holdings[0].positions_lots
    assert np.array_equal(np.abs(held), ran.whole_lots)
    assert np.all(np.sign(held) == (-1 if sell_ppm else 1))


def test_what_the_book_did_not_give_is_made_up_for() -> None:
    traders = crowd("twap", 1, 1, SEED, start_step=0, duration_steps=100, slice_steps=1)
    sizes = []
    for step in range(11):
        [rows] = traders.act(step, [still_view(BTC_PERP, INDEX, INDEX - 5, INDEX + 5)])
        sizes.append(int(rows["quantity_lots"].sum()))
    assert sizes[0] == 0
    assert sizes[1] > 0
    assert sizes[10] >= 9 * sizes[1]


def test_the_schedule_is_the_one_of_almgren_and_chriss() -> None:
    at = np.arange(1_001)
    assert np.abs(schedule(0) / SCHEDULE_WHOLE - at / 1_000).max() < 1e-8
    for urgency_ppm in (1_000, 3_000, 10_000):
        kappa = 2 * np.arcsinh(urgency_ppm / 2e6)
        left = np.sinh(kappa * (1_000 - at)) / np.sinh(kappa * 1_000)
        assert np.abs(schedule(urgency_ppm) / SCHEDULE_WHOLE - (1 - left)).max() < 1e-8


def test_half_of_the_traders_sell() -> None:
    traders = crowd("twap", 4_000, 1, SEED, start_step=0, slice_steps=1)
    for step in (0, 3_000):
        [rows] = traders.act(step, [still_view(BTC_PERP, INDEX, INDEX - 5, INDEX + 5)])
    assert len(rows) == 4_000
    assert 0.45 < (rows["side"] == Side.SELL).mean() < 0.55
