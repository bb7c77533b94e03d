"""Simulated traders in a spot market: their assets are balances, their holdings are known again."""

from typing import Any

import numpy as np

from actors.live.market import Market
from actors.live.recorder import Recorder
from sim.money.ledger import STRATEGIES_FIRST
from sim.orders import OrderStatus
from sim.populations.command_rows import places
from sim.rows.messages import Rows, Side
from sim.rows.order_ids import ids_of_batch
from storage.reading.strategy_holdings import StrategyHoldings
from storage.servers.bootstrap import create_strategy_accounts
from storage.servers.inventories import Inventory, buy_inventories
from tests.actors.house import House
from tests.builders import spot_order, trader
from tests.markets import ETH_SPOT
from tests.waiting import eventually

SPOT = "ETH_USDC"
MAKER, TAKER = STRATEGIES_FIRST, STRATEGIES_FIRST + 1
CAPITAL = 1_000_000_000
ETH = 250_000_000
WORTH = 2_500 * 5_991 * 10


def traders(house: House) -> range:
    accounts = create_strategy_accounts(house.owner_url, 1, "makers", 2, CAPITAL)
    buy_inventories(house.owner_url, accounts, [Inventory(ETH_SPOT, 2_500, 5_991)])
    return accounts


def sent(batch_no: int, *orders: tuple[int, Side, int]) -> Rows:
    """Orders at 59.91: whose, which side, how many lots."""
    accounts, sides, lots = (np.array(column, np.int64) for column in zip(*orders, strict=True))
    rows = places(accounts, sides, np.full(len(orders), 5_991, np.int64), lots)
    rows["order_id"] = ids_of_batch(1, batch_no, len(orders))
    return rows


def money(house: House, account_id: int) -> dict[str, int]:
    rows = house.database.execute(
        "SELECT asset, total_atoms FROM balances WHERE account_id = %s", (account_id,)
    )
    return {str(row[0]): int(str(row[1])) for row in rows}


def test_traders_and_a_client_exchange_assets_and_what_is_held_is_read_back(house: House) -> None:
    accounts = traders(house)
    house.open(SPOT)
    market: Any = house.actors[0]
    alice = trader(house.database)
    entered = market.register(1, accounts.start, accounts.stop - 1)
    assert entered.positions_lots.tolist() == [0, 0]
    number = entered.batch_no + 1
    market.submit(1, number, sent(number, (MAKER, Side.SELL, 900), (TAKER, Side.BUY, 400)))
    bought = house.place_one(spot_order(alice, Side.BUY, 500))
    eventually(lambda: house.state(bought) == (OrderStatus.FILLED, 500))
    house.settled()
    fees = 4_793 + 5_991  # 2 of 10,000 of each of both trades, rounded up
    paid = 900 * 5_991 * 10
    assert money(house, MAKER) == {"USDC": CAPITAL - WORTH + paid - fees, "ETH": ETH - 90_000_000}
    assert money(house, TAKER)["ETH"] == ETH + 40_000_000
    assert money(house, alice)["ETH"] == 50_000_000
    assert house.count("SELECT count(*) FROM positions WHERE account_id < 1000000000") == 0
    stored = StrategyHoldings(house.urls[0], [SPOT]).read(0, accounts, 0)
    assert stored is not None
    lots, cost, realized = stored[0].tolist()
    assert (lots, cost) == (1_600, 1_600 * 5_991 * 10)
    assert CAPITAL + realized - cost == money(house, MAKER)["USDC"]
    again = Market(SPOT, *house.urls, run=True)
    house.actors.append(again)
    told = again.register(1, accounts.start, accounts.stop - 1).positions_lots
    assert told is not None
    assert told.tolist() == [-900, 400]


def test_a_sale_of_what_nobody_has_halts_the_recorder_and_changes_nothing(house: House) -> None:
    accounts = traders(house)
    market = Market(SPOT, *house.urls, run=True)
    house.actors.append(market)
    number = market.register(1, accounts.start, accounts.stop - 1).batch_no + 1
    market.submit(1, number, sent(number, (MAKER, Side.SELL, 2_501), (TAKER, Side.BUY, 2_501)))
    recorder = Recorder([SPOT], *house.urls)
    house.actors.append(recorder)
    before = money(house, MAKER)
    eventually(lambda: recorder.step() or house.count(HALTED) == 1)
    assert money(house, MAKER) == before


HALTED = f"SELECT count(*) FROM markets WHERE market_id = '{SPOT}' AND status = 3"
