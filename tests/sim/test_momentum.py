import numpy as np

from sim.market import BTC_PERP
from sim.messages import Rows, Side, TimeInForce
from sim.populations.dice import Dice
from sim.populations.momentum import Momentum, MomentumParameters
from sim.populations.population import Population
from sim.populations.registry import STRATEGIES, build_population
from sim.prices import ConstantPrice
from tests.sim.simulated_market import Exchange, SimulatedMarket, still_view

SEED = 31
INDEX = 660_000
HEADS = 300
FIRST = 9_000_000_000


def crowd() -> Momentum:
    accounts = range(FIRST, FIRST + HEADS)
    return Momentum(MomentumParameters(), accounts, 1, Dice(SEED, 3, HEADS))


def rows_on_a_path(prices: list[int]) -> Rows:
    traders = crowd()
    sent = [
        traders.act(step, [still_view(BTC_PERP, price, price - 5, price + 5)])[0]
        for step, price in enumerate(prices)
    ]
    return np.concatenate(sent)


def test_a_quiet_market_makes_nobody_act() -> None:
    assert len(rows_on_a_path([INDEX] * 300)) == 0


def test_a_rise_is_bought_and_a_fall_is_sold() -> None:
    for slope, side in ((30, Side.BUY), (-30, Side.SELL)):
        rows = rows_on_a_path([INDEX + slope * step for step in range(300)])
        assert len(rows) > 100
        assert np.all(rows["side"] == side)
        assert np.all(rows["time_in_force"] == TimeInForce.IOC)


def trending(slope: int) -> tuple[Momentum, int]:
    """The traders and their limit after 400 steps of a trend, against makers who follow it."""
    traders = crowd()
    makers: Population = build_population(
        "ladder", STRATEGIES["ladder"].parameters(), range(50, 53), 1, SEED, 1
    )
    ran = Exchange([SimulatedMarket(BTC_PERP, ConstantPrice(INDEX))], [makers, traders])
    limit = traders.limit_lots(0, ran.markets[0].view())
    for step in range(400):
        ran.markets[0].price = ConstantPrice(INDEX + slope * step)
        ran.step()
        assert np.abs(traders.holdings[0].positions_lots).max() <= limit
    return traders, limit


def test_positions_follow_a_trend_up_to_their_limit_and_no_further() -> None:
    for slope in (30, -30):
        traders, limit = trending(slope)
        held = traders.holdings[0].positions_lots * (1 if slope > 0 else -1)
        assert held.min() >= 0
        assert held.mean() > 0.8 * limit


def test_traders_have_horizons_of_their_own_and_keep_them() -> None:
    first, second = crowd(), crowd()
    assert set(first._fast_shifts[first._horizon].tolist()) == {6, 7, 8, 9}
    assert np.array_equal(first._horizon, second._horizon)
