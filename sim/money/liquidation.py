"""Liquidation and auto-deleveraging: the rules of perps.md, in integers and without a venue.

When equity ≤ Σ notional × maintenance rate, orders are withdrawn and positions closed by
reduce-only IOC orders within 0.5 % of mark; above 100,000 of notional a fifth first and the rest
30 s later. The insurance fund earns a fee on what is closed and pays what is missing. What it
cannot pay is not sold into the book: the rest of the position goes, at the price that leaves its
owner with nothing, to opposite positions ranked by (unrealised PnL ÷ cost) × (notional ÷ equity).
"""

import numpy as np
import numpy.typing as npt

from sim.market import MarketSpec
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


def maintenance_atoms(notional_atoms: int, rate_ppm: int) -> int:
    """Maintenance margin of a position, rounded up."""
    return ceil_div(notional_atoms * rate_ppm, PPM)


def is_unhealthy(equity_atoms: int, maintenance_sum_atoms: int, notional_sum_atoms: int) -> bool:
    """Whether an account is closed by force. Without a position it never is."""
    return notional_sum_atoms > 0 and equity_atoms <= maintenance_sum_atoms


def closing_ppm(notional_sum_atoms: int, partly_closed_us_ago: int | None) -> int:
    """What part of its positions goes now: a fifth, all, or nothing yet.

    partly_closed_us_ago   since the fifth went and the account has not been healthy; None: it has
                           not gone
    """
    if partly_closed_us_ago is None:
        return PARTIAL_PPM if notional_sum_atoms > PARTIAL_ABOVE_ATOMS else PPM
    return PPM if partly_closed_us_ago >= PAUSE_US else 0


def closing_side(position_lots: int) -> Side:
    """What closes a position."""
    return Side.SELL if position_lots > 0 else Side.BUY


def closing_lots(position_lots: int, ppm: int) -> int:
    """A part of a position, at least one lot of it."""
    return ceil_div(abs(position_lots) * ppm, PPM)


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
    spec: MarketSpec, mark_ticks: int, side: Side, lots: int, price_ticks: int
) -> int:
    """What closing at a price costs against mark, both fees included, each rounded up."""
    worth, paid = spec.notional_atoms(mark_ticks, lots), spec.notional_atoms(price_ticks, lots)
    distance = worth - paid if side == Side.SELL else paid - worth
    fees = (spec.taker_fee_ppm, LIQUIDATION_FEE_PPM)
    return distance + sum(ceil_div(paid * rate, PPM) for rate in fees)


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
