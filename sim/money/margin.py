"""Cross margin: what an account has available, what an order needs of it, at which price.

The rules of perps.md, "Account" and "Bounds". An order needs its initial margin, the taker's fee,
and its open loss: what it loses at once, against mark, if it trades at its limit. One whose lots
all close needs no margin, and for that the market keeps it from opening anything, as if it were
reduce-only: its position may be gone before it trades. No order is taken with which the account's
equity at mark would not bear the open losses and fees of all its open orders. So only mark can
bring an account below zero.

In a spot market nothing is lent: a purchase needs the whole of what it may pay, out of money that
could be withdrawn, and a sale the assets that it sells. What is bought backs nothing here, so all
that a purchase may pay counts as lost until it has traded.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from sim.market import MarketSpec
from sim.money.position import FLAT, Position, unrealized_pnl_atoms
from sim.money.rules import (
    MARKET_BAND_PPM,
    MARKET_SLACK_PPM,
    closes_wholly,
    initial_margin_atoms,
    open_loss_ticks,
    reservation_atoms,
    reserve_ticks,
    share_up,
)
from sim.price_band import highest_purchase_ticks, lowest_sale_ticks
from sim.refusals import Refusal, Refused
from sim.rows.messages import Side


@dataclass
class OpenSide:
    """The open orders of one side of an account in one market: sums over what is left of them.

    orders                          how many there are
    lots, tick_lots                 lots and Σ limit × lots
    plain_lots                      lots of those that are not reduce-only
    beyond_lots, beyond_tick_lots   lots and Σ limit × lots of those that lose against mark
    waiting_loss_ticks              Σ open loss × lots of those that wait, which are not beyond
    """

    orders: int = 0
    lots: int = 0
    tick_lots: int = 0
    plain_lots: int = 0
    beyond_lots: int = 0
    beyond_tick_lots: int = 0
    waiting_loss_ticks: int = 0


@dataclass
class Exposure:
    """What an account has in one market: a position, open orders, and one leverage for both.

    leverage   0 where neither an order nor its owner has set it
    """

    spec: MarketSpec
    mark_ticks: int
    position: Position = FLAT
    leverage: int = 0
    open_sides: dict[Side, OpenSide] = field(default_factory=dict)

    @property
    def leverage_in_force(self) -> int:
        """What orders of the account have that say nothing else."""
        return self.leverage or self.spec.default_leverage

    @property
    def binds_leverage(self) -> bool:
        """Whether an order with another leverage has to wait."""
        return self.position.quantity_lots != 0 or self.open_orders > 0

    @property
    def open_orders(self) -> int:
        """How many orders may still trade here."""
        return sum(side.orders for side in self.open_sides.values())

    @property
    def margin_atoms(self) -> int:
        """Initial margin of the position at mark, rounded up."""
        return initial_margin_atoms(self.worth_atoms, self.leverage_in_force)

    @property
    def maintenance_atoms(self) -> int:
        """Maintenance margin of the position at mark, rounded up."""
        return share_up(self.worth_atoms, self.spec.maintenance_margin_ppm)

    @property
    def worth_atoms(self) -> int:
        """Notional of the position at mark."""
        return self.spec.notional_atoms(self.mark_ticks, abs(self.position.quantity_lots))

    @property
    def closing_atoms(self) -> int:
        """What a MARKET order that closes the position has at stake, at mark and its slack."""
        cost_ppm = self.spec.taker_fee_ppm + MARKET_SLACK_PPM
        return share_up(self.worth_atoms, cost_ppm) + abs(self.position.quantity_lots)

    @property
    def unrealized_atoms(self) -> int:
        """What closing at mark would realise."""
        return unrealized_pnl_atoms(self.position, self.mark_ticks, self.spec)

    @property
    def at_stake_atoms(self) -> int:
        """Open losses, and an atom for each lot: each fill rounds its fee up."""
        sides = [self.purchases] if self.spec.is_spot else self.open_sides.values()
        return self.open_loss_atoms + sum(side.lots for side in sides)

    @property
    def purchases(self) -> OpenSide:
        """The open orders that buy."""
        return self.open_sides.get(Side.BUY, NO_ORDERS)

    @property
    def open_loss_atoms(self) -> int:
        """What all open orders lose at once if they trade at their limits, with their fees; what
        purchases in a spot market pay, whose sales pay their fees out of what they bring."""
        spec, ticks = self.spec, 0
        if spec.is_spot:
            paid = self.purchases.tick_lots * spec.atoms_per_tick_lot
            return paid + share_up(paid, spec.taker_fee_ppm)
        for side, orders in self.open_sides.items():
            at_mark = orders.beyond_lots * self.mark_ticks
            ticks += open_loss_ticks(side == Side.SELL, orders.beyond_tick_lots, at_mark)
            ticks += orders.waiting_loss_ticks
        worth = sum(orders.tick_lots for orders in self.open_sides.values())
        fees = share_up(worth * spec.atoms_per_tick_lot, spec.taker_fee_ppm)
        return ticks * spec.atoms_per_tick_lot + fees


@dataclass(frozen=True)
class OrderTerms:
    """An order as far as money is concerned.

    limit_ticks     the worst price it may trade at
    reserve_ticks   the price that its worth is reckoned at
    may_rest        whether what does not trade at once stays in the book
    waits           whether it waits for a trigger
    """

    side: Side
    quantity_lots: int
    limit_ticks: int
    reserve_ticks: int
    reduce_only: bool = False
    may_rest: bool = False
    waits: bool = False


@dataclass(frozen=True)
class Need:
    """What an order asks of its account.

    reserved_atoms   what it locks: initial margin where it opens, taker's fee, open loss; in a
                     spot market all that it pays with its fee, or the base asset that it sells
    at_stake_atoms   fee and open loss alone, and an atom for each lot's fee to round up
    opens            whether it may open a position
    is_purchase      whether nothing of it is lent
    """

    reserved_atoms: int
    at_stake_atoms: int
    opens: bool
    is_purchase: bool = False


@dataclass(frozen=True)
class Shortage:
    """What an order needs, and what there is of it: available margin, or else what can be lost; in
    a spot market what can be paid or sold."""

    required_atoms: int
    there_is_atoms: int
    of_margin: bool


def check_marks(held: Iterable[Exposure]) -> None:
    """Raises Refused PRICE_UNAVAILABLE where a position or an open order has no mark price."""
    for one in held:
        if one.binds_leverage and one.mark_ticks <= 0:
            raise no_mark(one.spec.market_id)


def no_mark(market_id: str) -> Refused:
    """The refusal of whatever needs a mark price that is not there."""
    return Refused(Refusal.PRICE_UNAVAILABLE, f"{market_id} has no mark price at the moment")


def released_atoms(reserved_atoms: int, lots: int, open_lots: int) -> int:
    """The share of a reservation that a fill or a cut frees; the last fill frees the rest."""
    return reserved_atoms * lots // open_lots


def equity_atoms(wallet_atoms: int, held: Iterable[Exposure]) -> int:
    """Wallet plus unrealised profit at mark."""
    return wallet_atoms + sum(one.unrealized_atoms for one in held)


def available_atoms(wallet_atoms: int, locked_atoms: int, held: Sequence[Exposure]) -> int:
    """Equity less the margin of positions and the reservations of open orders."""
    margin = sum(one.margin_atoms for one in held)
    return equity_atoms(wallet_atoms, held) - margin - locked_atoms


def settled_atoms(wallet_atoms: int, held: Iterable[Exposure]) -> int:
    """What the wallet is sure of: less what positions have lost, without what they have gained."""
    return wallet_atoms + sum(min(0, one.unrealized_atoms) for one in held)


def bearable_atoms(wallet_atoms: int, held: Sequence[Exposure]) -> int:
    """What the account can still lose at once: equity less all that its open orders may.

    While it buys in spot markets profit that is not realised bears nothing, else losses would take
    the money that the purchases are paid with.
    """
    buys = any(one.spec.is_spot and one.purchases.orders for one in held)
    there_is = settled_atoms(wallet_atoms, held) if buys else equity_atoms(wallet_atoms, held)
    return there_is - sum(one.at_stake_atoms for one in held)


def withdrawable_atoms(wallet_atoms: int, locked_atoms: int, held: Sequence[Exposure]) -> int:
    """What may leave: available, but never profit that is not realised yet, nor what a loss that
    is not will take."""
    settled = settled_atoms(wallet_atoms, held)
    free = min(available_atoms(wallet_atoms, locked_atoms, held), settled - locked_atoms)
    return max(0, min(free, bearable_atoms(wallet_atoms, held)))


def closes(held: Exposure, order: OrderTerms) -> bool:
    """Whether all lots of an order take off a position what orders before it leave of it.

    What may rest shares that with all that rests; what trades at once goes before reduce-only
    orders, which the market then cuts.
    """
    if order.reduce_only:
        return True
    before = held.open_sides.get(order.side, NO_ORDERS)
    taken = before.lots if order.may_rest else before.plain_lots
    is_sale, position_lots = order.side == Side.SELL, held.position.quantity_lots
    return closes_wholly(is_sale, order.quantity_lots, position_lots, taken)


def order_loss_ticks(held: Exposure, order: OrderTerms) -> int:
    """What a lot of an order loses at once, against mark, if it trades at its limit. One that waits
    may be triggered while mark stands here, and trades no further from it than the band."""
    limit_ticks = order.limit_ticks
    if order.waits:
        limit_ticks = nearest_limit_ticks(held.spec, order.side, limit_ticks, held.mark_ticks)
    return open_loss_ticks(order.side == Side.SELL, limit_ticks, held.mark_ticks)


def order_need(held: Exposure, order: OrderTerms) -> Need:
    """What an order needs, at the leverage in force."""
    return need_of(held, order, opens=not closes(held, order))


def need_of(held: Exposure, order: OrderTerms, opens: bool) -> Need:
    """The same of one of which it is settled whether it may open a position."""
    spec, lots = held.spec, order.quantity_lots
    if spec.is_spot:
        return spot_need(spec, order)
    worth = spec.notional_atoms(order.reserve_ticks, lots)
    loss = spec.notional_atoms(order_loss_ticks(held, order), lots)
    fee_ppm = spec.taker_fee_ppm
    reserved = reservation_atoms(worth, worth if opens else 0, held.leverage_in_force, fee_ppm)
    return Need(reserved + loss, share_up(worth, fee_ppm) + loss + lots, opens)


def bearable_terms(held: Exposure, order: OrderTerms, trigger_ticks: int, atoms: int) -> OrderTerms:
    """An order that waits, becomes MARKET and opens nothing, with the limit furthest from its
    trigger, up to the one that it has, at which no more than so many atoms are at stake; with its
    trigger as limit where there is none. What is at stake never shrinks with the distance."""
    side = 1 if order.side == Side.BUY else -1

    def at_distance(ticks: int) -> OrderTerms:
        limit_ticks = trigger_ticks + side * ticks
        worth_ticks = reserve_ticks(side < 0, limit_ticks, order.reserve_ticks, False)
        return replace(order, limit_ticks=limit_ticks, reserve_ticks=worth_ticks)

    def at_stake(ticks: int) -> int:
        return need_of(held, at_distance(ticks), opens=False).at_stake_atoms

    distances = range(abs(order.limit_ticks - trigger_ticks) + 1)
    borne = bisect_right(distances, atoms, key=at_stake)
    return at_distance(max(0, borne - 1))


def spot_need(spec: MarketSpec, order: OrderTerms) -> Need:
    """What an order needs where both assets change hands. Each lot may pay a fee by itself."""
    lots = order.quantity_lots
    if order.side == Side.SELL:
        return Need(lots * spec.base_atoms_per_lot, 0, opens=True)
    worth, lot_atoms = (spec.notional_atoms(order.limit_ticks, some) for some in (lots, 1))
    reserved = reservation_atoms(worth, worth, spec.max_leverage, spec.taker_fee_ppm)
    at_stake = worth + lots * share_up(lot_atoms, spec.taker_fee_ppm)
    return Need(reserved, at_stake, opens=True, is_purchase=True)


def lacking(
    wallet_atoms: int, locked_atoms: int, held: Sequence[Exposure], need: Need
) -> Shortage | None:
    """What an account lacks for an order; None where it can carry it."""
    if need.is_purchase:
        free = withdrawable_atoms(wallet_atoms, locked_atoms, held)
        is_short = free < need.at_stake_atoms
        return Shortage(need.at_stake_atoms, free, of_margin=False) if is_short else None
    if need.opens:
        available = available_atoms(wallet_atoms, locked_atoms, held)
        if available < need.reserved_atoms:
            return Shortage(need.reserved_atoms, available, of_margin=True)
    bearable = bearable_atoms(wallet_atoms, held)
    if bearable < need.at_stake_atoms:
        return Shortage(need.at_stake_atoms, bearable, of_margin=False)
    return None


def join_orders(held: Exposure, order: OrderTerms) -> None:
    """An accepted order is one of the open ones."""
    side, lots = held.open_sides.setdefault(order.side, OpenSide()), order.quantity_lots
    side.orders += 1
    side.lots += lots
    side.tick_lots += order.limit_ticks * lots
    side.plain_lots += 0 if order.reduce_only else lots
    if order.waits:
        side.waiting_loss_ticks += order_loss_ticks(held, order) * lots
    elif order_loss_ticks(held, order):
        side.beyond_lots += lots
        side.beyond_tick_lots += order.limit_ticks * lots


def nearest_limit_ticks(spec: MarketSpec, side: Side, limit_ticks: int, mark_ticks: int) -> int:
    """A limit, or the nearest one that does not take beyond the market's price band."""
    if side == Side.BUY:
        return min(limit_ticks, highest_purchase_ticks(mark_ticks, spec.price_band_ppm))
    return max(limit_ticks, lowest_sale_ticks(mark_ticks, spec.price_band_ppm))


def depth_in_band(
    side: Side, opposite: npt.NDArray[np.int64], mark_ticks: int
) -> tuple[npt.NDArray[np.int64], int]:
    """Of the visible depth what a MARKET order may trade with, and the edge of its band in ticks.

    opposite    visible depth of the other side, shape (n, 3), best first: ticks, lots, orders
    """
    if side == Side.BUY:
        edge = highest_purchase_ticks(mark_ticks, MARKET_BAND_PPM)
        return opposite[opposite[:, 0] <= edge], edge
    edge = lowest_sale_ticks(mark_ticks, MARKET_BAND_PPM)
    return opposite[opposite[:, 0] >= edge], edge


def market_order_limit(
    side: Side,
    quantity_lots: int,
    opposite: npt.NDArray[np.int64],
    mark_ticks: int,
    slack_ppm: int = MARKET_SLACK_PPM,
) -> int | None:
    """The worst price a MARKET order may trade at: what completes it and a slack, within the band
    around mark. None where the band does not complete it; `opposite` as in `depth_in_band`.
    """
    depth, edge = depth_in_band(side, opposite, mark_ticks)
    enough = np.flatnonzero(np.cumsum(depth[:, 1]) >= quantity_lots)
    if enough.size == 0:
        return None
    worst = int(depth[enough[0], 0])
    if side == Side.BUY:
        return min(highest_purchase_ticks(worst, slack_ppm), edge)
    return max(lowest_sale_ticks(worst, slack_ppm), edge)


NO_ORDERS = OpenSide()
