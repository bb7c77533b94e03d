"""Ratios of returns, and falls from a peak, of any course of equity.

Returns are simple, standard deviations divide by n − 1, the risk-free rate is 0; a figure that its
formula leaves undefined is None.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def volatility(returns: Floats, periods_per_year: float) -> float | None:
    """Standard deviation × √periods; None for fewer than two returns."""
    if len(returns) < 2:
        return None
    return float(returns.std(ddof=1)) * float(np.sqrt(periods_per_year))


def sharpe_ratio(returns: Floats, periods_per_year: float) -> float | None:
    """Mean over standard deviation × √periods: Sharpe, "The Sharpe Ratio" (1994)."""
    spread = volatility(returns, periods_per_year) or 0.0
    return float(returns.mean()) * periods_per_year / spread if spread > 0 else None


def sortino_ratio(returns: Floats, periods_per_year: float) -> float | None:
    """Mean over the root mean square of the losses × √periods: Sortino and Price (1994)."""
    downside = float(np.sqrt(np.mean(np.minimum(returns, 0) ** 2))) if len(returns) > 1 else 0.0
    root = float(np.sqrt(periods_per_year))
    return float(returns.mean()) / downside * root if downside > 0 else None


def drawdowns(equity: Floats) -> Floats:
    """Equity over its highest so far, less 1, at each sample; 0 while it was never positive."""
    peaks = np.maximum.accumulate(equity)
    falls: Floats = np.where(peaks > 0, equity / np.where(peaks > 0, peaks, 1) - 1, 0.0)
    return falls
