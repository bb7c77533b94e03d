"""Liquidation and auto-deleveraging: the rules of perps.md, in integers and without a venue.

When equity ≤ Σ notional × maintenance rate, orders are withdrawn and positions closed by
reduce-only IOC orders within 0.5 % of mark; above 100,000 of notional a fifth first and the rest
30 s later. The insurance fund earns a fee on what is closed and pays what is missing. What it
cannot pay is not sold into the book: the rest of the position goes, at the price that leaves its
owner with nothing, to opposite positions ranked by (unrealised PnL ÷ cost) × (notional ÷ equity).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from sim.market import MarketSpec
from sim.money.rules import share_up
from sim.rows.kernels import rule
from sim.rows.messages import Side
from sim.units import ATOMS_PER_UNIT, PPM, ceil_div

Integers = npt.NDArray[np.int64]

PARTIAL_ABOVE_ATOMS = 100_000 * ATOMS_PER_UNIT
PARTIAL_PPM = 200_000
PAUSE_US = 30_000_000

CLOSING_BAND_PPM = 5_000
"""A position is closed by force at mark ∓ 0.5 %, never beyond."""

LIQUIDATION_FEE_PPM = 1_000
"""Of the notional that was closed by force; the insurance fund earns it."""

RATIO_SHIFT, RATIO_MAX = 20, 2**30
LAST = -(2**62)
"""The score of who has nothing to lose."""


HEALTHY, PARTLY_CLOSED, CLOSED, WAITS = range(4)
"""Stages of an account, and that nothing is done about it now."""


@rule
def verdict(
    equity_atoms: int,
    notional_atoms: int,
    maintenance_atoms: int,
    stage: int,
    since_partly_closed: int,
    pause: int,
) -> int:
    """The stage of an account from now on; WAITS where nothing is done about it in this check.

    since_partly_closed, pause   time since a fifth was closed, and how long that may take to help
    """
    if notional_atoms == 0:
        if equity_atoms < 0:
            return CLOSED
        return WAITS if stage == CLOSED else HEALTHY
    if stage == CLOSED:
        return CLOSED
    if equity_atoms > maintenance_atoms:
        return HEALTHY
    if stage == HEALTHY and notional_atoms > PARTIAL_ABOVE_ATOMS:
        return PARTLY_CLOSED
    return WAITS if stage == PARTLY_CLOSED and since_partly_closed < pause else CLOSED


def closing_price_ticks(mark_ticks: int, side: Side) -> int:
    """Mark less 0.5 % for a sale, plus 0.5 % for a purchase, to the tick toward mark."""
    if side == Side.SELL:
        return ceil_div(mark_ticks * (PPM - CLOSING_BAND_PPM), PPM)
    return mark_ticks * (PPM + CLOSING_BAND_PPM) // PPM


def bearable_price_ticks(
    spec: MarketSpec, mark_ticks: int, side: Side, lots: int, budget_atoms: int
) -> int:
    """The worst price at which closing costs no more than a budget, against mark.

    The cost is the distance from mark, the taker's fee and the liquidation fee. The budget is
    the account's equity and what the fund can add, below 0 where both are used up: then the price
    is better than mark. May be below 1 or above the highest price.
    """
    fees_ppm = spec.taker_fee_ppm + LIQUIDATION_FEE_PPM
    per_tick = lots * spec.atoms_per_tick_lot
    at_mark = per_tick * mark_ticks
    if side == Side.SELL:
        return ceil_div((at_mark - budget_atoms) * PPM, per_tick * (PPM - fees_ppm))
    return (at_mark + budget_atoms) * PPM // (per_tick * (PPM + fees_ppm))


def closing_cost_atoms(
    spec: MarketSpec, mark_ticks: int, side: Any, lots: Any, price_ticks: Any
) -> Any:
    """What closing at a price costs against mark, both fees included, each rounded up.

    side, lots, price_ticks   numbers, or int64 arrays of one shape
    """
    direction = 1 - 2 * (side == Side.SELL)
    lot_paid, lot_worth = (spec.notional_atoms(ticks, 1) for ticks in (price_ticks, mark_ticks))
    paid, distance = lots * lot_paid, direction * lots * (lot_paid - lot_worth)
    return distance + share_up(paid, spec.taker_fee_ppm) + share_up(paid, LIQUIDATION_FEE_PPM)


def deleveraging_scores(
    unrealized_atoms: Integers, costs_atoms: Integers, worths_atoms: Integers, equities: Integers
) -> Integers:
    """(unrealised PnL ÷ cost) × (notional ÷ equity) of positions, int64, for ranking only.

    costs, worths and equities   int64 atoms; costs and worths above 0 and below 2**62

    Each ratio in units of 2**-20, at most 1024. Who has no equity is LAST.
    """
    won = ratios_q20(np.abs(unrealized_atoms), costs_atoms) * np.sign(unrealized_atoms)
    able = equities > 0
    leverage = ratios_q20(worths_atoms, np.where(able, equities, 1))
    scores: Integers = np.where(able, won * leverage, LAST)
    return scores


def ratios_q20(numerators: Integers, denominators: Integers) -> Integers:
    """Quotients of numbers from 0 to 2**62 in units of 2**-20, saturated; exact below 2**42."""
    exact = (numerators << RATIO_SHIFT) // denominators
    coarse = numerators // np.maximum(1, denominators >> RATIO_SHIFT)
    ratios: Integers = np.where(numerators < 2**42, exact, coarse)
    return np.minimum(ratios, RATIO_MAX)


def deleveraging_order(scores: Integers, account_ids: Integers) -> Integers:
    """Places, the highest score first; equals by account."""
    return np.lexsort((account_ids, -scores)).astype(np.int64)


def borne_atoms(deficit_atoms: int, lots_before: int, lots: int, size_lots: int) -> int:
    """What falls on the lots after `lots_before` of a position whose owner lacks a deficit.

    Lot by lot the bankruptcy price; in all the deficit, to the atom.
    """
    after = deficit_atoms * (lots_before + lots) // size_lots
    return after - deficit_atoms * lots_before // size_lots


def liquidation_price_ticks(
    spec: MarketSpec,
    position_lots: int,
    cost_atoms: int,
    wallet_atoms: int,
    others_atoms: int = 0,
    deduction_atoms: int = 0,
) -> int | None:
    """The mark at which an account is closed by force if nothing else moves, for display.

    (WB − TMM + UPNL + cum − side × q × EP) ÷ (q × MMR − side × q), to the nearest tick.

    cost_atoms        side × q × EP: the position's cost basis, short below 0
    others_atoms      UPNL − TMM: unrealised profit of its other positions less their maintenance
    deduction_atoms   cum: what a tiered schedule takes off the maintenance of this position

    None where no price above 0 does it.
    """
    size, direction = abs(position_lots), 1 if position_lots > 0 else -1
    numerator = (wallet_atoms + others_atoms + deduction_atoms - cost_atoms) * PPM
    per_tick = size * spec.atoms_per_tick_lot
    denominator = per_tick * (spec.maintenance_margin_ppm - direction * PPM)
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    nearest = (2 * numerator + denominator) // (2 * denominator)
    return nearest if nearest > 0 else None
