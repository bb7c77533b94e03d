"""Positions as round trips: each from when its quantity leaves zero until it is zero again.

A pure fold over an account's fills in one market, in their order. A fill that goes through zero
closes one round trip and opens the next; its fee is divided by quantity, rounded down for the one
that closes, so both together are the fee to the atom.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from sim.rows.messages import Side


class AccountFill(NamedTuple):
    """An account's side of a trade. `realized_pnl_atoms` is before the fee."""

    fill_id: int
    order_id: int
    side: Side
    price_ticks: int
    quantity_lots: int
    fee_atoms: int
    realized_pnl_atoms: int
    at_us: int


@dataclass(frozen=True)
class RoundTrip:
    """One position, called by the fill that opened it.

    direction              1 LONG, -1 SHORT
    entry_*, exit_*        all that was bought (sold) into it, and out of it; tick_lots are sums of
                           price × quantity
    realized_pnl_atoms     before fees
    """

    opened_fill_id: int
    direction: int
    entry_lots: int
    entry_tick_lots: int
    exit_lots: int
    exit_tick_lots: int
    fees_atoms: int
    realized_pnl_atoms: int
    first_order_id: int
    last_order_id: int
    last_fill_id: int
    opened_at_us: int
    updated_at_us: int
    closed_at_us: int | None

    @property
    def held_lots(self) -> int:
        """What is left of it, without its sign."""
        return self.entry_lots - self.exit_lots


def fold(open_trip: RoundTrip | None, fills: Iterable[AccountFill]) -> list[RoundTrip]:
    """Every round trip that the fills change, in the order of opening; the last one may be open.

    open_trip   the one that was open before them
    """
    changed: list[RoundTrip] = []
    current = open_trip
    for fill in fills:
        if current is None or current.closed_at_us is not None:
            if current is not None:
                changed.append(current)
            current = opened_by(fill, fill.quantity_lots, fill.fee_atoms)
        elif goes_along(current, fill):
            current = enlarged(current, fill)
        else:
            lots = min(fill.quantity_lots, current.held_lots)
            fee_atoms = fill.fee_atoms * lots // fill.quantity_lots
            current = reduced(current, fill, lots, fee_atoms)
            if lots < fill.quantity_lots:
                changed.append(current)
                rest_lots, rest_fee = fill.quantity_lots - lots, fill.fee_atoms - fee_atoms
                current = opened_by(fill, rest_lots, rest_fee)
    return changed if current is None or current is open_trip else [*changed, current]


def direction_of(fill: AccountFill) -> int:
    """1 for what is bought, -1 for what is sold."""
    return 1 if fill.side == Side.BUY else -1


def goes_along(trip: RoundTrip, fill: AccountFill) -> bool:
    """Whether a fill makes the position larger."""
    return direction_of(fill) == trip.direction


def opened_by(fill: AccountFill, lots: int, fee_atoms: int) -> RoundTrip:
    """A round trip that begins with so much of a fill."""
    return RoundTrip(
        opened_fill_id=fill.fill_id,
        direction=direction_of(fill),
        entry_lots=lots,
        entry_tick_lots=lots * fill.price_ticks,
        exit_lots=0,
        exit_tick_lots=0,
        fees_atoms=fee_atoms,
        realized_pnl_atoms=0,
        first_order_id=fill.order_id,
        last_order_id=fill.order_id,
        last_fill_id=fill.fill_id,
        opened_at_us=fill.at_us,
        updated_at_us=fill.at_us,
        closed_at_us=None,
    )


def enlarged(trip: RoundTrip, fill: AccountFill) -> RoundTrip:
    """The round trip with a fill more into it."""
    return replace(
        touched(trip, fill),
        entry_lots=trip.entry_lots + fill.quantity_lots,
        entry_tick_lots=trip.entry_tick_lots + fill.quantity_lots * fill.price_ticks,
        fees_atoms=trip.fees_atoms + fill.fee_atoms,
    )


def reduced(trip: RoundTrip, fill: AccountFill, lots: int, fee_atoms: int) -> RoundTrip:
    """The round trip with so much of a fill out of it; closed where nothing is left."""
    return replace(
        touched(trip, fill),
        exit_lots=trip.exit_lots + lots,
        exit_tick_lots=trip.exit_tick_lots + lots * fill.price_ticks,
        fees_atoms=trip.fees_atoms + fee_atoms,
        realized_pnl_atoms=trip.realized_pnl_atoms + fill.realized_pnl_atoms,
        closed_at_us=fill.at_us if lots == trip.held_lots else None,
    )


def touched(trip: RoundTrip, fill: AccountFill) -> RoundTrip:
    """The round trip, whose last fill this is."""
    return replace(
        trip,
        last_order_id=fill.order_id,
        last_fill_id=fill.fill_id,
        updated_at_us=fill.at_us,
    )
