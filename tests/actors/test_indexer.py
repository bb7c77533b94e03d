"""The indexer beside a chain that is alive: late when it is held, right when it is not."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import psycopg
import pytest

from actors.live.indexer import Indexer
from sim.chain.addresses import NOBODY
from sim.chain.building import BLOCK_S
from storage.chain import explorer
from storage.chain.indexing import CONFIRMATIONS
from storage.chain.node import wish_reorg
from storage.postgres.database import AsyncPool, open_pool
from storage.postgres.database_roles import DatabaseUrls
from tests.actors.lived_chain import LivedChain, founded
from tests.waiting import eventually

T = TypeVar("T")
TIMEOUT_S = 20.0
SHOWN = "SELECT encode(hash, 'hex') FROM explorer_transactions ORDER BY ordinal"
ON_CHAIN = """
SELECT encode(hash, 'hex') FROM chain_transactions WHERE block_number <= %s
ORDER BY block_number, place"""
NET = """
SELECT token, holder, sum(amount) FROM (
    SELECT token, recipient AS holder, amount FROM explorer_transfers WHERE token_id IS NULL
    UNION ALL SELECT token, sender, -amount FROM explorer_transfers WHERE token_id IS NULL) moved
GROUP BY token, holder HAVING sum(amount) <> 0"""


@pytest.fixture
def lived(database_urls: DatabaseUrls) -> Iterator[LivedChain]:
    with psycopg.connect(database_urls.owner, autocommit=True) as connection:
        found = founded(database_urls, connection)
        yield found
        found.close()


@pytest.fixture
def indexers(database_urls: DatabaseUrls) -> Iterator[Callable[[int], Indexer]]:
    """Makes indexers that come as the engine's user; they end with the test."""
    made: list[Indexer] = []

    def make(confirmations: int) -> Indexer:
        made.append(Indexer(database_urls.engine, confirmations))
        return made[-1]

    yield make
    for indexer in made:
        indexer.stop()


def asked(urls: DatabaseUrls, question: Callable[[AsyncPool], Awaitable[T]]) -> T:
    """What the API's user is told."""

    async def ask() -> T:
        pool = await open_pool(urls.api, 2)
        try:
            return await question(pool)
        finally:
            await pool.close()

    return asyncio.run(ask())


def hashes(lived: LivedChain, statement: str, *values: Any) -> list[str]:
    return [one for (one,) in lived.connection.execute(statement, values).fetchall()]


def holdings(lived: LivedChain) -> dict[tuple[bytes, bytes], int]:
    found = lived.connection.execute("SELECT token, holder, amount FROM chain_holdings").fetchall()
    return {(token, holder): int(amount) for token, holder, amount in found}


def indexed(indexer: Indexer) -> None:
    while indexer.step():
        pass


def test_it_stays_twelve_blocks_behind_and_is_later_while_it_is_held(
    lived: LivedChain, indexers: Callable[[int], Indexer], database_urls: DatabaseUrls
) -> None:
    def lag_s() -> int | None:
        found = asked(database_urls, explorer.progress)
        if found.time_s is None or found.tip_time_s is None:
            return None
        return found.tip_time_s - found.time_s

    indexer = indexers(CONFIRMATIONS)
    lived.mined(CONFIRMATIONS + 3)
    indexer.start()
    eventually(lambda: lag_s() == CONFIRMATIONS * BLOCK_S, TIMEOUT_S)
    indexer.hold()
    before = indexer.health()
    lived.mined(5)
    assert lag_s() == (CONFIRMATIONS + 5) * BLOCK_S
    assert indexer.health() == before
    indexer.release()
    eventually(lambda: lag_s() == CONFIRMATIONS * BLOCK_S, TIMEOUT_S)
    assert indexer.health()["failures"] == 0


def test_what_is_shown_is_what_the_chain_has_and_adds_up_to_what_everybody_holds(
    lived: LivedChain, indexers: Callable[[int], Indexer]
) -> None:
    before = holdings(lived)
    last = lived.mined(25)
    indexed(indexers(0))
    assert hashes(lived, SHOWN) == hashes(lived, ON_CHAIN, last)
    after = holdings(lived)
    moved = {key: after[key] - before.get(key, 0) for key in after}
    net = {
        (token, holder): int(amount)
        for token, holder, amount in lived.connection.execute(NET).fetchall()
        if holder != NOBODY
    }
    assert net == {key: amount for key, amount in moved.items() if amount}


def test_a_reorganisation_three_deep_leaves_no_orphan(
    lived: LivedChain, indexers: Callable[[int], Indexer]
) -> None:
    indexer = indexers(0)
    lived.mined(8)
    indexed(indexer)
    before = set(hashes(lived, SHOWN))
    wish_reorg(lived.connection, 3)
    lived.chain.look()
    indexed(indexer)
    after = hashes(lived, SHOWN)
    assert before != set(after)
    assert after == hashes(lived, ON_CHAIN, lived.number)
    lived.mined(2)
    indexed(indexer)
    assert hashes(lived, SHOWN) == hashes(lived, ON_CHAIN, lived.number)
