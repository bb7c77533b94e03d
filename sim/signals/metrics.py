"""How a session went, from its closed positions and its equity: what it began with, what it was
worth once a minute, and what it ended with.

Win rate is winners over all closed positions; one that comes to nothing is lost, as the original
counts. Drawdown is (peak − equity) ÷ peak. Sharpe is the mean of the minutes' returns over their
standard deviation, annualised by the root of the minutes of 365 days, for these markets never
close; the risk-free rate is 0. The first step and the last one are shorter and count as a minute's.
The original mixes a yearly rate with daily returns there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.ratios import Floats, drawdowns, sharpe_ratio

MINUTES_PER_YEAR = 365 * 24 * 60
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
    varies = len(returns) > 1 and float(np.ptp(returns)) > ALIKE
    return SessionMetrics(
        total_trades=total,
        winning_trades=won,
        losing_trades=total - won,
        win_rate=won / total if total else 0.0,
        max_drawdown=max(0.0, deepest),
        sharpe_ratio=sharpe_ratio(returns, MINUTES_PER_YEAR) if varies else None,
    )


def minute_returns(equity: Floats) -> Floats:
    """Simple returns, none from equity ≤ 0 on."""
    ruined = np.flatnonzero(equity <= 0)
    alive = equity[: ruined[0]] if len(ruined) else equity
    returns: Floats = alive[1:] / alive[:-1] - 1
    return returns
