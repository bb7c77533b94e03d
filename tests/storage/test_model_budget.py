"""However many ask models at once, a day has no more than it may."""

import asyncio
import random
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import pytest_asyncio

from storage.agents.model_budget import Reserved, Spending, reserve, settle, spent_today
from storage.postgres.database import AsyncPool, open_pool
from storage.postgres.database_roles import DatabaseUrls

DAY_US = 86_400_000_000
NOON_US = 20_000 * DAY_US + DAY_US // 2
A_DAY = Spending(1_000, Decimal("0.01"))
PROCESSES, ASKED = 4, 40


@pytest_asyncio.fixture
async def pools(database_urls: DatabaseUrls) -> AsyncIterator[list[AsyncPool]]:
    """Of several actors."""
    opened = [await open_pool(database_urls.engine, 3) for _ in range(PROCESSES)]
    yield opened
    for pool in opened:
        await pool.close()


@pytest.mark.parametrize(
    ("most", "fits"),
    [
        (Spending(70, Decimal(0)), 14),
        (Spending(1, Decimal("0.0007")), 14),
        (Spending(1_000, Decimal("0.01")), 1),
        (Spending(1_001, Decimal(0)), 0),
        (Spending(1, Decimal("0.010000000000000001")), 0),
    ],
)
async def test_many_at_once_reserve_what_there_is_and_no_more(
    most: Spending, fits: int, pools: list[AsyncPool]
) -> None:
    asked = [reserve(pool, most, A_DAY, NOON_US) for pool in pools * (ASKED // PROCESSES)]
    found = [one for one in await asyncio.gather(*asked) if one is not None]
    assert len(found) == fits
    assert await spent_today(pools[0], NOON_US) == Spending(most.tokens * fits, most.usd * fits)


async def test_what_is_settled_is_there_for_others_and_never_more_than_a_day(
    pools: list[AsyncPool], request: pytest.FixtureRequest
) -> None:
    seed = int(request.config.option.hypothesis_seed)
    print(f"seed {seed}")
    dice, spent = random.Random(seed), list[int]()

    async def asks(pool: AsyncPool, most: int, does: int) -> None:
        reserved = await reserve(pool, Spending(most, Decimal(most) / 10**6), A_DAY, NOON_US)
        assert (await spent_today(pool, NOON_US)).tokens <= A_DAY.tokens
        if reserved is not None:
            await settle(pool, reserved, Spending(does, Decimal(does) / 10**6))
            spent.append(does)

    wishes = [(dice.randint(1, 200), dice.random()) for _ in range(ASKED)]
    await asyncio.gather(
        *(
            asks(pools[place % PROCESSES], most, int(most * part))
            for place, (most, part) in enumerate(wishes)
        )
    )
    total = Spending(sum(spent), Decimal(sum(spent)) / 10**6)
    assert await spent_today(pools[0], NOON_US) == total


async def test_a_call_belongs_to_the_day_it_was_made_on(pools: list[AsyncPool]) -> None:
    midnight_us = 20_001 * DAY_US
    reserved = await reserve(pools[0], Spending(900), A_DAY, midnight_us - 1)
    assert reserved == Reserved(20_000, Spending(900))
    assert await reserve(pools[1], Spending(200), A_DAY, midnight_us - 1) is None
    assert await reserve(pools[1], Spending(200), A_DAY, midnight_us) is not None
    await settle(pools[0], reserved, Spending(10))
    assert await spent_today(pools[0], NOON_US) == Spending(10)
    assert await spent_today(pools[0], midnight_us) == Spending(200)
