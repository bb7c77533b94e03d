import numpy as np
import pytest

from sim.market import BTC_PERP
from sim.populations.avellaneda_stoikov import AvellanedaStoikovParameters, fill_spread_ppm
from sim.prices.processes import ConstantPrice
from sim.rows.messages import OrderFlag, Side
from tests.sim.lone_traders import INDEX, client, crowd, exchange
from tests.sim.simulated_market import still_view

SEED = 47


def quotes_holding(share: float) -> tuple[int, int]:
    """Bid and ask of one maker that holds this part of its limit, 0 for none."""
    maker = crowd("avellaneda-stoikov", 1, 1, SEED)
    view = still_view(BTC_PERP, INDEX, INDEX - 50, INDEX + 50)
    maker.enter(0, 1, np.array([int(maker.limit_lots(0, view) * share)]))
    [rows] = maker.act(1, [view])
    assert np.all(rows["flags"] == OrderFlag.POST_ONLY)
    prices = [rows["price_ticks"][rows["side"] == side] for side in Side]
    bid, ask = (int(price[0]) if len(price) else 0 for price in prices)
    return bid, ask


def test_quotes_lie_around_the_mid_and_lean_against_the_inventory() -> None:
    flat_bid, flat_ask = quotes_holding(0)
    assert abs(flat_bid + flat_ask - 2 * INDEX) <= 1
    long_bid, long_ask = quotes_holding(0.5)
    short_bid, short_ask = quotes_holding(-0.5)
    assert long_bid < flat_bid
    assert long_ask < flat_ask
    assert short_bid > flat_bid
    assert short_ask > flat_ask


def test_at_its_limit_a_maker_quotes_one_side_only() -> None:
    assert quotes_holding(1)[0] == 0 < quotes_holding(1)[1]
    assert quotes_holding(-1)[1] == 0 < quotes_holding(-1)[0]


def test_the_part_of_the_spread_that_earns_is_the_one_of_the_paper() -> None:
    for aversion, distance in ((500, 60), (100_000, 60), (1, 1_000), (1_000_000, 100_000)):
        parameters = AvellanedaStoikovParameters(risk_aversion=aversion, fill_distance_ppm=distance)
        wanted = np.log(1 + aversion * distance / 1e6) / aversion * 1e6
        assert abs(fill_spread_ppm(parameters) - wanted) <= 1


def test_spreads_widen_when_the_price_moves_more() -> None:
    spreads = []
    for size in (0, 600):
        maker = crowd("avellaneda-stoikov", 1, 1, SEED)
        for step in range(200):
            price = INDEX + (size if step % 2 else 0)
            [rows] = maker.act(step, [still_view(BTC_PERP, price, price - 50, price + 50)])
        spreads.append(int(rows["price_ticks"].max()) - int(rows["price_ticks"].min()))
    assert spreads[1] > 1.5 * spreads[0]


def test_a_market_at_rest_is_left_alone_and_followed_when_it_moves() -> None:
    makers = crowd("avellaneda-stoikov", 5, 1, SEED, anchor_ppm=1_000_000)
    ran = exchange(makers)
    ran.run(2)
    assert ran.markets[0].engine.open_order_count == 10
    assert [len(rows) for rows in makers.act(3, [ran.markets[0].view()])] == [0]
    ran.markets[0].price = ConstantPrice(INDEX + 2_000)
    ran.run(3)
    touch = ran.markets[0].view()
    assert touch.best_bid_ticks < INDEX + 2_000 < touch.best_ask_ticks
    assert ran.markets[0].engine.open_order_count == 10


def test_inventory_reverts_when_takers_choose_the_better_price() -> None:
    makers = crowd("avellaneda-stoikov", 4, 1, SEED, anchor_ppm=1_000_000)
    ran = exchange(makers)
    start = makers.limit_lots(0, ran.markets[0].view()) * 3 // 4
    makers.enter(0, 1, np.full(4, start))
    for _ in range(400):
        ran.step()
        view = ran.markets[0].view()
        cheap_ask = view.best_ask_ticks - INDEX < INDEX - view.best_bid_ticks
        side = Side.BUY if cheap_ask else Side.SELL
        client(ran.markets[0], side, INDEX + (5_000 if cheap_ask else -5_000), 40)
    assert np.abs(makers.holdings[0].positions_lots).max() < start // 3


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_no_maker_passes_its_limit_however_much_is_taken(side: Side) -> None:
    makers = crowd("avellaneda-stoikov", 4, 1, SEED)
    ran = exchange(makers)
    limit = makers.limit_lots(0, ran.markets[0].view())
    for _ in range(80):
        ran.step()
        far = INDEX + (60_000 if side == Side.BUY else -60_000)
        client(ran.markets[0], side, far, 2_000)
        assert np.abs(makers.holdings[0].positions_lots).max() <= limit
    ran.settle()
    assert np.abs(makers.holdings[0].positions_lots).min() > limit * 9 // 10
