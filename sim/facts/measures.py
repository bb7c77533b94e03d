"""The statistics behind the stylised facts: pure functions of float64 arrays."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from sim.record.tape import Floats, Integers

TAIL_PART = 0.05
"""Of the sample: what counts as its tail. Gopikrishnan et al. (1998) fit about as much."""

TAIL_MIN = 10
BLOCKS = 10
"""Parts that are left out in turn where an error is estimated."""

POINTS_PER_DECADE = 8
BIN_MEMBERS_MIN = 10


def autocorrelation(values: Floats, lags: Integers) -> Floats:
    """Sample autocorrelation at each lag > 0; 0 where the series does not move.

    The biased estimator, the sum over n − k products divided by n times the
    variance: Box and Jenkins, "Time Series Analysis" (1970).
    """
    centred = values - values.mean()
    power = float(centred @ centred)
    if power <= 0:
        return np.zeros(len(lags))
    return np.array([float(centred[lag:] @ centred[:-lag]) / power for lag in lags])


def log_spaced_lags(first: int, last: int) -> Integers:
    """Whole lags from first to last, as many in each decade."""
    decades = np.log10(last / first) if last > first else 0.0
    points = np.geomspace(first, last, int(decades * POINTS_PER_DECADE) + 1)
    return np.unique(points.round().astype(np.int64))


def decay_exponent(lags: Integers, correlations: Floats) -> float | None:
    """β of correlation ∝ lag**−β, least squares in logs; None with under 4 positive points."""
    positive = correlations > 0
    if positive.sum() < 4:
        return None
    return -slope(np.log(lags[positive].astype(np.float64)), np.log(correlations[positive]))


def slope(x: Floats, y: Floats, weights: Floats | None = None) -> float:
    """Of the (weighted) least-squares line of y over x."""
    weights = np.ones(len(x)) if weights is None else weights
    dx = x - np.average(x, weights=weights)
    return float((weights * dx) @ y / ((weights * dx) @ dx))


def hill_exponent(values: Floats, part: float = TAIL_PART) -> tuple[float, float] | None:
    """Tail exponent of |values − mean| and its standard error α / √k; None without a tail.

    Hill, "A simple general approach to inference about the tail of a
    distribution" (1975), on the largest `part` of the sample, both tails as one.
    """
    sizes = np.sort(np.abs(values - values.mean()))[::-1]
    count = max(TAIL_MIN, int(part * len(sizes)))
    if len(sizes) <= count or sizes[count] <= 0:
        return None
    excess = float(np.log(sizes[:count] / sizes[count]).mean())
    return (1 / excess, 1 / excess / count**0.5) if excess > 0 else None


def excess_kurtosis(values: Floats) -> float:
    """Fourth central moment over the squared variance, less the 3 of a normal sample."""
    centred = values - values.mean()
    variance = float(np.mean(centred**2))
    return float(np.mean(centred**4)) / variance**2 - 3 if variance > 0 else 0.0


def skewness(values: Floats) -> float:
    """Third central moment over the variance to the power of 3/2."""
    centred = values - values.mean()
    variance = float(np.mean(centred**2))
    return float(np.mean(centred**3)) / variance**1.5 if variance > 0 else 0.0


def aggregated(values: Floats, horizon: int) -> Floats:
    """Sums over `horizon` neighbours, overlapping, so that no pair of them is wasted."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    result: Floats = sums[horizon:] - sums[:-horizon]
    return result


def leverage(returns: Floats, lags: int) -> float:
    """Mean correlation of a return with the squared returns 1 to `lags` later.

    The leverage function of Bouchaud, Matacz and Potters, "Leverage effect in
    financial markets" (2001), normalised as a correlation.
    """
    squares = returns**2
    spread = float(returns.std() * squares.std())
    if spread <= 0:
        return 0.0
    now, later = returns - returns.mean(), squares - squares.mean()
    products = [float(np.mean(now[:-lag] * later[lag:])) for lag in range(1, lags + 1)]
    return float(np.mean(products)) / spread


def rank_correlation(x: Floats, y: Floats) -> float:
    """Spearman's: the correlation of ranks, ties sharing theirs; 0 where one does not vary."""
    a, b = _ranks(x), _ranks(y)
    spread = float(a.std() * b.std())
    return float(np.mean((a - a.mean()) * (b - b.mean()))) / spread if spread > 0 else 0.0


def _ranks(values: Floats) -> Floats:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: Floats = (ends - (counts - 1) / 2)[place]
    return ranks


def jackknife_error(values: Floats, statistic: Callable[[Floats], float]) -> float:
    """Standard error of a statistic from leaving out each of BLOCKS stretches in turn.

    The delete-a-group jackknife of Shao and Wu (1989); stretches, because
    neighbours depend on each other.
    """
    edges = np.linspace(0, len(values), BLOCKS + 1).astype(np.int64)
    without = np.array(
        [
            statistic(np.concatenate([values[:start], values[end:]]))
            for start, end in pairwise(edges)
        ]
    )
    return float(np.sqrt((BLOCKS - 1) * np.mean((without - without.mean()) ** 2)))


def binned_exponent(sizes: Floats, effects: Floats, bins: int) -> tuple[float, int] | None:
    """δ of mean effect ∝ size**δ over `bins` equally filled bins, and how many were usable.

    None with under 4 bins whose mean effect is positive.
    """
    order = np.argsort(sizes, kind="stable")
    parts = np.array_split(order, bins)
    size = np.array([sizes[part].mean() for part in parts if len(part) >= BIN_MEMBERS_MIN])
    effect = np.array([effects[part].mean() for part in parts if len(part) >= BIN_MEMBERS_MIN])
    usable = effect > 0
    if usable.sum() < 4 or np.ptp(size[usable]) <= 0:
        return None
    return slope(np.log(size[usable]), np.log(effect[usable])), int(usable.sum())


def weibull_shape(durations: Floats) -> float | None:
    """Shape of a Weibull law by the spread of logs, π / (√6 σ): 1 is exponential.

    The moment of the log-Weibull (Gumbel) law: Menon (1963). Zero durations are left out.
    """
    logs = np.log(durations[durations > 0])
    spread = float(logs.std()) if len(logs) > 1 else 0.0
    return float(np.pi / 6**0.5 / spread) if spread > 0 else None
