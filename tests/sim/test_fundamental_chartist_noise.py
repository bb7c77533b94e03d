import numpy as np
import pytest

from sim.market import BTC_PERP
from sim.messages import Side
from tests.sim.lone_traders import INDEX, crowd, exchange
from tests.sim.simulated_market import still_view

LAGS = range(1, 11)


def returns_of(seed: int) -> np.ndarray:
    """Log returns of the last price over ten steps, around a fundamental that never moves."""
    ran = exchange(crowd("fundamental-chartist-noise", 300, 1, seed))
    ran.run(400)
    prices = []
    for _ in range(400):
        ran.run(10)
        prices.append(ran.markets[0].engine.last_price_ticks)
    return np.diff(np.log(prices))


def clustering(returns: np.ndarray) -> float:
    """Mean autocorrelation of absolute returns over the first ten lags."""
    away = np.abs(returns) - np.abs(returns).mean()
    return float(np.mean([(away[lag:] * away[:-lag]).mean() for lag in LAGS]) / away.var())


@pytest.mark.parametrize("seed", [1, 2])
def test_volatility_clusters_though_the_fundamental_stands_still(seed: int) -> None:
    print(f"seed {seed}")
    returns = returns_of(seed)
    shuffler = np.random.default_rng(seed)
    shuffled = [clustering(shuffler.permutation(returns)) for _ in range(200)]
    print(f"{clustering(returns):.3f}, shuffled 95 %: {np.quantile(shuffled, 0.95):.3f}")
    assert clustering(returns) > np.quantile(shuffled, 0.99)


def test_fundamentalists_order_towards_the_index() -> None:
    minds = {"chartist_ppm": 0, "noise_ppm": 0, "margin_max_ppm": 0}
    for index, side in ((INDEX - 2_000, Side.SELL), (INDEX + 2_000, Side.BUY)):
        traders = crowd("fundamental-chartist-noise", 500, 1, 1, activity_ppm=1_000_000, **minds)
        [first] = traders.act(1, [still_view(BTC_PERP, INDEX)])
        [rows] = traders.act(2, [still_view(BTC_PERP, index)])
        assert len(first) == len(rows) == 500
        view = still_view(BTC_PERP, index)
        [rows] = traders.act(3, [type(view)(**(vars(view) | {"last_price_ticks": INDEX}))])
        assert (rows["side"] == side).mean() > 0.95
