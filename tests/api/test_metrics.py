"""Asking for metrics again and again costs no more than asking once a second."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from api.door.metrics import REQUESTS, TEXT_S_MAX, Metrics
from storage.postgres.database import AsyncPool, open_pool


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[AsyncPool]:
    pool = await open_pool(database_url, 2)
    yield pool
    await pool.close()


async def test_the_text_is_made_at_most_once_a_second(pool: AsyncPool) -> None:
    now_s = [0.0]
    metrics = Metrics(lambda: now_s[0])
    counted = REQUESTS.labels("GET", "counted", "200")
    first = await metrics.text(pool)
    counted.inc()
    now_s[0] += TEXT_S_MAX / 2
    assert await metrics.text(pool) == first
    now_s[0] += TEXT_S_MAX / 2
    assert await metrics.text(pool) != first


async def test_those_who_ask_at_once_are_told_the_same_text(pool: AsyncPool) -> None:
    metrics = Metrics(lambda: 0.0)
    texts = await asyncio.gather(*(metrics.text(pool) for _ in range(20)))
    assert len({id(text) for text in texts}) == 1
