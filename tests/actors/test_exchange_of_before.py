"""An exchange that an older version has filled, and whose processes were killed, goes on."""

import time
from collections.abc import Iterator

import psycopg
import pytest

from sim.orders import OrderStatus, PlaceOrder
from sim.rows.messages import Side
from storage.market.markets import load_specs
from storage.migrations.run import upgrade
from storage.postgres.grants import apply_grants
from storage.servers.embedded import EmbeddedPostgres
from tests.actors.house import MARKET, House
from tests.builders import order
from tests.exchange_of_before import exchange_of_before
from tests.waiting import eventually

HOUR_US = 3_600_000_000
OPEN = """
SELECT id, account_id FROM orders WHERE market_id = 'ETH-PERP' AND status = 2 ORDER BY id LIMIT 1"""
RICHEST = """
SELECT account_id, leverage, mark_ticks
FROM balances JOIN leverages USING (account_id) JOIN market_prices USING (market_id)
WHERE market_id = 'ETH-PERP' ORDER BY total_atoms - locked_atoms DESC LIMIT 1"""


@pytest.fixture
def old_house(postgres: EmbeddedPostgres, redis_url: str) -> Iterator[House]:
    """A house of this version on what an older one has left."""
    with exchange_of_before(postgres) as urls:
        upgrade(urls.owner)
        with psycopg.connect(urls.owner, autocommit=True) as connection:
            apply_grants(connection, urls.roles)
            connection.execute(
                "UPDATE market_prices SET updated_at_us = %s", (time.time_ns() // 1_000 + HOUR_US,)
            )
        house = House(urls, redis_url, is_new=False)
        yield house
        house.close()
        house.database.close()


def numbers(house: House, statement: str) -> list[int]:
    """The one row that it finds."""
    row = house.database.execute(statement).fetchone()
    assert row is not None
    return [int(str(column)) for column in row]


def taking(house: House) -> PlaceOrder:
    """A lot of the account with most to spend, at a price that somebody offers."""
    account_id, leverage, mark_ticks = numbers(house, RICHEST)
    return order(
        account_id,
        Side.BUY,
        1,
        spec=load_specs(house.database)[MARKET],
        price_ticks=mark_ticks + mark_ticks // 100,
        leverage=leverage,
    )


def test_people_of_before_trade_and_cancel_on_and_the_whole_journal_explains_their_money(
    old_house: House,
) -> None:
    house = old_house
    house.open()
    fills = house.count("SELECT count(*) FROM fills")
    bought = house.place_one(taking(house))
    eventually(lambda: house.state(bought) == (OrderStatus.FILLED, 1))
    assert house.count("SELECT count(*) FROM fills") > fills

    open_order, owner = numbers(house, OPEN)
    house.cancel(owner, open_order)
    eventually(lambda: house.state(open_order)[0] == OrderStatus.CANCELED)
    house.settled()
