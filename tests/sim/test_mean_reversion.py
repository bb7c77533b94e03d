import numpy as np
import pytest

from sim.market import BTC_PERP
from sim.prices.processes import ConstantPrice
from sim.rows.messages import Rows, Side, TimeInForce
from tests.sim.lone_traders import INDEX, crowd, exchange, mids
from tests.sim.simulated_market import still_view

SEED = 43


def rows_on_a_path(prices: list[int]) -> Rows:
    traders = crowd("mean-reversion", 300, 1, SEED)
    return np.concatenate(
        [
            traders.act(step, [still_view(BTC_PERP, INDEX, price - 5, price + 5)])[0]
            for step, price in enumerate(prices)
        ]
    )


def test_a_quiet_market_makes_nobody_act() -> None:
    assert len(rows_on_a_path([INDEX] * 200)) == 0


def test_a_jump_up_is_sold_and_a_jump_down_is_bought() -> None:
    for jump, side in ((1_500, Side.SELL), (-1_500, Side.BUY)):
        rows = rows_on_a_path([INDEX] * 20 + [INDEX + jump] * 60)
        assert len(rows) > 100
        assert np.all(rows["side"] == side)
        assert np.all(rows["time_in_force"] == TimeInForce.IOC)


def size_of_a_push(*, fading: bool) -> float:
    """How far buyers who come for 60 steps move the mid of makers, in ticks."""
    makers = crowd("avellaneda-stoikov", 10, 2, SEED, anchor_ppm=0)
    buyers = crowd("twap", 20, 3, SEED, sell_ppm=0, parent_quote=100_000, **PUSH)
    others = [crowd("mean-reversion", 300, 1, SEED, activity_ppm=200_000)] if fading else []
    ran = exchange(*others, makers, buyers, price=ConstantPrice(INDEX))
    path = mids(ran, 260)
    return float(path[210:260].mean() - path[150:200].mean())


PUSH = {"start_step": 200, "duration_steps": 60, "slice_steps": 2}


def test_a_push_goes_less_far_where_it_is_faded() -> None:
    print(f"seed {SEED}")
    alone, faded = size_of_a_push(fading=False), size_of_a_push(fading=True)
    print(f"moved {alone:.0f} ticks alone, {faded:.0f} faded")
    assert alone > 100
    assert 0 < faded < 0.8 * alone


@pytest.mark.parametrize("jump", [1_500, -1_500])
def test_positions_are_closed_once_the_price_is_back(jump: int) -> None:
    traders = crowd("mean-reversion", 300, 1, SEED, activity_ppm=200_000, shift_max=8)
    makers = crowd("ladder", 3, 2, SEED)
    ran = exchange(traders, makers)
    ran.run(20)
    ran.markets[0].price = ConstantPrice(INDEX + jump)
    ran.run(60)
    held = traders.holdings[0].positions_lots.copy()
    assert held.sum() * jump < 0
    assert np.abs(held).max() <= traders.limit_lots(0, ran.markets[0].view())
    ran.markets[0].price = ConstantPrice(INDEX)
    ran.run(1_200)
    assert np.abs(traders.holdings[0].positions_lots).sum() < np.abs(held).sum() // 20
