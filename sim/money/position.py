"""Positions: a cost basis in atoms, so that closing never rounds money away."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from sim.market import MarketSpec
from sim.money.rules import after_fill


@dataclass(frozen=True)
class Position:
    """Signed lots, and what they cost: cost_atoms has the sign of quantity_lots."""

    quantity_lots: int = 0
    cost_atoms: int = 0


FLAT = Position()


def fill_position(
    position: Position, signed_lots: int, price_ticks: int, atoms_per_tick_lot: int
) -> tuple[Position, int]:
    """The position after a fill, and the profit in atoms that it realised (before fees)."""
    lots, cost, realized = after_fill(
        position.quantity_lots, position.cost_atoms, signed_lots, price_ticks * atoms_per_tick_lot
    )
    return Position(lots, cost), realized


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
