"""Balances, ledger and positions when money comes and goes while orders are matched."""

import asyncio
import random
import threading
from dataclasses import replace
from typing import Any

import pytest

from sim.orders import OrderStatus
from sim.rows.messages import Side
from sim.units import format_atoms
from storage.intake import transfers
from storage.postgres.database import AsyncPool, open_pool
from storage.postgres.unit_of_work import unit_of_work
from tests.actors.house import House
from tests.builders import order, trader
from tests.waiting import PROGRAM_S_MAX, eventually


def moved(house: House, movement: Any, account_id: int, *amounts: int) -> transfers.Balance:
    """One movement a transaction; the last balance."""

    async def one(pool: AsyncPool, amount: int) -> transfers.Balance:
        async with unit_of_work(pool) as connection:
            balance: transfers.Balance = await movement(connection, account_id, "USDC", amount)
            return balance

    async def work() -> transfers.Balance:
        pool = await open_pool(house.api_url, 1)
        balances = [await one(pool, amount) for amount in amounts]
        await pool.close()
        return balances[-1]

    return asyncio.run(work())


def total(house: House, account_id: int) -> str:
    return format_atoms(
        house.count(f"SELECT total_atoms FROM balances WHERE account_id = {account_id}")
    )


def test_deposits_and_withdrawals_between_fills_keep_every_balance_after_right(
    house: House,
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    house.open()
    accounts = [trader(house.database, "100000") for _ in range(3)]

    def move_money() -> None:
        for account_id in accounts:
            moved(house, transfers.deposit, account_id, *range(1, 40))
            moved(house, transfers.withdraw, account_id, *range(1, 40))

    mover = threading.Thread(target=move_money)
    mover.start()
    for _ in range(12):
        house.place(
            *[
                order(
                    dice.choice(accounts),
                    dice.choice(list(Side)),
                    dice.randint(1, 30),
                    leverage=7,
                    price_ticks=5_991 + dice.randint(-3, 3),
                )
                for _ in range(10)
            ]
        )
    mover.join(PROGRAM_S_MAX)
    assert not mover.is_alive()
    house.settled()


def test_nobody_sells_to_a_partner_so_low_that_the_money_comes_from_nowhere(house: House) -> None:
    house.open()
    alice, bob = trader(house.database, "6"), trader(house.database)
    house.place(order(bob, Side.SELL, 100), order(alice, Side.BUY, 100, leverage=20))
    house.settled()
    house.place_one(order(bob, Side.BUY, 100, price_ticks=1))
    for price_ticks, why in ((1, "beyond the price band"), (5_392, "this order may lose 6.01706")):
        closing = order(alice, Side.SELL, 100, price_ticks=price_ticks, reduce_only=True)
        with pytest.raises(AssertionError, match=why):
            house.place_one(replace(closing, leverage=None))
    # 6 less the fee of 59.91 bears 5.91 and the fee of 54
    house.place_one(order(bob, Side.BUY, 100, price_ticks=5_400))
    closing = order(alice, Side.SELL, 100, price_ticks=5_400, reduce_only=True)
    sold = house.place_one(replace(closing, leverage=None))
    eventually(lambda: house.state(sold) == (OrderStatus.FILLED, 100))
    house.settled()
    assert total(house, alice) == "0.033045"


def test_a_closing_order_without_margin_goes_with_the_position_that_it_would_close(
    house: House,
) -> None:
    house.open()
    alice, bob = trader(house.database, "7"), trader(house.database)
    house.place(order(bob, Side.SELL, 100), order(alice, Side.BUY, 100))
    house.settled()
    close = replace(order(alice, Side.SELL, 100, price_ticks=6_100), leverage=None)
    waiting = house.place_one(close)
    half = house.place_one(replace(order(bob, Side.BUY, 60, price_ticks=5_980), leverage=None))
    sold = house.place_one(replace(close, quantity_lots=60, price_ticks=5_980, reduce_only=True))
    eventually(lambda: house.state(sold) == (OrderStatus.FILLED, 60))
    house.settled()
    assert house.state(waiting) == (OrderStatus.OPEN, 0)
    assert house.count(f"SELECT quantity_lots FROM orders WHERE id = {waiting}") == 40
    house.place_one(replace(order(bob, Side.BUY, 40, price_ticks=5_980), leverage=None))
    house.place_one(replace(close, quantity_lots=40, price_ticks=5_980, reduce_only=True))
    eventually(lambda: house.state(waiting) == (OrderStatus.CANCELED, 0))
    house.settled()
    assert house.state(half) == (OrderStatus.FILLED, 60)
    assert house.count(f"SELECT locked_atoms FROM balances WHERE account_id = {alice}") == 0


def test_a_position_that_flips_keeps_the_leverage_that_its_account_has_in_the_market(
    house: House,
) -> None:
    house.open()
    alice, bob = trader(house.database), trader(house.database)

    def held() -> Any:
        return house.database.execute(
            "SELECT quantity_lots, cost_atoms, leverage FROM positions"
            " JOIN leverages USING (account_id, market_id) WHERE account_id = %s",
            (alice,),
        ).fetchone()

    house.place(order(bob, Side.SELL, 30), order(alice, Side.BUY, 10, leverage=3))
    house.place_one(order(alice, Side.BUY, 20, leverage=None))
    house.settled()
    assert held() == (30, 30 * 5_991 * 100, 3)
    house.place(order(bob, Side.BUY, 50), order(alice, Side.SELL, 50, leverage=3))
    house.settled()
    assert held() == (-20, -20 * 5_991 * 100, 3)


def test_an_order_that_ends_in_the_batch_it_came_in_frees_all_it_reserved(house: House) -> None:
    alice, bob = trader(house.database), trader(house.database)
    orders = [
        order(bob, Side.SELL, 5),
        order(alice, Side.BUY, 5),
        order(alice, Side.BUY, 10),
        order(alice, Side.SELL, 3, post_only=True),
    ]
    house.place(*orders)
    house.cancel(alice, None)
    house.open()
    house.settled()
    row = house.database.execute(
        "SELECT sum(locked_atoms), sum(open_orders) FROM balances"
    ).fetchone()
    assert row == (0, 0)
