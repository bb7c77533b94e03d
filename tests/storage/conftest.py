"""A database with markets in it, as most tests of this room begin."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from storage.intake.accept import Acceptor
from storage.intake.accept_state import OpenOrdersMax
from storage.postgres.database import AsyncPool, connect, open_pool
from tests.builders import listed_markets


@pytest.fixture
def database(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(database_url, "test") as connection:
        listed_markets(connection)
        yield connection


@pytest_asyncio.fixture
async def pool(database: Any, database_url: str) -> AsyncIterator[AsyncPool]:
    opened = await open_pool(database_url, 10)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def acceptor(pool: AsyncPool) -> AsyncIterator[Acceptor]:
    started = Acceptor(pool, OpenOrdersMax(50, 50))
    await started.start()
    yield started
    await started.stop()
