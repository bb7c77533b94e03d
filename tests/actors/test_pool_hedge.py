"""What arbitrageurs trade in pools is traded on the book: once, whatever is killed meanwhile."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from actors.cluster.packed_arguments import packed, unpacked
from actors.commands.deployment import pool_hedge
from actors.commands.verify import verify
from actors.live.pool_hedge import PoolHedge
from actors.live.strategy import MarketUnavailable, Strategy
from sim.chain.addresses import WETH
from sim.chain.wallets import Wallets
from sim.money.ledger import STRATEGIES_FIRST
from sim.populations.command_rows import places
from sim.populations.population import StrategyReply
from sim.prices.processes import ConstantPrice
from sim.rows.messages import Rows, Side
from sim.rows.order_ids import ids_of_batch
from storage.chain.arbitrage import BoughtEther
from storage.chain.node import wish_reorg
from storage.files.world_file import load_world
from storage.postgres.database import Link
from storage.postgres.database_roles import DatabaseUrls
from storage.servers.bootstrap import create_strategy_accounts
from storage.servers.inventories import Inventory, buy_inventories
from storage.settings import Settings
from tests.actors.house import House
from tests.actors.lived_chain import SEED, LivedChain, founded
from tests.markets import ETH_SPOT
from tests.waiting import eventually

SPOT, MAKER = "ETH_USDC", STRATEGIES_FIRST
PRICES = [(ETH_SPOT, ConstantPrice(5_991))]
DEAR, CHEAP = Fraction(62), Fraction(58)
"""Of ether in pools that are founded, beside 59.91 on the book."""

LOT_WEI = 10**15
SIDES = np.array([Side.BUY, Side.SELL], np.int64)
TOUCH_TICKS = np.array([5_990, 5_992], np.int64)
HELD = "SELECT amount FROM chain_holdings WHERE token = %s AND holder = %s"
TRADED = """
SELECT p.quantity_lots - (l.amount_atoms / 100_000)::bigint FROM positions p
JOIN ledger_entries l ON l.account_id = p.account_id AND l.source = 'endowment' AND l.asset = 'ETH'
JOIN accounts a ON a.id = p.account_id WHERE a.name = 'pool-arbitrage' ORDER BY a.id"""


class Forgetful:
    """A market whose answers to batches get lost on the way."""

    def __init__(self, market: Any) -> None:
        self._market = market
        self.lots: list[int] = []

    def register(self, strategy_no: int, first_account: int, last_account: int) -> StrategyReply:
        reply: StrategyReply = self._market.register(strategy_no, first_account, last_account)
        return reply

    def submit(self, strategy_no: int, batch_no: int, rows: Rows) -> StrategyReply:
        self._market.submit(strategy_no, batch_no, rows)
        self.lots += rows["quantity_lots"].tolist()
        raise MarketUnavailable("the reply was lost")


class Place:
    """A house with a book of ether, and a chain whose pools stand beside it."""

    def __init__(self, house: House, urls: DatabaseUrls) -> None:
        self.house, self.urls = house, urls
        self.link = Link(urls.engine, "hedge")
        create_strategy_accounts(house.owner_url, 1, "maker", 1, 10**15)
        buy_inventories(house.owner_url, range(MAKER, MAKER + 1), [Inventory(ETH_SPOT, 10**7, 1)])
        house.open(SPOT)
        self.chain: LivedChain

    def found(self, price: Fraction) -> None:
        self.chain = founded(self.urls, self.house.database, price)

    def quote(self, lots: int) -> None:
        """On both sides of 59.91, in place of what was quoted before."""
        market = self.house.actors[0]
        number = market.register(1, MAKER, MAKER).batch_no + 1
        rows = places(np.full(2, MAKER), SIDES, TOUCH_TICKS, np.full(2, lots))
        rows["order_id"] = ids_of_batch(1, number, 2)
        market.submit(1, number, rows)

    def hedge(self, port: Any = None) -> Strategy:
        """As a deployment starts it, and as it arrives in another process."""
        (wanted,) = pool_hedge(self.urls, load_world("default"), PRICES, SEED)
        arguments = unpacked(packed(wanted.arguments))
        arguments["markets"] = [port or self.house.actors[0]]
        bought = BoughtEther(self.link, SEED)
        arguments["population"] = PoolHedge(arguments["population"].accounts, bought)
        return Strategy(**arguments)

    def bought_lots(self) -> list[int]:
        """In the pools, rounded down."""
        found = []
        for pool_id in (42, 43):
            holder = Wallets(SEED).address(f"arbitrageur-{pool_id}")
            row = self.house.database.execute(HELD, (WETH.address, holder)).fetchone()
            assert row is not None
            found.append((int(str(row[0])) - 50_000 * 10**18) // LOT_WEI)
        return found

    def traded_lots(self) -> list[int]:
        """On the book, as it is recorded; sold is negative."""
        return [int(str(row[0])) for row in self.house.database.execute(TRADED)]

    def both_legs(self, hedge: Strategy) -> bool:
        hedge.step_once()
        return self.traded_lots() == [-lots for lots in self.bought_lots()]


@pytest.fixture
def place(house: House, database_urls: DatabaseUrls) -> Iterator[Place]:
    found = Place(house, database_urls)
    yield found
    found.chain.close()
    found.link.close()


def test_both_legs_are_equal_through_restarts_lost_answers_and_reorganisations(
    place: Place, settings: Settings
) -> None:
    place.found(DEAR)
    place.quote(5_000_000)
    place.chain.mined(3)
    bought = place.bought_lots()
    assert max(bought) < -1_000
    forgetful = Forgetful(place.house.actors[0])

    def sent() -> list[int]:
        place.hedge(forgetful).step_once()
        return forgetful.lots

    eventually(sent)
    assert sorted(forgetful.lots) == sorted(-lots for lots in bought)
    eventually(lambda: place.both_legs(place.hedge()))
    place.house.close()
    place.house.open(SPOT)
    wish_reorg(place.chain.connection, 2)
    place.chain.chain.look()
    assert place.bought_lots() == bought
    hedge = place.hedge()
    eventually(lambda: place.both_legs(hedge))
    place.house.settled()
    assert place.both_legs(hedge)
    assert place.chain.differences() == []
    place.house.close()
    assert verify(settings.model_copy(update={"database_url": SecretStr(place.urls.owner)})) == 0


def test_what_the_book_does_not_take_is_traded_when_it_does(place: Place) -> None:
    place.found(CHEAP)
    place.quote(1_000)
    place.chain.mined(3)
    assert min(place.bought_lots()) > 1_000
    hedge = place.hedge()

    def traded_lots() -> int:
        hedge.step_once()
        return sum(place.traded_lots())

    eventually(lambda: traded_lots() == -1_000)
    hedge.step_once()
    place.house.settled()
    assert sum(place.traded_lots()) == -1_000
    place.quote(5_000_000)
    eventually(lambda: place.both_legs(hedge))


def test_where_nobody_arbitrages_nobody_hedges(database_urls: DatabaseUrls) -> None:
    assert pool_hedge(database_urls, load_world("quiet"), PRICES, SEED) == []
    assert pool_hedge(database_urls, load_world("default"), PRICES, None) == []
