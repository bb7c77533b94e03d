"""Whether an order may be accepted, given its market now and what its account has. No I/O.

Who may place it, under which name and beside how many others is asked first, in
storage/intake/accept_check.py.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sim.market import COLLATERAL, MarketSpec
from sim.money.margin import (
    Exposure,
    Need,
    OrderTerms,
    Shortage,
    bearable_terms,
    check_marks,
    depth_in_band,
    lacking,
    market_order_limit,
    nearest_limit_ticks,
    need_of,
    no_mark,
    order_need,
)
from sim.money.rules import (
    ACCOUNT_ATOMS_MAX,
    MARKET_SLACK_PPM,
    ORDER_ATOMS_MAX,
    is_worth_too_much,
    reserve_ticks,
)
from sim.money.waiting import (
    Prices,
    bid_when_triggered_ticks,
    followed_ticks,
    furthest_offset_ticks,
    nearest_trigger_ticks,
    worst_ticks,
)
from sim.orders import PlaceOrder
from sim.refusals import Name, Refusal, Refused
from sim.rows.messages import MarketStatus, OrderType, Side, TimeInForce
from sim.rows.order_types import LIMIT, type_when_triggered, waits_for_trigger
from sim.units import format_atoms, format_steps

INDEX_AGE_US_MAX = 10_000_000
"""A MARKET order needs an index price no older than this: perps.md, "fail closed"."""

LOCKED_ATOMS_MAX = 2**63 - 1
"""What one order can lock, as it is stored."""


@dataclass(frozen=True)
class MarketNow:
    """What accepting needs to know of a market at this moment."""

    spec: MarketSpec
    status: int
    index_ticks: int
    mark_ticks: int
    priced_at_us: int
    best_bid_ticks: int
    bids: npt.NDArray[np.int64]
    asks: npt.NDArray[np.int64]
    halt_reason: str | None = None
    last_ticks: int = 0

    @property
    def prices(self) -> Prices:
        """What orders that wait are judged by."""
        return Prices(self.mark_ticks, self.last_ticks, self.best_bid_ticks)


@dataclass
class MarginAccount:
    """What an account carries orders with, as it changes while they are decided. total_atoms and
    locked_atoms are of the collateral.

    free_atoms   of other assets, what is not locked; known where a sale in a spot market needs it
    held         what it has in each market that it has ever been in
    """

    total_atoms: int
    locked_atoms: int
    free_atoms: dict[str, int] = field(default_factory=dict, kw_only=True)
    held: dict[str, Exposure] = field(default_factory=dict, kw_only=True)

    def lock(self, asset: str, atoms: int) -> None:
        """Open orders lock so much more."""
        if asset == COLLATERAL:
            self.locked_atoms += atoms
        else:
            self.free_atoms[asset] = self.free_atoms.get(asset, 0) - atoms


def check_open(market: MarketNow) -> None:
    """Refuses orders where the market takes none now."""
    if market.halt_reason is not None:
        raise market_halted(market.spec.market_id, market.halt_reason)
    if market.status != MarketStatus.ACTIVE:
        name = MarketStatus(market.status).name
        raise Refused(Refusal.MARKET_NOT_OPEN, f"{market.spec.market_id} is {name}")


def market_halted(market_id: str, reason: str) -> Refused:
    """The refusal of orders, and of cancels that would not be done."""
    return Refused(
        Refusal.MARKET_HALTED,
        f"{market_id} is halted until an operator resumes it: {reason}",
        {"market_id": market_id, "halt_reason": reason},
    )


def exposure(order: PlaceOrder, market: MarketNow, account: MarginAccount) -> Exposure:
    """What the account has in the order's market. Raises Refused where nothing says its worth."""
    if market.mark_ticks <= 0:
        raise no_mark(market.spec.market_id)
    return account.held.setdefault(order.spec.market_id, Exposure(market.spec, market.mark_ticks))


def take_leverage(order: PlaceOrder, held: Exposure) -> bool:
    """The order's leverage is that of its market from now on; whether that is news.

    Raises Refused where a position or open orders have another one. A spot market has none.
    """
    if held.spec.is_spot:
        return False
    in_force = held.leverage_in_force
    wanted = in_force if order.leverage is None else order.leverage
    if wanted != in_force and held.binds_leverage:
        raise Refused(
            Refusal.INVALID_ORDER,
            f"{Name.LEVERAGE} {wanted} is not that of the position and open orders in"
            f" {held.spec.market_id}, which is {in_force}; {Name.SET_LEVERAGE} changes it",
            {"field": Name.LEVERAGE, "nearest": in_force},
        )
    is_news, held.leverage = wanted != held.leverage, wanted
    return is_news


def carried(
    order: PlaceOrder, market: MarketNow, account: MarginAccount, at_us: int
) -> tuple[OrderTerms, Need]:
    """The order's terms, with what they need of its account. Raises Refused where that has less.

    A MARKET order that cannot be carried half a percent further goes to its depth alone.
    """
    held = account.held[order.spec.market_id]
    terms = order_terms(order, market, at_us, MARKET_SLACK_PPM)
    need = order_need(held, terms)
    if order.order_type == OrderType.MARKET and shortage(order, need, account) is not None:
        terms = order_terms(order, market, at_us, slack_ppm=0)
        need = order_need(held, terms)
    terms, need = borne(order, market, account, terms, need)
    check_margin(order, need, account)
    return terms, need


def borne(
    order: PlaceOrder, market: MarketNow, account: MarginAccount, terms: OrderTerms, need: Need
) -> tuple[OrderTerms, Need]:
    """The same, but of an order that waits, becomes MARKET and opens nothing with a limit no
    further than its account can bear: what limits a loss shall be placeable. And where it can, the
    account still bears to close the position at once."""
    becomes_market = type_when_triggered(order.order_type) == OrderType.MARKET
    if need.opens or not (terms.waits and becomes_market):
        return terms, need
    short = shortage(order, need, account)
    if short is None:
        return terms, need
    held = account.held[order.spec.market_id]
    trigger_ticks = nearest_trigger_ticks(order, market.prices)
    for kept_back_atoms in (held.closing_atoms, 0):
        atoms = short.there_is_atoms - kept_back_atoms
        shorter = bearable_terms(held, terms, trigger_ticks, atoms)
        needed = need_of(held, shorter, need.opens)
        if needed.at_stake_atoms <= atoms:
            break
    return shorter, needed


def order_terms(order: PlaceOrder, market: MarketNow, at_us: int, slack_ppm: int) -> OrderTerms:
    """The order's side, size and prices. Raises Refused where none is possible now."""
    waits = waits_for_trigger(order.order_type)
    bid_ticks = market.best_bid_ticks
    if order.order_type == OrderType.MARKET:
        limit_ticks = market_limit(order, market, at_us, slack_ppm)
    elif waits:
        check_offset(order, market)
        limit_ticks = worst_ticks(order, market.prices)
        bid_ticks = bid_when_triggered_ticks(order, market.prices)
    else:
        limit_ticks = order.price_ticks
    check_band(order, market)
    reckoned_ticks = reserve_ticks(order.side == Side.SELL, limit_ticks, bid_ticks, order.post_only)
    return OrderTerms(
        order.side,
        order.quantity_lots,
        limit_ticks,
        reckoned_ticks,
        order.reduce_only,
        waits or order.time_in_force == TimeInForce.GTC,
        waits,
    )


def check_offset(order: PlaceOrder, market: MarketNow) -> None:
    """Refuses a trailing stop whose trigger would be no price."""
    if order.order_type != OrderType.TRAILING:
        return
    spec, prices, offset_ticks = market.spec, market.prices, order.terms.trigger_ticks
    furthest = furthest_offset_ticks(order, prices)
    if offset_ticks > furthest:
        sent, nearest, followed = (
            format_steps(ticks, spec.tick_size)
            for ticks in (offset_ticks, furthest, followed_ticks(order, prices))
        )
        raise Refused(
            Refusal.INVALID_ORDER,
            f"{Name.TRAILING_OFFSET} {sent} leaves no trigger price in {spec.market_id}, where the"
            f" price that it follows is {followed}; the nearest valid value is {nearest}",
            {"field": Name.TRAILING_OFFSET, "nearest": nearest},
        )


def check_band(order: PlaceOrder, market: MarketNow) -> None:
    """Refuses a limit that could take too far from mark, or from where mark will be about when the
    order no longer waits."""
    if type_when_triggered(order.order_type) != LIMIT:
        return
    spec, around, middle_ticks = market.spec, "mark", market.mark_ticks
    if waits_for_trigger(order.order_type):
        around = "where it is triggered"
        middle_ticks = nearest_trigger_ticks(order, market.prices)
    nearest = nearest_limit_ticks(spec, order.side, order.price_ticks, middle_ticks)
    if nearest != order.price_ticks:
        sent, within, middle = (
            format_steps(ticks, spec.tick_size)
            for ticks in (order.price_ticks, nearest, middle_ticks)
        )
        raise Refused(
            Refusal.INVALID_ORDER,
            f"{Name.PRICE} {sent} is beyond the price band of {spec.market_id} around {around},"
            f" {middle}; the nearest valid value is {within}",
            {"field": Name.PRICE, "nearest": within}
            | ({"mark_price": middle} if around == "mark" else {}),
        )


def market_limit(order: PlaceOrder, market: MarketNow, at_us: int, slack_ppm: int) -> int:
    """The worst price at which a MARKET order trades, in ticks."""
    if at_us - market.priced_at_us > INDEX_AGE_US_MAX:
        raise Refused(
            Refusal.PRICE_UNAVAILABLE,
            f"{market.spec.market_id} has no fresh index price; MARKET orders wait for one",
        )
    depth = market.asks if order.side == Side.BUY else market.bids
    lots, mark_ticks = order.quantity_lots, market.mark_ticks
    limit_ticks = market_order_limit(order.side, lots, depth, mark_ticks, slack_ppm)
    if limit_ticks is None:
        raise too_little_depth(order, depth, mark_ticks)
    return limit_ticks


def too_little_depth(
    order: PlaceOrder, opposite: npt.NDArray[np.int64], mark_ticks: int
) -> Refused:
    """The refusal of a MARKET order, with what of it the book would complete, if anything."""
    spec = order.spec
    depth, _ = depth_in_band(order.side, opposite, mark_ticks)
    lots = int(depth[:, 1].sum())
    sentence = "The visible depth within 5 % of mark does not complete this MARKET order"
    if lots < spec.min_quantity_lots:
        return Refused(Refusal.INSUFFICIENT_LIQUIDITY, sentence)
    nearest = format_steps(lots, spec.lot_size)
    return Refused(
        Refusal.INSUFFICIENT_LIQUIDITY,
        f"{sentence}; the nearest {Name.QUANTITY} that it completes is {nearest}",
        {"field": Name.QUANTITY, "nearest": nearest},
    )


def check_margin(order: PlaceOrder, need: Need, account: MarginAccount) -> None:
    """Refuses what the account cannot carry."""
    short = shortage(order, need, account)
    if short is None:
        return
    asset = reserved_asset(order)
    required, there_is = (
        format_atoms(atoms, asset) for atoms in (short.required_atoms, short.there_is_atoms)
    )
    if order.spec.is_spot:
        raise Refused(
            Refusal.INSUFFICIENT_BALANCE,
            f"This order needs {required} {asset}, and {there_is} is free of orders and positions",
            {"asset": asset, "required": required, "available": there_is},
        )
    if short.of_margin:
        raise Refused(
            Refusal.INSUFFICIENT_MARGIN,
            "Available margin is below required margin",
            {"required": required, "available": there_is},
        )
    raise Refused(
        Refusal.INSUFFICIENT_MARGIN,
        f"Equity less what open orders may lose is {there_is}, and this order may lose {required}"
        " at its limit, fees included",
        {"required": required, "bearable": there_is},
    )


def shortage(order: PlaceOrder, need: Need, account: MarginAccount) -> Shortage | None:
    """What the account lacks for an order; None where it can carry it."""
    held = account.held.values()
    check_marks(held)
    if order.spec.is_spot and order.side == Side.SELL:
        free = account.free_atoms.get(reserved_asset(order), 0)
        is_short = free < need.reserved_atoms
        return Shortage(need.reserved_atoms, free, of_margin=False) if is_short else None
    return lacking(account.total_atoms, account.locked_atoms, list(held), need)


def reserved_asset(order: PlaceOrder) -> str:
    """Which asset an order locks."""
    return order.spec.reserved_asset(order.side == Side.SELL)


def check_size(order: PlaceOrder, account: MarginAccount, price_ticks: int) -> None:
    """Refuses what could make numbers too large to store."""
    spec = order.spec
    if is_worth_too_much(spec.notional_atoms(price_ticks, order.quantity_lots)):
        most = format_atoms(ORDER_ATOMS_MAX)
        raise Refused(Refusal.INVALID_ORDER, f"An order may be worth at most {most}")
    if spec.is_spot and order.quantity_lots * spec.base_atoms_per_lot > LOCKED_ATOMS_MAX:
        most = format_atoms(LOCKED_ATOMS_MAX, spec.base_asset)
        raise Refused(Refusal.INVALID_ORDER, f"An order may be for at most {most} in this market")
    held = account.held.values()
    cost_atoms = sum(abs(one.position.cost_atoms) for one in held)
    grows = not order.reduce_only and cost_atoms > ACCOUNT_ATOMS_MAX
    if grows or abs(account.total_atoms) > ACCOUNT_ATOMS_MAX:
        most = format_atoms(ACCOUNT_ATOMS_MAX)
        raise Refused(
            Refusal.INVALID_ORDER, f"An account may have at most {most} in money or in positions"
        )
