"""A market of which nobody asks anything wakes for the orders that wait for time or for mark."""

import numpy as np
import pytest

from actors.live.market import Market
from sim.rows.layouts import kept_rows
from sim.rows.messages import CommandKind, OrderFlag, OrderType, Rows
from storage.postgres.database import now_us
from storage.reading.verification import verify_market
from tests.actors.house import MARKET, House, bytes_of
from tests.markets import ETH_PERP
from tests.sim.engine_rows import BUY, limit, stop, until
from tests.waiting import eventually

ACCOUNT = 1_000_000_000
SECOND_US = 1_000_000


@pytest.fixture
def market(house: House) -> Market:
    started = Market(MARKET, *house.urls, run=True)
    house.actors.append(started)
    return started


def placed(market: Market, *rows: Rows) -> None:
    last = market.register(1, ACCOUNT, ACCOUNT).batch_no
    market.submit(1, last + 1, np.concatenate(rows))


def journalled_kinds(house: House) -> list[int]:
    rows = house.database.execute(
        "SELECT inputs FROM journal WHERE market_id = %s ORDER BY batch_no", (MARKET,)
    ).fetchall()
    return [kind for row in rows for kind in kept_rows(bytes_of(row[0]))["kind"].tolist()]


def test_an_order_ends_by_its_time_in_a_market_that_is_quiet(market: Market, house: House) -> None:
    soon, later = now_us() + SECOND_US, now_us() + 3_600 * SECOND_US
    first, second = (limit(order_id, ACCOUNT, BUY, 100, 9) for order_id in (-1, -2))
    placed(market, until(soon, first), until(later, second))
    assert market.health().open_orders == 2
    eventually(lambda: market.health().open_orders == 1)
    assert journalled_kinds(house).count(CommandKind.TICK) == 1
    house.close()
    assert verify_market(house.database, ETH_PERP).fault is None


def test_mark_that_moves_triggers_in_a_market_that_is_quiet(market: Market, house: House) -> None:
    waiting = stop(-1, ACCOUNT, BUY, 100, 7_000, flags=OrderFlag.TRIGGER_ON_MARK)
    placed(market, waiting, stop(-2, ACCOUNT, BUY, 100, 7_000))
    assert market.health().open_orders == 2
    house.database.execute("UPDATE market_prices SET mark_ticks = 7_001")
    eventually(lambda: market.health().open_orders == 1)
    house.database.execute("UPDATE market_prices SET mark_ticks = 7_002")
    house.close()
    kinds = journalled_kinds(house)
    assert kinds[-1] == CommandKind.SET_MARK
    assert verify_market(house.database, ETH_PERP).fault is None


def test_what_a_strategy_has_waiting_is_withdrawn_with_what_rests(market: Market) -> None:
    trailing = stop(-2, ACCOUNT, BUY, 100, 5, order_type=OrderType.TRAILING)
    placed(market, limit(-1, ACCOUNT, BUY, 100, 9), trailing)
    assert market.health().open_orders == 2
    market.register(1, ACCOUNT, ACCOUNT)
    assert market.health().open_orders == 0
