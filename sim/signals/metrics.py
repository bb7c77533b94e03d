"""How a session went, from its closed positions and its equity: what it began with, what it was
worth once a minute, and what it ended with.

Win rate is winners over all closed positions; one that comes to nothing is lost, as the original
counts. Drawdown is (peak − equity) ÷ peak. Sharpe is the mean of the minutes' returns over their
standard deviation, annualised by the root of the minutes of 365 days, for these markets never
close; the risk-free rate is 0. The first step and the last one are shorter and count as a minute's.
The original mixes a yearly rate with daily returns there.

A backtest is told more: Sortino (sim/ratios.py) from the same returns; Calmar, which is the mean
return a year over the largest drawdown (Young, "Calmar Ratio", 1991), the year's mean reckoned as
in Sharpe, for a rate that is compounded from hours says nothing; profit factor, which is all that
was won over all that was lost; expectancy, which is the mean profit of a closed position (Tharp's
p × mean win + q × mean loss).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.ratios import Floats, drawdowns, sharpe_ratio, sortino_ratio

MINUTES_PER_YEAR = 365 * 24 * 60
RETURNS_MIN = 10
"""Of fewer minutes a year's ratio says nothing: of two, one of them without a change, it is always
the same."""

ALIKE = 1e-12
"""Returns that differ by less differ by rounding alone."""


@dataclass(frozen=True)
class SessionMetrics:
    """win_rate and max_drawdown are parts of 1, 0 without a trade or a sample; sharpe_ratio is None
    where it is not defined: of fewer than two returns, or where all are alike."""

    total_trades: int
    winning_trades: int
    losing_trades: int
    win_rate: float
    max_drawdown: float
    sharpe_ratio: float | None


def metrics_of(pnl_atoms: Sequence[int], equity_atoms: Sequence[int]) -> SessionMetrics:
    """Of each closed position's profit net of fees, and of equity from start to end."""
    total, won = len(pnl_atoms), sum(pnl > 0 for pnl in pnl_atoms)
    equity = np.array(equity_atoms, np.float64)
    deepest = -float(drawdowns(equity).min()) if len(equity) else 0.0
    returns = minute_returns(equity)
    varies = len(returns) >= RETURNS_MIN and float(np.ptp(returns)) > ALIKE
    return SessionMetrics(
        total_trades=total,
        winning_trades=won,
        losing_trades=total - won,
        win_rate=won / total if total else 0.0,
        max_drawdown=max(0.0, deepest),
        sharpe_ratio=sharpe_ratio(returns, MINUTES_PER_YEAR) if varies else None,
    )


@dataclass(frozen=True)
class BacktestMetrics:
    """What `metrics_of` tells, and more; None where a figure is not defined.

    total_return       last equity over the first, less 1; 0 without a sample
    expectancy_atoms   of a closed position, net of fees
    """

    session: SessionMetrics
    total_return: float
    sortino_ratio: float | None
    calmar_ratio: float | None
    profit_factor: float | None
    expectancy_atoms: float | None


def backtest_metrics(pnl_atoms: Sequence[int], equity_atoms: Sequence[int]) -> BacktestMetrics:
    """See `metrics_of`; the first equity is what was begun with."""
    session = metrics_of(pnl_atoms, equity_atoms)
    returns = minute_returns(np.array(equity_atoms, np.float64))
    is_long = len(returns) >= RETURNS_MIN
    a_year = float(returns.mean()) * MINUTES_PER_YEAR if is_long else None
    deepest = session.max_drawdown
    won = sum(pnl for pnl in pnl_atoms if pnl > 0)
    lost = -sum(pnl for pnl in pnl_atoms if pnl < 0)
    return BacktestMetrics(
        session=session,
        total_return=equity_atoms[-1] / equity_atoms[0] - 1 if len(equity_atoms) else 0.0,
        sortino_ratio=None
        if session.sharpe_ratio is None
        else sortino_ratio(returns, MINUTES_PER_YEAR),
        calmar_ratio=a_year / deepest if a_year is not None and deepest > ALIKE else None,
        profit_factor=won / lost if lost else None,
        expectancy_atoms=sum(pnl_atoms) / len(pnl_atoms) if pnl_atoms else None,
    )


def minute_returns(equity: Floats) -> Floats:
    """Simple returns, none from equity ≤ 0 on."""
    ruined = np.flatnonzero(equity <= 0)
    alive = equity[: ruined[0]] if len(ruined) else equity
    returns: Floats = alive[1:] / alive[:-1] - 1
    return returns
