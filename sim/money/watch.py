"""Who is liquidated: compares traders with their maintenance margin, on what markets last said.

The rules of perps.md: when equity ≤ Σ notional × maintenance rate a trader's orders are
withdrawn and its positions closed, a fifth first where they are worth more than 100,000 and
the rest 30 s later if that did not help. Whoever was closed wholly does not come back, nor does
who is flat with less than nothing; what they owe is asked of an insurance fund.

Each market that closes is told its share of the trader's equity, by notional: what it can lose
there before somebody else pays.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.market import MarketSpec
from sim.money import liquidation, rules
from sim.money.liquidation import (
    CLOSED,
    HEALTHY,
    PARTIAL_PPM,
    PARTLY_CLOSED,
    PAUSE_US,
    WAITS,
    verdict,
)
from sim.money.rules import initial_margin_atoms, part_of, share_up
from sim.rows import kernels
from sim.rows.kernels import cached_kernel, inlined, rule
from sim.units import PPM

Integers = npt.NDArray[np.int64]

EQUITY, NOTIONAL, MAINTENANCE, INITIAL = range(4)
"""Columns of a trader's sums over its markets, in atoms."""


def no_closings() -> Integers:
    """An empty (0, 3) int64 array."""
    return np.empty((0, 3), np.int64)


def no_pairs() -> Integers:
    """An empty (0, 2) int64 array."""
    return np.empty((0, 2), np.int64)


@cached_kernel(kernels, rules)
def add_market(
    values: Integers,
    maintenance_ppm: int,
    leverage: int,
    capital_atoms: int,
    first: bool,
    sums: Integers,
) -> None:
    """One market's (2, traders) of MarketAccounts.values joins sums, (traders, 4) int64.

    The first one begins them, with the capital.
    """
    for trader in range(len(sums)):
        gain, worth = values[0, trader], values[1, trader]
        if first:
            sums[trader, EQUITY], sums[trader, NOTIONAL] = capital_atoms, 0
            sums[trader, MAINTENANCE], sums[trader, INITIAL] = 0, 0
        sums[trader, EQUITY] += gain
        if worth > 0:
            sums[trader, NOTIONAL] += worth
            sums[trader, MAINTENANCE] += share_up(worth, maintenance_ppm)
            sums[trader, INITIAL] += initial_margin_atoms(worth, leverage)


@rule
def free_after_positions_atoms(equity: int, initial: int, free_most: int) -> int:
    """What orders may bind: equity less initial margins, as far as is counted."""
    return min(free_most, equity - initial)


@cached_kernel(kernels, rules)
def free_of(sums: Integers, free_most: int, free: Integers) -> None:
    """Write what each trader's orders may bind, (traders,), from its sums over its markets."""
    for trader in range(len(sums)):
        free[trader] = free_after_positions_atoms(
            sums[trader, EQUITY], sums[trader, INITIAL], free_most
        )


@inlined
def carry_out(
    trader: int,
    step: int,
    pause: int,
    equity: int,
    notional: int,
    maintenance: int,
    stages: Integers,
    partial_steps: Integers,
    chosen: Integers,
    owing: Integers,
    counts: Integers,
) -> None:
    """Note what becomes of a trader; see `decide`."""
    stage = stages[trader]
    after = verdict(equity, notional, maintenance, stage, step - partial_steps[trader], pause)
    if after == WAITS:
        return
    stages[trader] = after
    if notional == 0 and after == CLOSED:
        owing[counts[1], 0], owing[counts[1], 1] = trader, -equity
        counts[1] += 1
    if after == PARTLY_CLOSED:
        partial_steps[trader] = step
    if after == PARTLY_CLOSED or (after == CLOSED and (notional > 0 or stage != CLOSED)):
        chosen[counts[0], 0] = trader
        chosen[counts[0], 1] = PARTIAL_PPM if after == PARTLY_CLOSED else PPM
        counts[0] += 1


@cached_kernel(kernels, liquidation, rules)
def decide(
    sums: Integers,
    step: int,
    pause: int,
    free_most: int,
    stages: Integers,
    partial_steps: Integers,
    free: Integers,
    chosen: Integers,
    owing: Integers,
    counts: Integers,
) -> None:
    """Judge every trader by sums over its markets; see MarginWatch.

    Writes stages, partial_steps and free (all (traders,) int64), and from the front places and
    ppm into chosen, places and atoms into owing, (traders, 2) each; how many of each into counts.
    """
    for trader in range(len(sums)):
        equity, notional = sums[trader, EQUITY], sums[trader, NOTIONAL]
        free[trader] = free_after_positions_atoms(equity, sums[trader, INITIAL], free_most)
        if stages[trader] != HEALTHY or equity < 0 or equity <= sums[trader, MAINTENANCE]:
            carry_out(
                trader,
                step,
                pause,
                equity,
                notional,
                sums[trader, MAINTENANCE],
                stages,
                partial_steps,
                chosen,
                owing,
                counts,
            )


@cached_kernel(kernels, liquidation, rules)
def decide_in_one_market(
    values: Integers,
    maintenance_ppm: int,
    leverage: int,
    capital_atoms: int,
    step: int,
    pause: int,
    free_most: int,
    stages: Integers,
    partial_steps: Integers,
    free: Integers,
    chosen: Integers,
    owing: Integers,
    counts: Integers,
) -> None:
    """The same for traders of one market, in one pass over its (2, traders) of values.

    Whose equity is more than its notional needs no division to be healthy.
    """
    for trader in range(len(stages)):
        equity, notional = capital_atoms + values[0, trader], values[1, trader]
        initial = initial_margin_atoms(notional, leverage)
        free[trader] = free_after_positions_atoms(equity, initial, free_most)
        if stages[trader] != HEALTHY or equity < 0 or equity <= notional:
            carry_out(
                trader,
                step,
                pause,
                equity,
                notional,
                share_up(notional, maintenance_ppm),
                stages,
                partial_steps,
                chosen,
                owing,
                counts,
            )


@cached_kernel(kernels, rules)
def share_equity(
    worths: Integers, equities: Integers, notionals: Integers, first: int, closings: Integers
) -> None:
    """Write what of its equity stands behind each closing in the market of these worths.

    worths, equities, notionals (traders,); first is their first account; closings (n, 3): place,
    ppm and nothing, to account, ppm and atoms, rounded toward zero.
    """
    for row in range(len(closings)):
        trader = closings[row, 0]
        equity, share = equities[trader], 0
        if worths[trader] > 0:
            share = part_of(abs(equity), worths[trader], notionals[trader])
        closings[row, 0] = trader + first
        closings[row, 2] = share if equity > 0 else -share


@dataclass
class Judgement:
    """What a margin check comes to.

    closings    one a market, int64 (n, 3): account, ppm of its position to close, atoms of its
                equity that stand behind the position
    owing       int64 (n, 2): account, atoms below nothing, of traders without a position
    elsewhere   one a market, int64 (traders,): equity less what was gained in that market
    """

    closings: list[Integers]
    owing: Integers
    elsewhere: list[Integers]


class MarginWatch:
    """The traders of one part of a strategy.

    stages          int64 (traders,): HEALTHY, PARTLY_CLOSED or CLOSED
    partial_steps   int64 (traders,): the step of the last partial closing
    """

    def __init__(
        self,
        accounts: range,
        capital_atoms: int,
        specs: Sequence[MarketSpec],
        step_us: int,
        leverage: int,
    ) -> None:
        self.accounts, self._capital_atoms = accounts, capital_atoms
        self._rates_ppm = [spec.maintenance_margin_ppm for spec in specs]
        self._pause_steps, self._leverage = PAUSE_US // step_us, leverage
        self.stages: Integers = np.zeros(len(accounts), np.int64)
        self._partial_steps: Integers = np.zeros(len(accounts), np.int64)

    @property
    def closed(self) -> npt.NDArray[np.bool_]:
        """Traders who are out: bool (traders,)."""
        out: npt.NDArray[np.bool_] = self.stages == CLOSED
        return out

    def judge(
        self,
        step: int,
        margins: Sequence[Integers],
        free: Integers,
        free_most: int,
        sums: Integers,
    ) -> Judgement:
        """Whom to close and who owes.

        margins   what each market's `values` say, (2, traders)
        free      int64 (traders,), written: equity less initial margins, at most free_most
        sums      int64 (traders, 4), room to work in where there are several markets: new memory
                  at every check costs more than the check
        """
        traders, counts = len(self.accounts), np.zeros(2, np.int64)
        chosen, owing = np.empty((traders, 2), np.int64), np.empty((traders, 2), np.int64)
        notes = (self.stages, self._partial_steps, free, chosen, owing, counts)
        rates, rules = self._rates_ppm, (self._leverage, self._capital_atoms)
        if len(margins) == 1:
            decide_in_one_market(
                margins[0], rates[0], *rules, step, self._pause_steps, free_most, *notes
            )
        else:
            for place, (margin, rate) in enumerate(zip(margins, rates, strict=True)):
                add_market(margin, rate, *rules, place == 0, sums)
            decide(sums, step, self._pause_steps, free_most, *notes)
        owing = owing[: counts[1]].copy()
        owing[:, 0] += self.accounts.start
        elsewhere = [sums[:, EQUITY] - margin[0] for margin in margins] if len(margins) > 1 else []
        return Judgement(self._closings(margins, sums, chosen[: counts[0]]), owing, elsewhere)

    def _closings(
        self, margins: Sequence[Integers], sums: Integers, chosen: Integers
    ) -> list[Integers]:
        if len(chosen) == 0:
            return [no_closings() for _ in margins]
        equities, notionals = sums[:, EQUITY], sums[:, NOTIONAL]
        if len(margins) == 1:
            equities, notionals = self._capital_atoms + margins[0][0], margins[0][1]
        found = [np.column_stack([chosen, np.zeros(len(chosen), np.int64)]) for _ in margins]
        for margin, closings in zip(margins, found, strict=True):
            share_equity(margin[1], equities, notionals, self.accounts.start, closings)
        return found
