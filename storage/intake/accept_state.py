"""What a batch of orders is decided on, and what is decided of each. No I/O."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from sim.money.acceptance import MarginAccount, MarketNow
from sim.orders import OrderStatus, PlaceOrder
from storage.intake.links import Linked, Links
from storage.intake.session_accounts import SessionAccount


class OpenOrdersMax(NamedTuple):
    """How many orders may be open in one account, and over all accounts of one user."""

    of_account: int
    of_user: int


@dataclass
class Account(MarginAccount):
    """One account, as it changes while the batch is decided; `version` is as it was read. Role and
    status are its owner's."""

    version: int
    open_orders: int
    role: str
    status: str
    owner_id: int
    is_archived: bool


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
    """Everything a batch is decided on: accounts, markets, used names.

    open_orders      of each user, over all of their accounts, those without a request among them
    trailing_stops   that wait, by user and market, over all accounts; known of whoever sends one
    sessions         of the accounts that are one's, where a person asks

    What a user has in several accounts is counted without a lock: where two processes decide at
    the same time on orders in different accounts of one user, both may take the last ones.
    """

    accounts: dict[int, Account]
    markets: dict[str, MarketNow]
    by_client_id: dict[tuple[int, str], KnownOrder] = field(default_factory=dict)
    by_key: dict[tuple[int, str], KnownRequest] = field(default_factory=dict)
    links: Links = field(default_factory=Links)
    open_orders: Counter[int] = field(default_factory=Counter)
    trailing_stops: Counter[tuple[int, str]] = field(default_factory=Counter)
    sessions: dict[int, SessionAccount] = field(default_factory=dict)
    taken: set[tuple[int, str]] = field(default_factory=set)
    """Names that requests of this very batch bear: whoever repeats one is decided after it."""


@dataclass(frozen=True)
class AcceptedRow:
    """An order that is accepted if its account does not change meanwhile, and what is written.

    sets_leverage   whether its leverage is news to its account in this market
    opens           whether it may open a position: if not, the market sees to that
    linked          its ids, where it is linked
    """

    order: PlaceOrder
    reserved_atoms: int
    limit_ticks: int
    leverage: int
    sets_leverage: bool
    opens: bool
    linked: Linked | None = None
