"""Cross margin: what an order reserves, what an account has available (perps.md, "Account")."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.market import MarketSpec
from sim.money.position import Position, unrealized_pnl_atoms
from sim.money.rules import above_band_ticks, below_band_ticks, initial_margin_atoms
from sim.rows.messages import Side


@dataclass(frozen=True)
class OpenPosition:
    """A position with what is needed to value it."""

    spec: MarketSpec
    position: Position
    leverage: int
    mark_ticks: int


@dataclass(frozen=True)
class MarketPrice:
    """What a MARKET order may cost: the price it reserves at, and the worst it may trade at."""

    reserve_ticks: int
    limit_ticks: int


def released_atoms(reserved_atoms: int, filled_lots: int, open_lots: int) -> int:
    """The share of a reservation that a partial fill frees; the last fill frees the rest."""
    return reserved_atoms * filled_lots // open_lots


def equity_atoms(wallet_atoms: int, positions: Iterable[OpenPosition]) -> int:
    """Wallet plus unrealised profit at mark."""
    return wallet_atoms + sum(
        unrealized_pnl_atoms(held.position, held.mark_ticks, held.spec) for held in positions
    )


def position_margin_atoms(held: OpenPosition) -> int:
    """Initial margin of a position at mark, rounded up."""
    notional = held.spec.notional_atoms(held.mark_ticks, abs(held.position.quantity_lots))
    return initial_margin_atoms(notional, held.leverage)


def available_atoms(wallet_atoms: int, locked_atoms: int, positions: Iterable[OpenPosition]) -> int:
    """Equity less the margin of positions and the reservations of open orders."""
    held = list(positions)
    margin = sum(position_margin_atoms(position) for position in held)
    return equity_atoms(wallet_atoms, held) - margin - locked_atoms


def withdrawable_atoms(
    wallet_atoms: int, locked_atoms: int, positions: Iterable[OpenPosition]
) -> int:
    """What may leave: available, but never profit that is not realised yet."""
    held = list(positions)
    return max(
        0, min(available_atoms(wallet_atoms, locked_atoms, held), wallet_atoms - locked_atoms)
    )


def market_order_price(
    side: Side, quantity_lots: int, opposite: npt.NDArray[np.int64], mark_ticks: int
) -> MarketPrice | None:
    """The price a MARKET order reserves at and its execution limit; None if depth is short.

    opposite    visible depth of the other side, shape (n, 3), best first: ticks, lots, orders
    """
    enough = np.flatnonzero(np.cumsum(opposite[:, 1]) >= quantity_lots)
    if enough.size == 0:
        return None
    worst = int(opposite[enough[0], 0])
    above = above_band_ticks(mark_ticks)
    if side == Side.BUY:
        return MarketPrice(max(worst, above), max(worst, above))
    return MarketPrice(max(worst, above), max(1, min(worst, below_band_ticks(mark_ticks))))
