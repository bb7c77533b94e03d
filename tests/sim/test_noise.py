import numpy as np
import pytest

from sim.market import BTC_PERP
from sim.populations.dice import Dice
from sim.populations.noise import Noise, NoiseParameters
from sim.populations.population import MarketView
from sim.prices.processes import ConstantPrice
from sim.rows.messages import CommandKind, Rows, Side, TimeInForce
from tests.markets import ETH_PERP
from tests.sim.simulated_market import Exchange, SimulatedMarket, still_view

SEED = 21
INDEX = 660_000
FIRST = 8_000_000_000


def crowd(heads: int, parameters: NoiseParameters | None = None) -> Noise:
    accounts = range(FIRST, FIRST + heads)
    return Noise(parameters or NoiseParameters(), accounts, 1, Dice(SEED, 2, heads))


def view() -> MarketView:
    return still_view(BTC_PERP, INDEX, INDEX - 20, INDEX + 20)


def rows_of_a_busy_step(heads: int = 100_000) -> Rows:
    [rows] = crowd(heads, NoiseParameters(activity_ppm=1_000_000)).act(1, [view()])
    return rows


def test_sides_are_balanced_and_kinds_come_in_their_shares() -> None:
    rows = rows_of_a_busy_step()
    assert abs((rows["side"] == Side.BUY).mean() - 0.5) < 0.01
    takes = rows["time_in_force"] == TimeInForce.IOC
    assert 0.34 < takes.sum() / 100_000 < 0.36
    assert 0.34 < (~takes).sum() / 100_000 < 0.36


def test_sizes_are_mostly_small_with_a_heavy_tail() -> None:
    lots = rows_of_a_busy_step()["quantity_lots"]
    assert lots.min() >= 1
    assert np.median(lots) <= 10
    assert np.percentile(lots, 99) > 20 * np.median(lots)
    assert lots.max() <= 100_000 * 1_000 // 66_000  # the position limit


def test_resting_orders_lie_near_the_touch_and_some_inside_the_spread() -> None:
    rows = rows_of_a_busy_step()
    rows = rows[rows["time_in_force"] == TimeInForce.GTC]
    bids = rows["price_ticks"][rows["side"] == Side.BUY]
    assert bids.max() < INDEX + 20
    assert 0.2 < (bids > INDEX - 20).mean() < 0.3
    behind = INDEX - 20 - bids[bids <= INDEX - 20]
    assert 10 < np.median(behind) < 60
    assert behind.max() <= INDEX * 2_500 // 1_000_000


@pytest.mark.parametrize(("share", "buys"), [(-1, 0.75), (0, 0.5), (1, 0.25)])
def test_a_position_loads_the_coin_against_itself(share: int, buys: float) -> None:
    every = {"activity_ppm": 1_000_000, "take_ppm": 1_000_000, "position_max_quote": 10**9}
    traders = crowd(20_000, NoiseParameters(**every))
    limit = traders.limit_lots(0, view())
    traders.enter(0, 1, np.full(20_000, share * (limit - 10**6)))
    [rows] = traders.act(1, [view()])
    assert len(rows) == 20_000
    lean = (buys - 0.5) * (limit - 10**6) / limit
    assert abs((rows["side"] == Side.BUY).mean() - 0.5 - lean) < 0.012


def test_in_an_empty_market_orders_stand_around_the_index_and_never_cross() -> None:
    [rows] = crowd(5_000, NoiseParameters(activity_ppm=1_000_000)).act(
        1, [still_view(BTC_PERP, INDEX)]
    )
    rows = rows[rows["time_in_force"] == TimeInForce.GTC]
    bids, asks = (rows["price_ticks"][rows["side"] == side] for side in Side)
    assert bids.max() < asks.min()


def test_position_and_order_limits_hold_for_every_trader() -> None:
    print(f"seed {SEED}")
    parameters = NoiseParameters(
        activity_ppm=500_000,
        position_max_quote=2_000,
        orders_max=2,
        take_ppm=300_000,
        quote_ppm=600_000,
    )
    traders = crowd(200, parameters)
    ran = Exchange([SimulatedMarket(ETH_PERP, ConstantPrice(350_000))], [traders])
    for _ in range(200):
        ran.step()
        held = traders.holdings[0]
        limit = traders.limit_lots(0, ran.markets[0].view())
        assert held.orders.counts(200).max() <= 2
        long = held.positions_lots + held.orders.open_lots(Side.BUY, 200)
        short = held.orders.open_lots(Side.SELL, 200) - held.positions_lots
        assert max(long.max(), short.max()) <= limit
    assert len(np.concatenate(ran.markets[0].trades)) > 1_000


def test_what_the_population_counts_is_what_the_market_counts() -> None:
    traders = crowd(300, NoiseParameters(activity_ppm=300_000))
    ran = Exchange([SimulatedMarket(BTC_PERP, ConstantPrice(INDEX))], [traders])
    ran.run(100)
    engine, held = ran.markets[0].engine, traders.holdings[0]
    told = {int(row["account_id"]): int(row["position_lots"]) for row in engine.positions()}
    counted = {FIRST + place: int(lots) for place, lots in enumerate(held.positions_lots) if lots}
    assert counted == told
    assert sorted(held.orders.ids.tolist()) == sorted(engine.resting_orders()["order_id"].tolist())


def test_whoever_wakes_withdraws_what_is_far_from_the_price() -> None:
    traders = crowd(300, NoiseParameters(activity_ppm=300_000, take_ppm=0, quote_ppm=900_000))
    ran = Exchange([SimulatedMarket(BTC_PERP, ConstantPrice(INDEX))], [traders])
    ran.run(20)
    far = ran.markets[0].engine.open_order_count
    ran.markets[0].price = ConstantPrice(2 * INDEX)
    [rows] = traders.act(21, [ran.markets[0].view()])
    awake = np.unique(rows["account_id"])
    theirs = traders.holdings[0].orders_count(awake - FIRST)
    assert (rows["kind"] == CommandKind.CANCEL).sum() == theirs
    assert 50 < theirs < far
