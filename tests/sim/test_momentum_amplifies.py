"""A sale is followed by those who follow trends: the price falls further than without them."""

import numpy as np

from sim.rows.messages import Side
from tests.sim.lone_traders import INDEX, client, crowd, exchange

SEEDS = [11, 12, 13, 14]
SALE_STEPS, SALE_LOTS, AFTER_STEPS = 40, 8_000, 160
FARTHEST = INDEX * 9 // 10
QUICK = {"threshold_ppm": 30, "activity_ppm": 50_000, "fast_shift_min": 3, "fast_shift_max": 6}


def falls(seed: int, followers: int) -> tuple[int, int]:
    """How far below the index trades went until the end of the sale, and after it."""
    crowds = [
        crowd("avellaneda-stoikov", 4, 1, seed, anchor_ppm=0),
        crowd("noise", 300, 2, seed),
        crowd("value", 300, 3, seed, activity_ppm=20_000),
    ]
    if followers:
        crowds.append(crowd("momentum", followers, 4, seed, **QUICK))
    ran = exchange(*crowds)
    ran.run(200)
    prices = []
    for step in range(SALE_STEPS + AFTER_STEPS):
        ran.step()
        if step < SALE_STEPS:
            client(ran.markets[0], Side.SELL, FARTHEST, SALE_LOTS // SALE_STEPS)
        prices.append(ran.markets[0].engine.last_price_ticks)
    return INDEX - min(prices[:SALE_STEPS]), INDEX - min(prices[SALE_STEPS:])


def test_a_shock_goes_further_where_trends_are_followed() -> None:
    print(f"seeds {SEEDS}")
    without = np.array([falls(seed, 0) for seed in SEEDS])
    followed = np.array([falls(seed, 150) for seed in SEEDS])
    print(np.column_stack([without, followed]))
    beyond_the_sale = followed[:, 1] - followed[:, 0]
    assert np.all(followed.max(axis=1) > without.max(axis=1))
    assert np.all(beyond_the_sale > without[:, 1] - without[:, 0])
    assert np.median(followed[:, 1]) > 1.5 * np.median(without[:, 1])
