"""Whether an order may be accepted, given what its account has. No I/O."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sim.market import MarketSpec
from sim.money.margin import (
    OpenPosition,
    available_atoms,
    market_order_price,
)
from sim.money.position import Position
from sim.money.rules import reservation_atoms, reserve_ticks
from sim.orders import AcceptedOrder, OrderStatus, PlaceOrder
from sim.refusals import Name, Refusal, Refused
from sim.roles import Role
from sim.rows.messages import MarketStatus, OrderType, Side
from sim.units import ATOMS_PER_UNIT, format_atoms

INDEX_AGE_US_MAX = 10_000_000
"""A MARKET order needs an index price no older than this: perps.md, "fail closed"."""

ORDER_ATOMS_MAX = 1_000_000_000 * ATOMS_PER_UNIT
"""The most that one order may be worth at its price."""

ACCOUNT_ATOMS_MAX = 1_000_000_000_000 * ATOMS_PER_UNIT
"""An account with more money than this, or positions that cost more, takes no more orders:
with ORDER_ATOMS_MAX it keeps the sums of an account far from the end of 64 bits."""

TRADING_ROLES = frozenset(role for role in Role if role.at_least(Role.TRADER))


@dataclass
class Account:
    """One account, as it changes while the batch is decided; `version` is as it was read."""

    version: int
    total_atoms: int
    locked_atoms: int
    open_orders: int
    role: str
    status: str


@dataclass(frozen=True)
class HeldPosition:
    """A position as stored, not yet valued."""

    market_id: str
    position: Position
    leverage: int


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


@dataclass(frozen=True)
class KnownOrder:
    """An order that has this client order id already."""

    order_id: int
    status: OrderStatus
    body_hash: bytes


@dataclass(frozen=True)
class KnownRequest:
    """A request that has used this idempotency key already: see storage/tables/identity.py."""

    route: str
    body_hash: bytes
    response: str
    order_ids: tuple[int, ...]


@dataclass
class Accounts:
    """Everything a batch is decided on: accounts, positions, markets, used names, new ids."""

    accounts: dict[int, Account]
    positions: dict[int, list[HeldPosition]]
    markets: dict[str, MarketNow]
    by_client_id: dict[tuple[int, str], KnownOrder] = field(default_factory=dict)
    by_key: dict[tuple[int, str], KnownRequest] = field(default_factory=dict)
    taken: set[tuple[int, str]] = field(default_factory=set)
    """Names that requests of this very batch bear: whoever repeats one is decided after it."""


@dataclass(frozen=True)
class AcceptedRow:
    """An order that is accepted if its account does not change meanwhile, and what is written."""

    order: PlaceOrder
    reserved_atoms: int
    limit_ticks: int


def decide(
    order: PlaceOrder, accounts: Accounts, open_orders_max: int, at_us: int
) -> AcceptedOrder | AcceptedRow:
    """A row to write, or the order that has the same name and meaning.

    Accepting changes the account in `accounts`. Raises Refused.
    """
    account = accounts.accounts[order.account_id]
    known = earlier_order(order, accounts)
    if known is not None:
        return AcceptedOrder(known.order_id, known.status, repeated=True)
    market = open_market(order, accounts)
    if account.open_orders >= open_orders_max:
        raise Refused(
            Refusal.TOO_MANY_OPEN_ORDERS, f"An account may have {open_orders_max} open orders"
        )
    reserve_ticks, limit_ticks = priced(order, market, at_us)
    reserved = reserve(order, account, accounts, reserve_ticks)
    check_size(order, account, accounts, max(reserve_ticks, limit_ticks))
    account.locked_atoms += reserved
    account.open_orders += 1
    return AcceptedRow(order, reserved, limit_ticks)


def authorized(account_id: int, accounts: Accounts) -> Account:
    """The account, if its user may trade."""
    account = accounts.accounts.get(account_id)
    if account is None or account.status != "ACTIVE":
        raise Refused(Refusal.UNAUTHENTICATED, "This account is not active")
    if account.role not in TRADING_ROLES:
        raise Refused(Refusal.FORBIDDEN, f"The role {account.role} may not trade")
    return account


def earlier_order(order: PlaceOrder, accounts: Accounts) -> KnownOrder | None:
    """The order that has the same name, if any. Raises Refused where it means something else."""
    if order.client_order_id is None:
        return None
    known = accounts.by_client_id.get((order.account_id, order.client_order_id))
    if known is not None and known.body_hash != order.body_hash:
        raise Refused(
            Refusal.DUPLICATE_CLIENT_ORDER_ID,
            f"This {Name.CLIENT_ORDER_ID} belongs to another order",
            {"order_id": known.order_id},
        )
    return known


def open_market(order: PlaceOrder, accounts: Accounts) -> MarketNow:
    """The order's market, if it takes orders now."""
    market = accounts.markets.get(order.spec.market_id)
    if market is None:
        raise Refused(Refusal.MARKET_NOT_FOUND, f"No market {order.spec.market_id}")
    if market.halt_reason is not None:
        raise market_halted(order.spec.market_id, market.halt_reason)
    if market.status != MarketStatus.ACTIVE:
        name = MarketStatus(market.status).name
        raise Refused(Refusal.MARKET_NOT_OPEN, f"{order.spec.market_id} is {name}")
    return market


def market_halted(market_id: str, reason: str) -> Refused:
    """The refusal of orders, and of cancels that would not be done."""
    return Refused(
        Refusal.MARKET_HALTED,
        f"{market_id} is halted until an operator resumes it: {reason}",
        {"market_id": market_id, "halt_reason": reason},
    )


def priced(order: PlaceOrder, market: MarketNow, at_us: int) -> tuple[int, int]:
    """The price an order reserves at, and the limit that its command carries, in ticks."""
    if order.order_type == OrderType.LIMIT:
        is_sale, limit_ticks = order.side == Side.SELL, order.price_ticks
        bid_ticks = market.best_bid_ticks
        return reserve_ticks(is_sale, limit_ticks, bid_ticks, order.post_only), limit_ticks
    if market.mark_ticks <= 0 or at_us - market.priced_at_us > INDEX_AGE_US_MAX:
        raise Refused(
            Refusal.PRICE_UNAVAILABLE,
            f"{market.spec.market_id} has no fresh index price; MARKET orders wait for one",
        )
    depth = market.asks if order.side == Side.BUY else market.bids
    price = market_order_price(order.side, order.quantity_lots, depth, market.mark_ticks)
    if price is None:
        raise Refused(
            Refusal.INSUFFICIENT_LIQUIDITY,
            "The visible depth does not complete this MARKET order",
        )
    limit = min(price.limit_ticks, market.spec.max_price_ticks)
    return price.reserve_ticks, limit


def reserve(order: PlaceOrder, account: Account, accounts: Accounts, price_ticks: int) -> int:
    """What the order locks, in atoms; Refused where the account has less available."""
    if order.reduce_only:
        return 0
    worth = order.spec.notional_atoms(price_ticks, order.quantity_lots)
    needed = reservation_atoms(worth, order.leverage, order.spec.taker_fee_ppm)
    available = available_atoms(
        account.total_atoms, account.locked_atoms, valued(order.account_id, accounts)
    )
    if available < needed:
        raise Refused(
            Refusal.INSUFFICIENT_MARGIN,
            "Available margin is below required margin",
            {"required": format_atoms(needed), "available": format_atoms(available)},
        )
    return needed


def check_size(order: PlaceOrder, account: Account, accounts: Accounts, price_ticks: int) -> None:
    """Refuses what could make numbers too large to store."""
    if order.spec.notional_atoms(price_ticks, order.quantity_lots) > ORDER_ATOMS_MAX:
        most = format_atoms(ORDER_ATOMS_MAX)
        raise Refused(Refusal.INVALID_ORDER, f"An order may be worth at most {most}")
    held = accounts.positions.get(order.account_id, ())
    cost_atoms = sum(abs(position.position.cost_atoms) for position in held)
    grows = not order.reduce_only and cost_atoms > ACCOUNT_ATOMS_MAX
    if grows or abs(account.total_atoms) > ACCOUNT_ATOMS_MAX:
        most = format_atoms(ACCOUNT_ATOMS_MAX)
        raise Refused(
            Refusal.INVALID_ORDER, f"An account may have at most {most} in money or in positions"
        )


def valued(account_id: int, accounts: Accounts) -> list[OpenPosition]:
    """The account's positions at mark."""
    found = []
    for held in accounts.positions.get(account_id, ()):
        market = accounts.markets.get(held.market_id)
        if market is None or market.mark_ticks <= 0:
            raise Refused(
                Refusal.PRICE_UNAVAILABLE, f"{held.market_id} has no mark price at the moment"
            )
        found.append(OpenPosition(market.spec, held.position, held.leverage, market.mark_ticks))
    return found
