"""How a strategy did: its metrics, from its standing over time.

Conventions. A strategy is one account: equity, fees and volume are sums over
its traders. Returns are simple, of equity at the samples of a grid (`period_us`:
a minute, and never finer than what was recorded), the first against the capital
at the start. Annualised by the number of periods in 365 days, for these markets
never close; the risk-free rate is 0. Standard deviations divide by n − 1.
Formulas are those of empyrical (the library of Quantopian's zipline), against
which they are tested; a figure that its formula leaves undefined is None, never
infinite. Volatility, Sharpe and Sortino are None, too, where they would say
nothing: see `why_not_judged`.
"""

from dataclasses import dataclass

import numpy as np

from sim.ratios import Floats, drawdowns, sharpe_ratio, sortino_ratio, volatility
from sim.record.run import Integers, StrategyRecord
from sim.sums import exact_sum
from sim.units import ATOMS_PER_UNIT

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
YEAR_US = 365 * 24 * HOUR_US
RETURNS_MIN = 60
"""From fewer, the standard error of a yearly ratio is larger than any ratio that was ever earned:
about √(periods a year ÷ returns), 94 for sixty minutes (Lo, "The statistics of Sharpe ratios")."""


@dataclass(frozen=True)
class Drawdown:
    """The deepest fall of equity from a peak.

    fraction       ≤ 0: equity at the trough over that at the peak, less 1
    length_us      from that peak until equity is back at it, or to the end
    is_recovered   whether it came back
    """

    fraction: float
    length_us: int
    is_recovered: bool


@dataclass(frozen=True)
class Performance:
    """The metrics of a strategy.

    return_fraction                  equity at the end over the capital, less 1
    volatility, sharpe, sortino      annualised; None where `why_not_judged` says why
    win_rate                         winners among the traders who won or lost
    profit_factor                    what winners won over what losers lost
    turnover                         traded notional over the capital
    profit_units, volume_units       quote units: equity at the end less the capital; notional
    fees_units, funding_units        quote units, as recorded: totals of the run
    liquidated_traders               how often a trader was liquidated
    """

    name: str
    strategy: str
    traders: int
    capital_units: float
    equity_units: float
    period_us: int
    return_fraction: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    drawdown: Drawdown
    win_rate: float | None
    profit_factor: float | None
    turnover: float | None
    profit_units: float
    volume_units: float
    fees_units: float
    funding_units: float
    liquidated_traders: int
    why_not_judged: str = ""


def performance(record: StrategyRecord) -> Performance:
    """All metrics of one strategy."""
    times_us, equity = equity_curve(record)
    period_us = sampling_period_us(times_us)
    returns = period_returns(times_us, equity, period_us)
    why_not = why_not_judged(returns, equity)
    judged = np.zeros(0) if why_not else returns
    periods = YEAR_US / period_us
    totals = record.standings[-1] if len(record.standings) else None
    capital = record.capital_atoms
    volume = int(totals["volume_atoms"]) if totals is not None else 0
    return Performance(
        record.name,
        record.strategy,
        record.traders,
        capital / ATOMS_PER_UNIT,
        float(equity[-1]) / ATOMS_PER_UNIT,
        period_us,
        float(equity[-1]) / capital - 1 if capital > 0 else None,
        volatility(judged, periods),
        sharpe_ratio(judged, periods),
        sortino_ratio(judged, periods),
        max_drawdown(times_us, equity),
        win_rate(record.trader_pnl_atoms),
        profit_factor(record.trader_pnl_atoms),
        volume / capital if capital > 0 else None,
        exact_sum(record.trader_pnl_atoms) / ATOMS_PER_UNIT,
        volume / ATOMS_PER_UNIT,
        int(totals["fees_atoms"]) / ATOMS_PER_UNIT if totals is not None else 0.0,
        int(totals["funding_atoms"]) / ATOMS_PER_UNIT if totals is not None else 0.0,
        int(totals["liquidated_traders"]) if totals is not None else 0,
        why_not,
    )


def why_not_judged(returns: Floats, equity: Floats) -> str:
    """Why no yearly figure is made of returns; empty where one is."""
    if (equity <= 0).any():
        return "its equity fell to nothing"
    if len(returns) < RETURNS_MIN:
        return f"under {RETURNS_MIN} returns"
    if float(returns.mean()) * float(np.log(equity[-1] / equity[0])) < 0:
        return "its mean return and its whole return have different signs"
    return ""


def equity_curve(record: StrategyRecord) -> tuple[Integers, Floats]:
    """Times and equity in atoms, the capital at time 0 first unless a sample stands there."""
    times_us = record.standings["time_us"].astype(np.int64)
    equity = record.standings["equity_atoms"].astype(np.float64)
    if len(times_us) and times_us[0] <= 0:
        return times_us, equity
    start = np.zeros(1, np.int64)
    return np.concatenate([start, times_us]), np.concatenate([start + record.capital_atoms, equity])


def sampling_period_us(times_us: Integers) -> int:
    """A minute, or the mean distance of the samples where that is longer."""
    span_us = int(times_us[-1] - times_us[0])
    return max(MINUTE_US, -(-span_us // max(1, len(times_us) - 1)))


def period_returns(times_us: Integers, equity: Floats, period_us: int) -> Floats:
    """Simple returns of the last equity known at each whole period; none from equity ≤ 0 on."""
    count = int(times_us[-1] - times_us[0]) // period_us
    grid = times_us[0] + period_us * np.arange(count + 1)
    sampled = equity[np.searchsorted(times_us, grid, side="right") - 1]
    ruined = np.flatnonzero(sampled <= 0)
    alive = sampled[: ruined[0]] if len(ruined) else sampled
    returns: Floats = alive[1:] / alive[:-1] - 1
    return returns


def max_drawdown(times_us: Integers, equity: Floats) -> Drawdown:
    """The deepest, and how long it took to be made good."""
    falls = drawdowns(equity)
    trough = int(np.argmin(falls))
    if falls[trough] >= 0:
        return Drawdown(0.0, 0, True)
    peak = trough - int(np.argmax(falls[trough::-1] >= 0))
    back = np.flatnonzero(falls[trough:] >= 0)
    end = trough + int(back[0]) if len(back) else len(falls) - 1
    return Drawdown(float(falls[trough]), int(times_us[end] - times_us[peak]), len(back) > 0)


def win_rate(pnl_atoms: Integers) -> float | None:
    """Winners among those who won or lost; None where nobody did."""
    moved = int((pnl_atoms != 0).sum())
    return int((pnl_atoms > 0).sum()) / moved if moved else None


def profit_factor(pnl_atoms: Integers) -> float | None:
    """Sum of profits over sum of losses; None where nobody lost."""
    lost = -exact_sum(pnl_atoms[pnl_atoms < 0])
    return exact_sum(pnl_atoms[pnl_atoms > 0]) / lost if lost else None
