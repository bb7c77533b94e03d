from dataclasses import replace
from decimal import Decimal

import numpy as np

from sim.market import BTC_PERP
from sim.populations.arbitrage import paired
from sim.populations.crowd import Crowd
from sim.prices.processes import ConstantPrice
from sim.rows.messages import Side
from tests.markets import ETH_PERP
from tests.sim.lone_traders import INDEX, client, crowd, mid_of, rows_whole_and_in_parts
from tests.sim.simulated_market import Exchange, SimulatedMarket, still_view

SEED = 53
SPOT = replace(BTC_PERP, market_id="BTC-SPOT", tick_size=Decimal("0.01"))
"""Ten ticks of it are one of the perpetual's."""


def two_markets(*, arbitrage: bool) -> Exchange:
    """A perpetual with a crowd of its own and its spot market with another, in step or not."""
    markets = [
        SimulatedMarket(BTC_PERP, ConstantPrice(INDEX)),
        SimulatedMarket(SPOT, ConstantPrice(10 * INDEX)),
    ]
    makers = crowd("avellaneda-stoikov", 8, 1, SEED, markets=2, anchor_ppm=0)
    populations = [makers, crowd("arbitrage", 50, 2, SEED, markets=2)]
    return Exchange(markets, populations if arbitrage else populations[:1])


def gap_after_a_push(ran: Exchange) -> float:
    """How far the perpetual stands from spot, in its ticks, when it alone has been bought."""
    for _ in range(200):
        ran.step()
        client(ran.markets[0], Side.BUY, INDEX + 60_000, 100)
    ran.run(20)
    perpetual, spot = (mid_of(market) for market in ran.markets)
    return perpetual - spot / 10


def test_a_push_on_one_market_is_shared_with_the_other() -> None:
    print(f"seed {SEED}")
    alone = gap_after_a_push(two_markets(arbitrage=False))
    together = gap_after_a_push(two_markets(arbitrage=True))
    print(f"gap {alone:.0f} ticks alone, {together:.0f} with arbitrage")
    assert alone > 300
    assert abs(together) < 0.4 * alone


def test_positions_are_even_but_for_legs_under_way_and_within_the_limit() -> None:
    ran = two_markets(arbitrage=True)
    gap_after_a_push(ran)
    ran.settle()
    traders = ran.populations[1]
    assert isinstance(traders, Crowd)
    perpetual, spot = (held.positions_lots for held in traders.holdings)
    limit = traders.limit_lots(0, ran.markets[0].view())
    assert np.abs(perpetual).sum() > 1_000
    assert np.abs(perpetual).max() <= limit
    assert np.abs(perpetual + spot).sum() < 0.05 * np.abs(perpetual).sum()


def test_the_dear_market_is_sold_and_the_cheap_one_bought() -> None:
    traders = crowd("arbitrage", 50, 2, SEED, markets=2, activity_ppm=1_000_000)
    dear = still_view(BTC_PERP, INDEX, INDEX + 300, INDEX + 310)
    cheap = still_view(SPOT, 10 * INDEX, 10 * INDEX - 10, 10 * INDEX + 10)
    sold, bought = traders.act(1, [dear, cheap])
    assert len(sold) == len(bought) == 50
    assert np.all(sold["side"] == Side.SELL)
    assert np.all(bought["side"] == Side.BUY)
    assert np.array_equal(sold["quantity_lots"], bought["quantity_lots"])


def test_a_gap_that_does_not_pay_and_another_asset_are_left_alone() -> None:
    traders = crowd("arbitrage", 50, 2, SEED, markets=2, activity_ppm=1_000_000)
    here = still_view(BTC_PERP, INDEX, INDEX + 20, INDEX + 30)
    there = still_view(SPOT, 10 * INDEX, 10 * INDEX - 10, 10 * INDEX + 10)
    assert [len(rows) for rows in traders.act(1, [here, there])] == [0, 0]
    other = still_view(ETH_PERP, INDEX, INDEX - 900, INDEX - 890)
    stranger = crowd("arbitrage", 50, 2, SEED, markets=2, activity_ppm=1_000_000)
    assert [len(rows) for rows in stranger.act(1, [here, other])] == [0, 0]
    assert [len(rows) for rows in stranger.act(2, [here, None])] == [0, 0]


def test_grids_of_two_markets_become_one() -> None:
    coarse = replace(SPOT, lot_size=Decimal("0.025"), tick_size=Decimal("0.04"))
    pair = paired(0, 1, BTC_PERP, coarse)
    assert pair.price_units == (10, 4)
    assert pair.lot_units == (1, 25)
    assert pair.step_units == 25


def test_the_traders_do_the_same_in_one_part_and_in_two() -> None:
    whole, parts = rows_whole_and_in_parts("arbitrage")
    assert len(whole) > 1_000
    assert whole.tobytes() == parts.tobytes()
