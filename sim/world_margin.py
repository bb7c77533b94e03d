"""Who is liquidated: compares traders with their maintenance margin, on what markets last said.

The rules of perps.md: when equity ≤ Σ notional × maintenance rate a trader's orders are
withdrawn and its positions closed, a fifth first where they are worth more than 100,000 and
the rest 30 s later if that did not help. Whoever was closed wholly does not come back; what it
then owes is asked of the insurance fund of its strategy's first market.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sim.market import MarketSpec
from sim.units import ATOMS_PER_UNIT, PPM

Integers = npt.NDArray[np.int64]

PARTIAL_ABOVE_ATOMS = 100_000 * ATOMS_PER_UNIT
PARTIAL_PPM = 200_000
PAUSE_US = 30_000_000

HEALTHY, PARTLY_CLOSED, CLOSED = range(3)


class MarginWatch:
    """The traders of one part of a strategy.

    stages          int64 (traders,): HEALTHY, PARTLY_CLOSED or CLOSED
    partial_steps   int64 (traders,): the step of the last partial closing
    """

    def __init__(
        self, accounts: range, capital_atoms: int, specs: Sequence[MarketSpec], step_us: int
    ) -> None:
        self.accounts, self._capital_atoms = accounts, capital_atoms
        self._rates_ppm = [spec.maintenance_margin_ppm for spec in specs]
        self._pause_steps = PAUSE_US // step_us
        self.stages: Integers = np.zeros(len(accounts), np.int64)
        self._partial_steps: Integers = np.zeros(len(accounts), np.int64)

    @property
    def closed(self) -> npt.NDArray[np.bool_]:
        """Traders who are out: bool (traders,)."""
        out: npt.NDArray[np.bool_] = self.stages == CLOSED
        return out

    def judge(self, step: int, margins: Sequence[Integers]) -> tuple[Integers, Integers]:
        """Whom to close and who owes: int64 (n, 2) of account and ppm of its positions to close,
        and of account and atoms. `margins`: what each market's `values` say, (2, traders)."""
        equity = self._capital_atoms + sum(margin[0] for margin in margins)
        notional = sum(margin[1] for margin in margins)
        needed = sum(
            maintenance_atoms(margin[1], rate)
            for margin, rate in zip(margins, self._rates_ppm, strict=True)
        )
        owing = np.flatnonzero((notional == 0) & (equity < 0) & self.closed)
        unhealthy = (equity <= needed) & (notional > 0)
        self.stages[(self.stages == PARTLY_CLOSED) & ~unhealthy] = HEALTHY
        return self._closings(step, unhealthy, notional), self._rows(owing, -equity[owing])

    def _closings(
        self, step: int, unhealthy: npt.NDArray[np.bool_], notional: Integers
    ) -> Integers:
        """Decide what part goes now, and note it."""
        first = unhealthy & (self.stages == HEALTHY) & (notional > PARTIAL_ABOVE_ATOMS)
        waiting = self.stages == PARTLY_CLOSED
        waiting &= step - self._partial_steps < self._pause_steps
        whole = unhealthy & ~first & ~waiting
        whole |= self.closed & (notional > 0)
        self.stages[first], self._partial_steps[first] = PARTLY_CLOSED, step
        self.stages[whole] = CLOSED
        chosen = np.flatnonzero(first | whole)
        return self._rows(chosen, np.where(first[chosen], PARTIAL_PPM, PPM))

    def _rows(self, places: Integers, values: Integers) -> Integers:
        return np.column_stack([places + self.accounts.start, values]).astype(np.int64)


def maintenance_atoms(notional_atoms: Integers, rate_ppm: int) -> Integers:
    """Maintenance margin, rounded up, without leaving 64 bits."""
    whole, rest = notional_atoms // PPM, notional_atoms % PPM
    margin: Integers = whole * rate_ppm - (-rest * rate_ppm // PPM)
    return margin
