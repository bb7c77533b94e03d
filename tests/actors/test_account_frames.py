"""Frames of accounts: each change has one, numbers have no gap, and nobody waits for anybody."""

import asyncio
import random

import psycopg

from sim.market import BTC_PERP
from sim.orders import PlaceOrder
from sim.rows.messages import Side
from storage.postgres.database import open_pool
from storage.reading.account_frames import keep_listening, writers_ended
from tests.actors.house import House
from tests.builders import order, trader

LISTENED = "INSERT INTO listened_accounts SELECT id, 0, 0 FROM unnest(%s::bigint[]) AS id"
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
GAPS = """
SELECT count(*) FROM listened_accounts l WHERE seq = 0 OR seq <> (
    SELECT count(*) FROM account_frames f WHERE f.account_id = l.account_id AND f.seq <= l.seq)"""
UNTOLD_FILLS = """
SELECT count(*) FROM fills WHERE (account_id, id::text) NOT IN (
    SELECT account_id, reference FROM account_frames WHERE kind = 'FILL')"""
UNTOLD_ORDERS = """
SELECT count(*) FROM orders WHERE (account_id, id::text) NOT IN (
    SELECT account_id, reference FROM account_frames WHERE kind = 'ORDER')"""


def some_order(people: list[int], dice: random.Random) -> PlaceOrder:
    """Near the middle of one of two markets."""
    account_id, side = dice.choice(people), dice.choice((Side.BUY, Side.SELL))
    if dice.random() < 0.5:
        return order(account_id, side, price_ticks=5_991 + dice.randint(-3, 3))
    return order(account_id, side, spec=BTC_PERP, price_ticks=660_000 + dice.randint(-30, 30))


def test_who_trades_in_two_markets_at_once_is_told_all_without_a_gap(house: House) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    people = [trader(house.database, "100000000") for _ in range(6)]
    house.database.execute(LISTENED, (people,))
    house.open("ETH-PERP", "BTC-PERP")
    for _ in range(6):
        house.place(*(some_order(people, dice) for _ in range(40)))
    house.settled()
    assert house.count("SELECT count(*) FROM fills") > 0
    for wrong in (GAPS, UNTOLD_FILLS, UNTOLD_ORDERS, DEADLOCKS):
        assert house.count(wrong) == 0, wrong


async def test_who_begins_to_listen_waits_for_whoever_writes(house: House) -> None:
    account_id = trader(house.database)
    pool = await open_pool(house.api_url, 2)
    async with await psycopg.AsyncConnection.connect(house.owner_url) as writer:
        await writer.execute(
            "UPDATE balances SET locked_atoms = 1 WHERE account_id = %s", (account_id,)
        )
        assert await keep_listening(pool, account_id)
        waiting = asyncio.create_task(writers_ended(pool))
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done
        await writer.commit()
        await waiting
    assert not await keep_listening(pool, account_id)
    await pool.close()
