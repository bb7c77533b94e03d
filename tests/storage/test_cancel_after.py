"""The dead-man switch fires once, whoever looks and however many look."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from storage.intake.accept import Acceptor
from storage.intake.accept_state import OpenOrdersMax
from storage.intake.cancel_after import SET, fire_expired
from storage.postgres.database import connect, open_pool
from tests.builders import order, trader
from tests.placing import place_many

ACCOUNTS = 20


async def test_two_who_look_at_once_fire_each_switch_once(
    database: psycopg.Connection[Any], database_url: str
) -> None:
    pool = await open_pool(database_url, 2)
    acceptor = Acceptor(pool, OpenOrdersMax(10, 10))
    await acceptor.start()
    accounts = [trader(database) for _ in range(ACCOUNTS)]
    await place_many(acceptor, [order(account) for account in accounts])
    await acceptor.stop()
    await pool.close()
    for account in accounts:
        database.execute(SET, (account, 1_000 if account != accounts[0] else 2_000))

    def look(number: int) -> int:
        with connect(database_url, f"look{number}") as connection:
            return sum(fire_expired(connection, 1_500) for _ in range(5))

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(look, range(4))) == ACCOUNTS - 1
    cancelled = database.execute("SELECT account_id FROM commands WHERE order_id = 0").fetchall()
    assert sorted(row[0] for row in cancelled) == accounts[1:]
    assert fire_expired(database, 2_000) == 1
