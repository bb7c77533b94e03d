"""Eleven stylised facts of markets, measured on a tape of trades.

Each fact has a value, the band that the literature gives for it and a verdict:
it holds where the value lies in the band, and cannot be told where an edge of
the band lies within two standard errors of the value or the tape is too short.
The catalogue is Cont's, "Empirical properties of asset returns: stylized facts
and statistical issues" (2001); what others added names them. Real and simulated
trades go through the same functions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from sim.facts.measures import (
    aggregated,
    autocorrelation,
    binned_exponent,
    decay_exponent,
    excess_kurtosis,
    hill_exponent,
    jackknife_error,
    leverage,
    log_spaced_lags,
    rank_correlation,
    skewness,
    weibull_shape,
)
from sim.record.tape import SECOND_US, Bars, Floats, Integers, TakenOrders, Tape, bars, taken_orders

INTERVALS_US = (SECOND_US, 10 * SECOND_US, 60 * SECOND_US)
RETURNS_ENOUGH = 20_000
"""From here on a longer interval says as much."""

RETURNS_MIN = 300
ORDERS_MIN = 1_000
LAGS = np.arange(1, 11)
SIGN_LAG_MAX = 1_000
VOLATILITY_LAG_MAX = 100
HORIZONS = (1, 10, 60, 300)
HORIZON_RETURNS_MIN = 30
IMPACT_BINS = 20
ERRORS = 2.0
INTRADAY_SPAN_MIN_US = 6 * 3600 * SECOND_US


class Verdict(StrEnum):
    """What the tape says about a fact."""

    HOLDS = "holds"
    DOES_NOT = "does not"
    NOT_ENOUGH_DATA = "not enough data"


@dataclass(frozen=True)
class Measure:
    """A value with its standard error (0: not known) and figures beside it. NONE: too short."""

    value: float | None
    error: float = 0.0
    beside: Mapping[str, float | None] = field(default_factory=dict)
    absent: bool = False


TOO_SHORT = Measure(None)
ABSENT = Measure(None, absent=True)
"""There is nothing of the effect to measure: the fact does not hold."""


@dataclass(frozen=True)
class Sample:
    """A tape seen in the ways the facts need."""

    tape: Tape
    bars: Bars
    orders: TakenOrders


@dataclass(frozen=True)
class Band:
    """Where a value lies when a fact holds, low ≤ value ≤ high, and how a reader is told."""

    low: float
    high: float
    told: str


@dataclass(frozen=True)
class FactDescription:
    """What is measured, the band it should be in, and who found it."""

    key: str
    name: str
    measured: str
    band: Band
    source: str
    measure: Callable[[Sample], Measure]


@dataclass(frozen=True)
class Fact:
    """A row of the table; `value` is None where there is none."""

    description: FactDescription
    value: float | None
    error: float
    beside: Mapping[str, float | None]
    verdict: Verdict


@dataclass(frozen=True)
class FactTable:
    """All facts of one tape; interval_us is that of its returns."""

    name: str
    interval_us: int
    trades: int
    span_us: int
    facts: tuple[Fact, ...]

    @property
    def holding(self) -> int:
        """How many hold."""
        return sum(fact.verdict is Verdict.HOLDS for fact in self.facts)


def sampling_interval_us(tape: Tape) -> int:
    """The shortest interval with a trade in most of them and no more returns than needed."""
    for interval_us in INTERVALS_US[:-1]:
        count = tape.span_us // interval_us
        if count <= RETURNS_ENOUGH and len(tape) >= 2 * count:
            return interval_us
    return INTERVALS_US[-1]


def fact_table(tape: Tape, interval_us: int = 0) -> FactTable:
    """The eleven facts of a tape. interval_us 0: chosen by its length and pace."""
    interval_us = interval_us or sampling_interval_us(tape)
    sample = Sample(tape, bars(tape, interval_us), taken_orders(tape))
    facts = tuple(_fact(description, sample) for description in FACTS)
    return FactTable(tape.name, interval_us, len(tape), tape.span_us, facts)


def _fact(description: FactDescription, sample: Sample) -> Fact:
    found = description.measure(sample)
    verdict = _verdict(found, description.band)
    return Fact(description, found.value, found.error, found.beside, verdict)


def _verdict(found: Measure, band: Band) -> Verdict:
    if found.absent:
        return Verdict.DOES_NOT
    if found.value is None:
        return Verdict.NOT_ENOUGH_DATA
    margin = ERRORS * found.error
    if band.low + margin <= found.value <= band.high - margin:
        return Verdict.HOLDS
    if found.value < band.low - margin or found.value > band.high + margin or margin == 0:
        return Verdict.DOES_NOT
    return Verdict.NOT_ENOUGH_DATA


def _of_returns(measure: Callable[[Floats], Measure]) -> Callable[[Sample], Measure]:
    """Of at least RETURNS_MIN returns that move at all."""

    def measured(sample: Sample) -> Measure:
        returns = sample.bars.returns
        enough = len(returns) >= RETURNS_MIN and np.ptp(returns) > 0
        return measure(returns) if enough else TOO_SHORT

    return measured


def _no_autocorrelation(returns: Floats) -> Measure:
    correlations = autocorrelation(returns, LAGS)
    size = float(np.sqrt(np.mean(correlations**2)))
    error = (2 * len(LAGS) * len(returns)) ** -0.5
    return Measure(size, error, {"lag 1": float(correlations[0])})


def _heavy_tails(returns: Floats) -> Measure:
    tail = hill_exponent(returns)
    if tail is None:
        return TOO_SHORT
    beside = {f"kurtosis {horizon}Δ": value for horizon, value in _kurtosis(returns)}
    return Measure(*tail, beside) if beside["kurtosis 1Δ"] > 0 else ABSENT


def _kurtosis(returns: Floats) -> list[tuple[int, float]]:
    """Excess kurtosis by horizon, for as many as the sample has enough returns of."""
    return [
        (horizon, excess_kurtosis(aggregated(returns, horizon)))
        for horizon in HORIZONS
        if len(returns) >= HORIZON_RETURNS_MIN * horizon
    ]


def _aggregational_normality(returns: Floats) -> Measure:
    kurtosis = _kurtosis(returns)
    (_, short), (horizon, long) = kurtosis[0], kurtosis[-1]
    if short < ERRORS * (24 / len(returns)) ** 0.5:
        return ABSENT
    return Measure(long / short, 0.0, {f"kurtosis {horizon}Δ": long, "kurtosis 1Δ": short})


def _volatility_clustering(returns: Floats) -> Measure:
    sizes = np.abs(returns)
    value = float(autocorrelation(sizes, LAGS).mean())
    error = (len(LAGS) * len(returns)) ** -0.5
    decay = _decay_above_noise(sizes, VOLATILITY_LAG_MAX)
    return Measure(value, error, {"decay exponent": decay})


def _decay_above_noise(values: Floats, lag_max: int) -> float | None:
    """Exponent of the power law up to the first lag whose correlation is within its error."""
    lags = log_spaced_lags(1, min(lag_max, len(values) // 10))
    correlations = autocorrelation(values, lags)
    noise = np.flatnonzero(correlations < ERRORS * len(values) ** -0.5)
    end = noise[0] if len(noise) else len(lags)
    return decay_exponent(lags[:end], correlations[:end])


def _gain_loss_asymmetry(returns: Floats) -> Measure:
    return Measure(skewness(returns), jackknife_error(returns, skewness))


def _leverage(returns: Floats) -> Measure:
    def mean_leverage(values: Floats) -> float:
        return leverage(values, int(LAGS[-1]))

    return Measure(mean_leverage(returns), jackknife_error(returns, mean_leverage))


def _volume_volatility(sample: Sample) -> Measure:
    if len(sample.bars.returns) < RETURNS_MIN:
        return TOO_SHORT
    value = rank_correlation(np.abs(sample.bars.returns), sample.bars.volume)
    return Measure(value, len(sample.bars.returns) ** -0.5)


def _sign_persistence(sample: Sample) -> Measure:
    if len(sample.orders.side) < ORDERS_MIN:
        return TOO_SHORT
    signs = sample.orders.side.astype(np.float64)
    decay = _decay_above_noise(signs, SIGN_LAG_MAX)
    if decay is None:
        return ABSENT
    return Measure(decay, 0.0, {"lag 1": float(autocorrelation(signs, LAGS[:1])[0])})


def _inter_arrival(sample: Sample) -> Measure:
    if len(sample.orders.side) < ORDERS_MIN:
        return TOO_SHORT
    durations = np.diff(sample.orders.time_us).astype(np.float64)
    if durations.mean() <= 0:
        return TOO_SHORT
    error = jackknife_error(durations, _variation)
    return Measure(_variation(durations), error, {"Weibull shape": weibull_shape(durations)})


def _variation(values: Floats) -> float:
    return float(values.std() / values.mean())


def _intraday_volume(sample: Sample) -> Measure:
    if sample.tape.span_us < INTRADAY_SPAN_MIN_US:
        return TOO_SHORT
    sixths = np.array([part.mean() for part in np.array_split(sample.bars.volume, 6)])
    middle = float(sixths[2:4].mean())
    return Measure(float(sixths[[0, 5]].mean()) / middle) if middle > 0 else TOO_SHORT


def _market_impact(sample: Sample) -> Measure:
    """Runs of orders of one sign stand for the parent orders that a tape does not show."""
    if len(sample.orders.side) < ORDERS_MIN:
        return TOO_SHORT
    quantity, moved = impact_of_runs(sample.orders)
    found = binned_exponent(quantity.astype(np.float64), moved, IMPACT_BINS)
    return Measure(found[0], 0.0, {"bins": float(found[1])}) if found else ABSENT


def impact_of_runs(orders: TakenOrders) -> tuple[Integers, Floats]:
    """Quantity of each run of neighbours on one side, and log price moved its way.

    The move is from the last price before the run to its own last price.
    """
    first = np.flatnonzero(np.diff(orders.side)) + 1
    last = np.append(first[1:], len(orders.side)) - 1
    if len(first) == 0:
        return np.zeros(0, np.int64), np.zeros(0)
    quantity = np.add.reduceat(orders.quantity, first)
    logs = np.log(orders.last_price.astype(np.float64))
    moved: Floats = orders.side[first] * (logs[last] - logs[first - 1])
    return quantity, moved


FACTS = (
    FactDescription(
        "no_autocorrelation",
        "No autocorrelation of returns",
        "root mean square of the autocorrelation at lags 1–10",
        Band(0.0, 0.10, "≤ 0.10"),
        "Cont 2001; bid–ask bounce at lag 1: Roll 1984",
        _of_returns(_no_autocorrelation),
    ),
    FactDescription(
        "heavy_tails",
        "Heavy tails",
        "Hill exponent of the largest 5 % of |r|",
        Band(2.0, 5.0, "2–5"),
        "Cont 2001; about 3: Gopikrishnan et al. 1998",
        _of_returns(_heavy_tails),
    ),
    FactDescription(
        "aggregational_normality",
        "Aggregational normality",
        "excess kurtosis at the longest horizon over that at Δ",
        Band(-0.9, 0.9, "within ±0.9"),
        "Cont 2001; Gopikrishnan et al. 1999",
        _of_returns(_aggregational_normality),
    ),
    FactDescription(
        "volatility_clustering",
        "Volatility clustering",
        "mean autocorrelation of |r| at lags 1–10",
        Band(0.0, 0.6, "0–0.6"),
        "Ding, Granger, Engle 1993; decay exponent 0.2–0.4: Cont 2001; 0.3: Liu et al. 1999",
        _of_returns(_volatility_clustering),
    ),
    FactDescription(
        "gain_loss_asymmetry",
        "Gain/loss asymmetry",
        "skewness of returns",
        Band(-float("inf"), 0.0, "< 0"),
        "Cont 2001: shares and indices, not currencies",
        _of_returns(_gain_loss_asymmetry),
    ),
    FactDescription(
        "volume_volatility",
        "Volume and volatility",
        "rank correlation of volume and |r|",
        Band(0.1, 0.9, "0.1–0.9"),
        "positive: Karpoff 1987; Cont 2001",
        _volume_volatility,
    ),
    FactDescription(
        "leverage_effect",
        "Leverage effect",
        "mean correlation of r with r² 1–10 later",
        Band(-1.0, 0.0, "< 0"),
        "Bouchaud, Matacz, Potters 2001; Cont 2001",
        _of_returns(_leverage),
    ),
    FactDescription(
        "order_sign_persistence",
        "Order-sign persistence",
        "decay exponent γ of the autocorrelation of signs",
        Band(0.2, 0.9, "0.2–0.9"),
        "about 0.6: Lillo, Farmer 2004; 0.2–0.7: Bouchaud et al. 2004",
        _sign_persistence,
    ),
    FactDescription(
        "inter_arrival",
        "Inter-arrival times",
        "standard deviation over mean of the time between orders (Poisson: 1)",
        Band(1.1, 10.0, "> 1.1"),
        "Engle, Russell 1998; Weibull shape < 1: Ivanov et al. 2004",
        _inter_arrival,
    ),
    FactDescription(
        "intraday_volume",
        "Intraday volume",
        "volume of the first and last sixth over that of the middle third",
        Band(1.1, 4.0, "1.1–4, a U"),
        "Jain, Joh 1988; Admati, Pfleiderer 1988",
        _intraday_volume,
    ),
    FactDescription(
        "market_impact",
        "Square-root market impact",
        "exponent δ of the move against the size of a run of orders of one sign",
        Band(0.3, 0.7, "0.3–0.7"),
        "0.5: Tóth et al. 2011; 0.6: Almgren et al. 2005; 0.49: Sato, Kanazawa 2024",
        _market_impact,
    ),
)
