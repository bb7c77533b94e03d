"""Drain waits for what was accepted before it was called, and for nothing else."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from storage.intake.drain import drain
from storage.postgres.database import AsyncPool, open_pool
from tests.builders import listed_markets

COMMAND = """
INSERT INTO commands (market_id, account_id, order_id, payload, created_at_us, command_seq)
VALUES (%s, 1, 1, '', 0, %s)"""


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[AsyncPool]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        listed_markets(connection)
    pool = await open_pool(database_url, 4)
    yield pool
    await pool.close()


async def execute(pool: AsyncPool, statement: str, *values: Any) -> None:
    async with pool.connection() as connection:
        await connection.execute(statement, values)


async def test_what_is_projected_is_not_waited_for(pool: AsyncPool) -> None:
    await execute(pool, COMMAND, "BTC-PERP", 1)
    await execute(pool, "UPDATE projections SET command_seq = 1 WHERE market_id = 'BTC-PERP'")
    assert await drain(pool, 1) == 0


async def test_it_returns_once_the_last_one_is_projected(pool: AsyncPool) -> None:
    for sequence in (1, 2):
        await execute(pool, COMMAND, "BTC-PERP", sequence)
    await execute(pool, COMMAND, "ETH-PERP", None)
    waiting = asyncio.create_task(drain(pool, 10))
    assert await asyncio.wait([waiting], timeout=0.2) == (set(), {waiting})
    await execute(pool, "UPDATE projections SET command_seq = 2 WHERE market_id = 'BTC-PERP'")
    assert await asyncio.wait([waiting], timeout=0.1) == (set(), {waiting})
    await execute(pool, "UPDATE commands SET command_seq = 1 WHERE market_id = 'ETH-PERP'")
    await execute(pool, COMMAND, "ETH-PERP", 2)
    await execute(pool, "UPDATE projections SET command_seq = 1 WHERE market_id = 'ETH-PERP'")
    assert await waiting == 3


async def test_it_gives_up_in_time(pool: AsyncPool) -> None:
    await execute(pool, COMMAND, "BTC-PERP", None)
    assert await drain(pool, 0.1) is None
