"""One order's journey through relay, market and recorder, as plain objects on real servers."""

import random
from typing import Any

import psycopg
import pytest
import redis

from actors.live.inbox import StrategyBatch
from actors.live.market import Market
from sim.orders import OrderStatus
from sim.rows.messages import OrderType, Side, TimeInForce, empty_commands
from storage.errors import Superseded
from storage.market.streams import commands_stream, events_stream
from storage.postgres.database_roles import DatabaseUrls
from tests.actors.house import MARKET, House
from tests.builders import order, trader
from tests.waiting import eventually


def test_two_orders_meet_and_money_agrees_to_the_last_digit(house: House) -> None:
    house.open()
    alice, bob = trader(house.database), trader(house.database)
    resting = house.place_one(order(alice, Side.BUY, 100))
    eventually(lambda: house.state(resting) == (OrderStatus.OPEN, 0))
    taking = house.place_one(order(bob, Side.SELL, 40))
    eventually(lambda: house.state(taking) == (OrderStatus.FILLED, 40))
    assert house.state(resting) == (OrderStatus.PARTIALLY_FILLED, 40)
    house.cancel(alice, resting)
    eventually(lambda: house.state(resting) == (OrderStatus.CANCELED, 40))
    house.settled()
    # 0.4 at 59.91: 23.964; maker 2, taker 5 of 10,000.
    totals = house.database.execute(
        "SELECT total_atoms - 10000000000, locked_atoms FROM balances"
        " WHERE account_id IN (%s, %s) ORDER BY account_id",
        (alice, bob),
    ).fetchall()
    assert totals == [(-4_793, 0), (-11_982, 0)]


def test_refused_by_the_book_is_rejected_with_its_reason(house: House) -> None:
    house.open()
    alice, bob = trader(house.database), trader(house.database)
    house.place_one(order(alice, Side.SELL))
    taking = house.place_one(order(bob, Side.BUY, post_only=True))
    eventually(lambda: house.state(taking) == (OrderStatus.REJECTED, 0))
    flat = house.place_one(order(bob, Side.BUY, reduce_only=True))
    eventually(lambda: house.state(flat) == (OrderStatus.REJECTED, 0))
    house.settled()


def test_reduce_only_closes_and_never_flips(house: House) -> None:
    house.open()
    alice, bob = trader(house.database), trader(house.database)
    house.place(order(alice, Side.SELL, 10), order(bob, Side.BUY, 10))
    house.place_one(order(alice, Side.BUY, 30))
    closing = house.place_one(
        order(bob, Side.SELL, 25, reduce_only=True, time_in_force=TimeInForce.IOC)
    )
    eventually(lambda: house.state(closing) == (OrderStatus.CANCELED, 10))
    house.settled()


def test_a_reduce_only_order_is_cut_with_its_position_and_leaves_nothing_locked(
    house: House,
) -> None:
    house.open()
    alice, bob = trader(house.database), trader(house.database)
    house.place(order(alice, Side.SELL, 10), order(bob, Side.BUY, 10))
    house.settled()
    away = {"price_ticks": 6_100, "reduce_only": True}
    older = house.place_one(order(bob, Side.SELL, 6, **away))
    newer = house.place_one(order(bob, Side.SELL, 6, **away))
    eventually(lambda: house.quantities(newer) == (4, 0, OrderStatus.OPEN))
    house.place_one(order(alice, Side.BUY, 100))
    house.place_one(order(bob, Side.SELL, 2))
    eventually(lambda: house.quantities(newer) == (2, 0, OrderStatus.OPEN))
    house.place_one(order(alice, Side.BUY, 1, price_ticks=6_100))
    eventually(lambda: house.quantities(older) == (6, 1, OrderStatus.PARTIALLY_FILLED))
    house.place_one(order(bob, Side.SELL, 7))
    eventually(lambda: house.quantities(older)[2] == OrderStatus.CANCELED)
    assert house.quantities(older)[:2] == (6, 1)
    assert house.quantities(newer) == (2, 0, OrderStatus.CANCELED)
    house.settled()
    held = "SELECT locked_atoms + open_orders FROM balances WHERE account_id"
    assert house.count(f"{held} = {bob}") == 0
    house.cancel(alice, None)
    eventually(lambda: house.count(f"{held} = {alice}") == 0)
    house.settled()


def test_a_market_order_of_a_new_user_fills(house: House) -> None:
    house.open()
    alice, bob = trader(house.database), trader(house.database)
    ask = house.place_one(order(alice, Side.SELL, 50))
    eventually(lambda: house.state(ask)[0] == OrderStatus.OPEN)
    taking = house.place_one(order(bob, Side.BUY, 20, order_type=OrderType.MARKET, price_ticks=0))
    eventually(lambda: house.state(taking) == (OrderStatus.FILLED, 20))
    house.cancel(alice, None)
    eventually(lambda: house.state(ask) == (OrderStatus.CANCELED, 20))
    house.settled()


def random_orders(house: House, seed: int, count: int) -> None:
    dice = random.Random(seed)
    accounts = [trader(house.database, "100000") for _ in range(6)]
    wishes = [
        order(
            dice.choice(accounts),
            dice.choice(list(Side)),
            dice.randint(1, 50),
            price_ticks=5_991 + dice.randint(-10, 10),
            time_in_force=dice.choice(list(TimeInForce)),
            reduce_only=dice.random() < 0.1,
        )
        for _ in range(count)
    ]
    for start in range(0, count, 50):
        house.place(*wishes[start : start + 50])
        house.cancel(dice.choice(accounts), None)


def test_a_random_run_conserves_everything(house: House) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    house.open()
    random_orders(house, seed, 400)
    house.settled()


def test_everything_goes_on_after_all_actors_restart(house: House) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    house.open()
    random_orders(house, seed, 100)
    house.close()
    random_orders(house, seed + 1, 100)
    house.open()
    house.settled()
    assert house.count(f"SELECT epoch FROM market_heads WHERE market_id = '{MARKET}'") == 2


def test_a_wiped_valkey_loses_nothing(house: House, valkey: Any) -> None:
    house.open()
    alice = trader(house.database, "100000")
    house.place(*[order(alice) for _ in range(20)])
    house.settled()
    with redis.Redis.from_url(valkey.admin_url) as client:
        client.flushall()
        house.place(*[order(alice) for _ in range(20)])
        house.settled()
        house.place(*[order(alice) for _ in range(5)])
        house.settled()
        assert client.exists(commands_stream(MARKET), events_stream(MARKET))


def test_everything_works_slower_without_valkey(database_urls: DatabaseUrls) -> None:
    house = House(database_urls, "redis://127.0.0.1:1/0")
    house.open()
    alice, bob = trader(house.database), trader(house.database)
    house.place_one(order(alice))
    house.place_one(order(bob, Side.SELL))
    house.settled()
    house.close()


def test_a_superseded_market_changes_nothing(house: House) -> None:
    alice = trader(house.database)
    zombie = Market(MARKET, *house.urls)
    house.open()
    resting = house.place_one(order(alice))
    eventually(lambda: house.state(resting)[0] == OrderStatus.OPEN)
    before = head(house.database)
    with pytest.raises(Superseded):
        zombie.process([StrategyBatch(1, 1, empty_commands(0))])
    assert head(house.database) == before
    house.settled()


def head(database: psycopg.Connection[Any]) -> Any:
    return database.execute("SELECT * FROM market_heads WHERE market_id = %s", (MARKET,)).fetchone()


def test_a_journal_that_does_not_replay_halts_its_market(house: House) -> None:
    house.open()
    alice = trader(house.database)
    house.place(order(alice), order(alice))
    house.settled()
    house.close()
    house.database.execute("DELETE FROM snapshots")
    house.database.execute("UPDATE journal SET inputs = overlay(inputs placing '\\x07' from 30)")
    broken = Market(MARKET, *house.urls)
    assert "is not what was written" in str(broken.health().halted)
    assert house.count(f"SELECT status FROM markets WHERE market_id = '{MARKET}'") == 3
