"""What a batch of orders is decided on, and what is decided of each. No I/O."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sim.market import COLLATERAL, MarketSpec
from sim.money.margin import Exposure
from sim.money.waiting import Prices
from sim.orders import OrderStatus, PlaceOrder
from storage.intake.links import Linked, Links


@dataclass
class Account:
    """One account, as it changes while the batch is decided; `version` is as it was read. Role and
    status are its owner's. total_atoms and locked_atoms are of the collateral.

    free_atoms   of other assets, what is not locked; known where a sale in a spot market needs it
    """

    version: int
    total_atoms: int
    locked_atoms: int
    open_orders: int
    role: str
    status: str
    owner_id: int
    is_archived: bool
    free_atoms: dict[str, int] = field(default_factory=dict)

    def lock(self, asset: str, atoms: int) -> None:
        """Open orders lock so much more."""
        if asset == COLLATERAL:
            self.locked_atoms += atoms
        else:
            self.free_atoms[asset] = self.free_atoms.get(asset, 0) - atoms


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
    """Everything a batch is decided on: accounts, what they hold, markets, used names.

    held   of each account what it has in each market that it has ever been in
    """

    accounts: dict[int, Account]
    held: dict[int, dict[str, Exposure]]
    markets: dict[str, MarketNow]
    by_client_id: dict[tuple[int, str], KnownOrder] = field(default_factory=dict)
    by_key: dict[tuple[int, str], KnownRequest] = field(default_factory=dict)
    links: Links = field(default_factory=Links)
    trailing_stops: dict[tuple[int, str], int] = field(default_factory=dict)
    """How many wait, by account and market; known of accounts that send one more."""
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
