import numpy as np
import pytest

from sim.market import BTC_PERP
from sim.prices.processes import ConstantPrice
from sim.rows.messages import CommandKind, Side
from tests.sim.lone_traders import INDEX, crowd, exchange, mids
from tests.sim.simulated_market import still_view

SEED = 41


@pytest.mark.parametrize("away", [-3_000, 3_000])
def test_a_displaced_price_is_pulled_back_to_value(away: int) -> None:
    print(f"seed {SEED}")
    traders = crowd("value", 500, 1, SEED, activity_ppm=50_000)
    noise = crowd("noise", 200, 2, SEED, activity_ppm=50_000)
    ran = exchange(traders, noise)
    ran.run(50)
    ran.markets[0].price = ConstantPrice(INDEX + away)
    path = mids(ran, 150)
    assert abs(path[0] - INDEX - away) > 2_000
    assert abs(np.median(path[-50:]) - INDEX - away) < 300


def test_what_is_cheap_is_bought_and_what_is_dear_is_sold() -> None:
    for mid, side in ((INDEX - 3_000, Side.BUY), (INDEX + 3_000, Side.SELL)):
        traders = crowd("value", 1_000, 1, SEED, activity_ppm=1_000_000)
        [rows] = traders.act(1, [still_view(BTC_PERP, INDEX, mid - 5, mid + 5)])
        assert len(rows) == 1_000
        assert np.all(rows["side"] == side)


def test_nobody_pays_more_than_its_estimate_and_estimates_spread_as_told() -> None:
    traders = crowd("value", 20_000, 1, SEED, activity_ppm=1_000_000, noise_ppm=1_000)
    [rows] = traders.act(1, [still_view(BTC_PERP, INDEX, INDEX - 5, INDEX + 5)])
    estimates = traders.estimates_q8[0] >> 8
    believed = estimates[rows["account_id"] - traders.accounts.start]
    buys = rows["side"] == Side.BUY
    assert np.all(rows["price_ticks"][buys] <= believed[buys])
    assert np.all(rows["price_ticks"][~buys] >= believed[~buys])
    assert abs(estimates.mean() - INDEX) < 20
    assert 0.97 < estimates.std() / (INDEX / 1_000) < 1.03


def test_a_trader_has_one_order_out_and_never_passes_its_limit() -> None:
    print(f"seed {SEED}")
    traders = crowd("value", 200, 1, SEED, activity_ppm=200_000, position_max_quote=6_000)
    ran = exchange(traders, crowd("noise", 200, 2, SEED, activity_ppm=50_000))
    limit = traders.limit_lots(0, ran.markets[0].view())
    for _ in range(150):
        ran.step()
        held = traders.holdings[0]
        assert held.orders.counts(200).max() <= 1
        assert np.abs(held.positions_lots).max() <= limit
    assert np.abs(traders.holdings[0].positions_lots).max() > 0


def test_whoever_wakes_withdraws_first() -> None:
    traders = crowd("value", 400, 1, SEED, activity_ppm=1_000_000)
    ran = exchange(traders)
    ran.run(3)
    resting = ran.markets[0].engine.open_order_count
    [rows] = traders.act(9, [ran.markets[0].view()])
    assert resting > 50
    assert (rows["kind"] == CommandKind.CANCEL).sum() == resting
    assert (rows["kind"] == CommandKind.PLACE).sum() > 50
    in_turn = np.argsort(rows["account_id"], kind="stable")
    assert np.array_equal(in_turn, np.arange(len(rows)))
    same = np.diff(rows["account_id"]) == 0
    assert np.all(rows["kind"][:-1][same] == CommandKind.CANCEL)
