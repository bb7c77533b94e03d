"""The other leg of arbitrage: what arbitrageurs buy in pools is sold on the spot market's book.

A target, no list of blocks: what an account has sold here so far is to be what its wallet has
bought there so far, and an order is for the difference. Blocks seen twice, orders that trade in
part and lives that end in the middle leave nothing behind but another difference.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Protocol

import numpy as np
import structlog

from sim.chain.world import WEI
from sim.populations.arbitrage import taking, trading
from sim.populations.command_rows import lots_of_quote
from sim.populations.holdings import Holdings
from sim.populations.population import Integers, MarketView
from sim.rows.messages import Rows, empty_commands
from storage.errors import DatabaseUnavailable, told

ORDER_QUOTE_MAX = 1_000_000
"""Worth of an account's largest order, quote units: the rest is for the next step."""

SLIP_PPM = 1_000
"""How far through the touch an order may trade; less than a pool's fee, which has been earned."""

log = structlog.get_logger()


class Bought(Protocol):
    """See storage.chain.arbitrage.BoughtEther."""

    def read(self) -> list[int]: ...


class PoolHedge:
    """A Population of one market: an account for each pool's arbitrageur, in the order of
    `bought`."""

    def __init__(self, accounts: range, bought: Bought) -> None:
        self.accounts = accounts
        self._bought = bought
        self._holdings = Holdings(accounts)

    def enter(self, market: int, life: int, positions_lots: Integers | None) -> None:
        """See Population. The market's own count is what was sold so far."""
        self._holdings.enter(positions_lots)

    def learn(self, market: int, packed: Integers) -> None:
        """See Population."""
        self._holdings.learn(packed)

    def act(self, step: int, views: Sequence[MarketView | None]) -> list[Rows]:
        """See Population. What the book does not take is still wanted in the next step."""
        (view,) = views
        if view is None or not trading(view):
            return [empty_commands(0)]
        try:
            wei = self._bought.read()
        except DatabaseUnavailable as error:
            log.warning("hedge_waits", error=told(error))
            return [empty_commands(0)]
        lot_wei = int(Fraction(view.spec.lot_size) * WEI)
        bought_lots = np.array([one // lot_wei for one in wei], np.int64)
        most = lots_of_quote(view.spec, view.index_ticks, ORDER_QUOTE_MAX)
        wanted = np.clip(-bought_lots - self._holdings.positions_lots, -most, most)
        return [taking(view, np.array(self.accounts, np.int64), wanted, SLIP_PPM)]
