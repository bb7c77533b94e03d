"""Blocks' bytes become rows, and rows of blocks that are replaced go without a trace."""

import random
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from sim.chain.addresses import NOBODY, POSITION_MANAGER, USDC, WETH
from sim.chain.events import ERC20_TRANSFER, NFT_TRANSFER
from sim.chain.logs import Log
from storage.chain.explorer import Page, TransactionFilter, page
from storage.chain.indexing import BLOCKS_AT_ONCE_MAX, CONFIRMATIONS, index_step
from storage.errors import CorruptState
from storage.postgres.database import AsyncPool, connect
from tests.handmade_chain import BLOCK_S, FIRST_TIME_S, HandmadeChain, Sent, address_of

WALLETS = ("ann", "bea", "cid", "dot")
TABLES = ("blocks", "transactions", "transfers", "appearances")
MANY = 200


@pytest.fixture
def chain(database: psycopg.Connection[Any]) -> HandmadeChain:
    return HandmadeChain(database)


@pytest.fixture
def engine(database_urls: Any, database: Any) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the user that actors come as."""
    with connect(database_urls.engine, "test") as connection:
        yield connection


def moved(sender: str, recipient: str, units: int, token: bytes = USDC.address) -> Log:
    return ERC20_TRANSFER.log(token, address_of(sender), address_of(recipient), units)


def index_all(engine: psycopg.Connection[Any], confirmations: int = 0) -> int:
    steps = 0
    while index_step(engine, confirmations):
        steps += 1
        assert steps < MANY
    return steps


def rows(engine: psycopg.Connection[Any]) -> dict[str, list[Any]]:
    """All that is indexed."""
    found = {
        name: engine.execute(f"SELECT * FROM explorer_{name} ORDER BY 1, 2").fetchall()
        for name in TABLES
    }
    return found | {"cursor": engine.execute("SELECT * FROM explorer_cursor").fetchall()}


def test_it_stays_so_many_blocks_behind_the_tip(
    chain: HandmadeChain, engine: psycopg.Connection[Any]
) -> None:
    for _ in range(CONFIRMATIONS):
        chain.block()
    assert index_step(engine) == 0
    chain.block()
    assert index_step(engine) == 1
    assert index_step(engine) == 0
    (cursor,) = rows(engine)["cursor"]
    assert cursor[1] == chain.blocks[0].header.block_number


def test_a_failed_transaction_a_mint_and_one_to_oneself_are_read_as_they_are(
    chain: HandmadeChain, engine: psycopg.Connection[Any]
) -> None:
    nft = NFT_TRANSFER.log(POSITION_MANAGER, NOBODY, address_of("ann"), 7)
    other = Log(WETH.address, (b"\x01" * 32,), b"")
    chain.block(
        Sent("ann", USDC.address, logs=(moved("ann", "bea", 5), other, nft), gas=65_000),
        Sent("bea", USDC.address, logs=(moved("bea", "ann", 5),), gas=30_000, fails=True),
        Sent("cid", address_of("cid"), wei=3),
        Sent("dot", None),
    )
    assert index_all(engine) == 1
    found = rows(engine)
    assert [row[6:] for row in found["transactions"]] == [
        (65_000, 12_500_000_000, True),
        (30_000, 12_500_000_000, False),
        (21_000, 12_500_000_000, True),
        (21_000, 12_500_000_000, True),
    ]
    assert [row[4] for row in found["transactions"]][2:] == [address_of("cid"), None]
    assert [(row[0], row[1], *row[5:]) for row in found["transfers"]] == [
        (1, 0, 5, None),
        (1, 1, 1, 7),
    ]
    whose = {(bytes(address), ordinal) for address, _, ordinal in found["appearances"]}
    ann, bea, cid, dot = map(address_of, WALLETS)
    assert whose == {(ann, 1), (bea, 1), (NOBODY, 1), (USDC.address, 1)} | {
        (bea, 2),
        (USDC.address, 2),
        (cid, 3),
        (dot, 4),
    }


def test_a_chain_that_is_replaced_three_deep_leaves_nothing_behind(
    chain: HandmadeChain, engine: psycopg.Connection[Any]
) -> None:
    for number in range(6):
        chain.block(Sent("ann", USDC.address, logs=(moved("ann", "bea", number + 1),)))
    index_all(engine)
    orphans = chain.forget(3)
    for number in range(4):
        chain.block(Sent("cid", USDC.address, logs=(moved("cid", "bea", 100 + number),)))
    assert index_all(engine) == 3 + 1
    after = rows(engine)
    for table in TABLES:
        engine.execute(f"DELETE FROM explorer_{table}")
    engine.execute("DELETE FROM explorer_cursor")
    index_all(engine)
    assert rows(engine) == after
    gone = {one.hash for orphan in orphans for one in orphan.transactions}
    assert not gone & {bytes(row[1]) for row in after["transactions"]}
    assert sum(row[5] for row in after["transfers"]) == 1 + 2 + 3 + 100 + 101 + 102 + 103


def test_a_chain_that_begins_anew_is_taken_back_to_nothing(
    chain: HandmadeChain, engine: psycopg.Connection[Any]
) -> None:
    for _ in range(2):
        chain.block(Sent("ann", address_of("bea"), wei=1))
    index_all(engine)
    chain.forget(2)
    chain.block(salt=b"other")
    index_all(engine)
    found = rows(engine)
    assert [len(found[name]) for name in TABLES] == [1, 0, 0, 0]


@pytest.mark.parametrize("column", ["raw", "receipt"])
def test_bytes_that_are_not_the_blocks_are_not_shown(
    column: str, chain: HandmadeChain, engine: psycopg.Connection[Any]
) -> None:
    """Others that are just as valid: of the transaction before."""
    chain.block(Sent("ann", address_of("bea"), wei=1))
    index_all(engine)
    chain.block(Sent("ann", address_of("bea"), wei=2, gas=30_000))
    first, second = chain.blocks
    other = (first.transactions if column == "raw" else first.receipts)[0].raw
    chain.connection.execute(
        f"UPDATE chain_transactions SET {column} = %s WHERE hash = %s",
        (other, second.transactions[0].hash),
    )
    with pytest.raises(CorruptState):
        index_step(engine, 0)
    assert len(rows(engine)["blocks"]) == 1


def test_columns_are_not_believed(chain: HandmadeChain, engine: psycopg.Connection[Any]) -> None:
    chain.block(Sent("ann", address_of("bea"), wei=1))
    chain.connection.execute("UPDATE chain_transactions SET hash = 'x', sender = 'y'")
    chain.connection.execute("UPDATE chain_blocks SET time_s = 1, parent_hash = 'z'")
    index_all(engine)
    (row,) = rows(engine)["transactions"]
    assert bytes(row[1]) == chain.blocks[0].transactions[0].hash
    assert bytes(row[3]) == address_of("ann")
    assert rows(engine)["blocks"][0][3] == FIRST_TIME_S


def random_chain(chain: HandmadeChain, dice: random.Random, blocks: int) -> None:
    for _ in range(blocks):
        sent = []
        for _ in range(dice.randrange(4)):
            ends = dice.choices(WALLETS, k=3)
            logs = tuple(moved(ends[1], ends[2], 1) for _ in range(dice.randrange(3)))
            sent.append(Sent(ends[0], address_of(dice.choice(WALLETS)), 1, logs))
        chain.block(*sent, salt=dice.randbytes(4))


def in_range(chain: HandmadeChain, wanted: TransactionFilter) -> list[bytes]:
    """The same by looking at everything."""
    found = []
    for mined in chain.blocks:
        if not wanted.since_s <= mined.header.timestamp < wanted.before_s:
            continue
        for sent, signed, receipt in zip(
            mined.sent, mined.transactions, mined.receipts, strict=True
        ):
            ends = {signed.sender, sent.to}
            for log in receipt.logs:
                ends |= {topic[-20:] for topic in log.topics[1:]}
            if wanted.address is None or wanted.address in ends:
                found.append(signed.hash)
    return found[::-1] if wanted.newest_first else found


async def test_every_page_of_every_range_is_what_one_finds_by_looking_at_everything(
    chain: HandmadeChain, engine: psycopg.Connection[Any], pool: AsyncPool
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    random_chain(chain, dice, BLOCKS_AT_ONCE_MAX + 10)
    index_all(engine)
    chain.forget(5)
    random_chain(chain, dice, 8)
    index_all(engine)
    last_s = FIRST_TIME_S + BLOCK_S * len(chain.blocks)
    for _ in range(MANY):
        since_s, before_s = (dice.randrange(FIRST_TIME_S - 20, last_s + 20) for _ in range(2))
        who = address_of(dice.choice((*WALLETS, "nobody"))) if dice.random() < 0.7 else None
        wanted = TransactionFilter(who, since_s, before_s, dice.random() < 0.5)
        expected, size = in_range(chain, wanted), dice.randrange(1, 12)
        number = dice.randrange(1, 5)
        found: Page = await page(pool, wanted, number, size)
        assert found.total == len(expected)
        hashes = [one.hash for one in found.transactions]
        assert hashes == expected[(number - 1) * size : number * size]


def test_a_second_indexer_changes_nothing_that_the_first_has_done(
    chain: HandmadeChain, engine: psycopg.Connection[Any], database_urls: Any
) -> None:
    for _ in range(3):
        chain.block(Sent("ann", address_of("bea"), wei=1))
    with connect(database_urls.engine, "other") as other:
        assert index_step(other, 1) == 2
        assert index_step(engine, 0) == 1
        assert index_step(other, 0) == 0
    assert [row[6] for row in rows(engine)["blocks"]] == [1, 2, 3]
