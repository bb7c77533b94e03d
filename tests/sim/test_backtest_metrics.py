"""What a backtest tells beside what a session does, against plain numpy."""

import math

import numpy as np
import pytest

from sim.signals.metrics import backtest_metrics, metrics_of

MINUTES, SEEDS = 365 * 24 * 60, (4, 5, 6)


@pytest.mark.parametrize("seed", SEEDS)
def test_ratios_are_those_of_their_formulas(seed: int) -> None:
    print(f"seed {seed}")
    dice = np.random.default_rng(seed)
    equity = np.cumsum(np.append(10**10, dice.integers(-(10**7), 10**7, 300)))
    pnl = dice.integers(-(10**6), 10**6, 40)
    found = backtest_metrics(pnl.tolist(), equity.tolist())
    returns = np.diff(equity) / equity[:-1]
    peaks = np.maximum.accumulate(equity)
    deepest = ((peaks - equity) / peaks).max()
    downside = math.sqrt((np.where(returns < 0, returns, 0) ** 2).mean())
    assert found.session == metrics_of(pnl.tolist(), equity.tolist())
    assert found.session.max_drawdown == pytest.approx(deepest)
    assert found.total_return == pytest.approx(equity[-1] / equity[0] - 1)
    assert found.sortino_ratio == pytest.approx(returns.mean() / downside * math.sqrt(MINUTES))
    assert found.calmar_ratio == pytest.approx(returns.mean() * MINUTES / deepest)
    won, lost = pnl[pnl > 0], pnl[pnl < 0]
    assert found.profit_factor == pytest.approx(won.sum() / -lost.sum())
    share = len(won) / len(pnl)
    expected = share * won.mean() + len(lost) / len(pnl) * lost.mean()
    assert found.expectancy_atoms == pytest.approx(expected)


def test_what_its_formula_leaves_undefined_is_none() -> None:
    still = backtest_metrics([], [10**10] * 5)
    assert (still.total_return, still.session.win_rate) == (0, 0)
    assert (still.sortino_ratio, still.calmar_ratio) == (None, None)
    few = backtest_metrics([], [100, 90, 95])
    assert (few.session.sharpe_ratio, few.calmar_ratio) == (None, None)
    assert (still.profit_factor, still.expectancy_atoms) == (None, None)
    assert backtest_metrics([], []).total_return == 0
    assert backtest_metrics([5, 7], [100, 105, 112]).profit_factor is None
    assert backtest_metrics([-5], [100, 95]).profit_factor == 0
