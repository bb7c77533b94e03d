"""Round trips in the database: brought up in pieces, by whoever looks, each fill once."""

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from sim.money.position import FLAT, fill_position
from sim.money.round_trips import AccountFill, fold
from sim.rows.messages import Side
from storage.agents.positions import brought_up
from storage.agents.round_trips import FILLS_A_STEP
from storage.postgres.database import open_pool
from storage.postgres.database_roles import DatabaseUrls
from storage.servers.embedded import EmbeddedPostgres
from tests.builders import listed_markets, trader

MARKET = "BTC-PERP"
FILLS = 2 * FILLS_A_STEP + 7
INSERT = f"""
INSERT INTO fills (market_id, event_seq, is_maker, order_id, account_id, side, price_ticks,
    quantity_lots, fee_atoms, realized_pnl_atoms, created_at_us, id)
VALUES ('{MARKET}', %s, false, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""


@pytest.fixture
def urls(postgres: EmbeddedPostgres, template_database: str) -> Iterator[DatabaseUrls]:
    with psycopg.connect(postgres.admin_url, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE round_trips OWNER sandpit_owner TEMPLATE {template_database}"
        )
        yield postgres.urls("round_trips")
        connection.execute("DROP DATABASE round_trips WITH (FORCE)")


def traded(database: psycopg.Connection[Any], account_id: int, seed: int) -> list[AccountFill]:
    """Fills of an account that changes sides."""
    dice, position, fills = random.Random(seed), FLAT, []
    database.execute("INSERT INTO positions VALUES (%s, %s, 0, 0, 0, 0)", (account_id, MARKET))
    for number in range(1, FILLS + 1):
        side, lots, ticks = dice.choice(list(Side)), dice.randint(1, 5), dice.randint(90, 110)
        signed = lots if side == Side.BUY else -lots
        position, realized = fill_position(position, signed, ticks, 1)
        fills.append(AccountFill(number, number, side, ticks, lots, 3, realized, number))
    with database.cursor() as cursor:
        cursor.executemany(
            INSERT,
            [
                (
                    *(fill.fill_id, fill.order_id, account_id, fill.side, fill.price_ticks),
                    *(fill.quantity_lots, fill.fee_atoms, fill.realized_pnl_atoms, fill.at_us),
                    fill.fill_id,
                )
                for fill in fills
            ],
        )
    return fills


async def test_who_looks_at_once_folds_no_fill_twice(urls: DatabaseUrls) -> None:
    seed = random.randrange(10**6)
    print(f"seed: {seed}")
    with psycopg.connect(urls.owner, autocommit=True) as database:
        listed_markets(database)
        account_id = trader(database)
        fills = traded(database, account_id, seed)
        pool = await open_pool(urls.api, 4)
        await asyncio.gather(*(brought_up(pool, [account_id]) for _ in range(4)))
        await brought_up(pool, [account_id])
        await pool.close()
        found = database.execute(
            "SELECT opened_fill_id, entry_lots, exit_lots, fees_atoms, realized_pnl_atoms,"
            " last_fill_id, closed_at_us, reason FROM round_trips ORDER BY opened_fill_id"
        ).fetchall()
    expected = [
        (
            *(trip.opened_fill_id, trip.entry_lots, trip.exit_lots, trip.fees_atoms),
            *(trip.realized_pnl_atoms, trip.last_fill_id, trip.closed_at_us),
            "liquidated" if trip.closed_at_us else None,
        )
        for trip in fold(None, fills)
    ]
    assert found == expected
