"""Positions: a cost basis in atoms, so that closing never rounds money away."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from sim.market import MarketSpec
from sim.units import PPM, ceil_div


@dataclass(frozen=True)
class Position:
    """Signed lots, and what they cost: cost_atoms has the sign of quantity_lots."""

    quantity_lots: int = 0
    cost_atoms: int = 0


FLAT = Position()


def fill_position(
    position: Position, signed_lots: int, price_ticks: int, atoms_per_tick_lot: int
) -> tuple[Position, int]:
    """The position after a fill, and the profit in atoms that it realised (before fees).

    Same side averages in. Other side removes floor(cost × closed ÷ size) of the
    basis; the last close takes the rest, so a flat position costs exactly 0.
    Crossing zero opens the rest at the fill price. Source: perps.md, "Fill to
    position"; the basis method is the one in its rounding table.
    """
    size = abs(position.quantity_lots)
    if position.quantity_lots == 0 or (position.quantity_lots > 0) == (signed_lots > 0):
        cost = position.cost_atoms + signed_lots * price_ticks * atoms_per_tick_lot
        return Position(position.quantity_lots + signed_lots, cost), 0
    closed = min(size, abs(signed_lots))
    direction = 1 if position.quantity_lots > 0 else -1
    basis = abs(position.cost_atoms) * closed // size
    realized = direction * (closed * price_ticks * atoms_per_tick_lot - basis)
    left = Position(
        position.quantity_lots - direction * closed, position.cost_atoms - direction * basis
    )
    opened = abs(signed_lots) - closed
    if opened == 0:
        return left, realized
    lots = -direction * opened
    return Position(lots, lots * price_ticks * atoms_per_tick_lot), realized


def fee_atoms(notional_atoms: int, rate_ppm: int) -> int:
    """A fee, up to the atom; a rebate (negative rate) toward zero."""
    return ceil_div(notional_atoms * rate_ppm, PPM)


def unrealized_pnl_atoms(position: Position, mark_ticks: int, spec: MarketSpec) -> int:
    """What closing at mark would realise, in atoms."""
    return position.quantity_lots * mark_ticks * spec.atoms_per_tick_lot - position.cost_atoms


def entry_price_text(position: Position, spec: MarketSpec) -> str:
    """Average entry price for display: at most 8 decimals, half up; '0' when flat."""
    if position.quantity_lots == 0:
        return "0"
    ticks = Decimal(position.cost_atoms) / (position.quantity_lots * spec.atoms_per_tick_lot)
    price = (ticks * spec.tick_size).quantize(Decimal("1e-8"), ROUND_HALF_UP)
    text = f"{price:f}".rstrip("0").rstrip(".")
    return text or "0"
