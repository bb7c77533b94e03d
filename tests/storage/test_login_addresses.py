"""From where a user has logged in: a bounded number of places, the latest."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from storage.people.login_addresses import ADDRESSES_MAX, is_known_address, remember_address
from storage.postgres.database import AsyncPool, open_pool
from tests.builders import trader


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[AsyncPool]:
    opened = await open_pool(database_url, 2)
    yield opened
    await opened.close()


async def test_the_latest_addresses_are_known_and_those_of_others_are_not(
    pool: AsyncPool, database_url: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        user, other = trader(connection), trader(connection)
        row = connection.execute("SELECT email FROM users WHERE id = %s", (user,)).fetchone()
        assert row is not None
    places = [bytes([number]) * 16 for number in range(ADDRESSES_MAX + 2)]
    await remember_address(pool, other, places[0])
    for place in [*places, places[2]]:
        await remember_address(pool, user, place)
    known = [await is_known_address(pool, row[0], place) for place in places]
    assert known == [False] * 2 + [True] * ADDRESSES_MAX
    assert not await is_known_address(pool, "nobody@example.com", places[-1])
