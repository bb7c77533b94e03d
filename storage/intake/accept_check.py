"""Whether an order is accepted: who asks, which names are used, how many orders are open. No I/O.

What it needs of its market and of its account's money is decided in sim/money/acceptance.py.
"""

from sim.money.acceptance import (
    MarketNow,
    carried,
    check_open,
    check_size,
    exposure,
    reserved_asset,
    take_leverage,
)
from sim.money.margin import join_orders
from sim.orders import AcceptedOrder, PlaceOrder
from sim.refusals import Name, Refusal, Refused
from sim.roles import Role
from sim.rows.messages import OrderType
from storage.intake.accept_state import (
    AcceptedRow,
    Account,
    Accounts,
    KnownOrder,
    OpenOrdersMax,
)
from storage.intake.expiry import check_expiry
from storage.intake.idempotency import Asked
from storage.intake.links import check_link, linked
from storage.intake.session_accounts import check_session
from storage.people.accounts import UserStatus, archived, no_such_account, not_active

TRAILING_OF_A_USER_MAX = 20
"""In one market, of the TRAILING_ORDERS_MAX that it has for everybody."""

TRADING_ROLES = frozenset(role for role in Role if role.at_least(Role.TRADER))


def decide(
    order: PlaceOrder, accounts: Accounts, open_orders_max: OpenOrdersMax, at_us: int
) -> AcceptedOrder | AcceptedRow:
    """A row to write, or the order that has the same name and meaning.

    Accepting changes the account in `accounts`. Raises Refused.
    """
    account = accounts.accounts[order.account_id]
    known = earlier_order(order, accounts)
    if known is not None:
        return AcceptedOrder(known.order_id, known.status, repeated=True)
    if account.is_archived:
        raise archived()
    check_session(order, accounts.sessions.get(order.account_id))
    market = open_market(order, accounts)
    check_open_orders(account, accounts, open_orders_max)
    check_expiry(order, at_us)
    check_link(order, accounts.links)
    check_trailing_stops(order, account, accounts)
    held = exposure(order, market, account)
    sets_leverage = take_leverage(order, held)
    terms, need = carried(order, market, account, at_us)
    check_size(order, account, max(terms.reserve_ticks, terms.limit_ticks))
    join_orders(held, terms)
    account.lock(reserved_asset(order), need.reserved_atoms)
    count_order(order, account, accounts)
    return AcceptedRow(
        order,
        need.reserved_atoms,
        terms.limit_ticks,
        held.leverage_in_force,
        sets_leverage,
        need.opens,
        linked(order, accounts.links),
    )


def authorized(asked: Asked, accounts: Accounts) -> Account:
    """The account, if it belongs to who asks and they may trade.

    Only a user's MAIN account is known to be theirs where it is missing.
    """
    account = accounts.accounts.get(asked.account_id)
    is_foreign = account is not None and account.owner_id != asked.user_id
    if is_foreign or (account is None and asked.account_id != asked.user_id):
        raise no_such_account()
    if account is None or account.status != UserStatus.ACTIVE:
        raise not_active(UserStatus(account.status) if account is not None else None)
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
    check_open(market)
    return market


def check_open_orders(account: Account, accounts: Accounts, most: OpenOrdersMax) -> None:
    """Refuses an order of whoever has the most that an account or a user may have."""
    if account.open_orders >= most.of_account:
        raise Refused(
            Refusal.TOO_MANY_OPEN_ORDERS, f"An account may have {most.of_account} open orders"
        )
    if accounts.open_orders[account.owner_id] >= most.of_user:
        raise Refused(
            Refusal.TOO_MANY_OPEN_ORDERS,
            f"A user may have {most.of_user} open orders over all accounts",
        )


def check_trailing_stops(order: PlaceOrder, account: Account, accounts: Accounts) -> None:
    """Refuses a trailing stop of whoever has the most that a user may have there."""
    market_id, most = order.spec.market_id, TRAILING_OF_A_USER_MAX
    if order.order_type != OrderType.TRAILING:
        return
    if accounts.trailing_stops[account.owner_id, market_id] >= most:
        raise Refused(
            Refusal.TOO_MANY_OPEN_ORDERS,
            f"A user may have {most} trailing stops that wait in {market_id}, over all accounts",
        )


def count_order(order: PlaceOrder, account: Account, accounts: Accounts) -> None:
    """An accepted order is one of those that are open, and where it is one, that trail."""
    account.open_orders += 1
    accounts.open_orders[account.owner_id] += 1
    if order.order_type == OrderType.TRAILING:
        accounts.trailing_stops[account.owner_id, order.spec.market_id] += 1
