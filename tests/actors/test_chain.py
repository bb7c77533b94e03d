"""The chain's actor and its pools on a real database: durable, fenced, rebuilt, conserved."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from sim.chain.building import BLOCK_S, Builder
from sim.chain.headers import root_of
from sim.chain.receipts import decoded_receipt
from sim.chain.transactions import decoded
from sim.keccak import keccak256
from storage.chain import node
from storage.chain.mining import wish_blocks
from storage.chain.node import wish_reorg
from storage.chain.verifying import VerifiedChain, verify_chain
from storage.errors import Superseded
from storage.postgres.database_roles import DatabaseUrls
from tests.actors.lived_chain import START_S, LivedChain, founded
from tests.waiting import eventually

BLOCKS = 25
TIMEOUT_S = 20.0
WRONG = (
    ("UPDATE chain_head SET burnt_wei = burnt_wei + 1", "1 wei more"),
    (
        "UPDATE chain_holdings SET amount = amount + 7 WHERE (token, holder) ="
        " (SELECT token, holder FROM chain_holdings ORDER BY 1, 2 LIMIT 1)",
        "7 units",
    ),
    ("UPDATE pools SET amount0 = amount0 + 1 WHERE id = 42", "pool 42 counts"),
)


@pytest.fixture
def lived(database_urls: DatabaseUrls) -> Iterator[LivedChain]:
    with psycopg.connect(database_urls.owner, autocommit=True) as connection:
        found = founded(database_urls, connection)
        yield found
        found.close()


def rows(lived: LivedChain, statement: str) -> list[tuple[Any, ...]]:
    return lived.connection.execute(statement).fetchall()


def test_blocks_follow_each_other_and_their_roots_hold(lived: LivedChain) -> None:
    lived.mined(BLOCKS)
    blocks = rows(lived, "SELECT number, hash, parent_hash, time_s, header FROM chain_blocks")
    assert len(blocks) == BLOCKS
    parent = blocks[0][2]
    for place, (number, block_hash, parent_hash, time_s, header) in enumerate(sorted(blocks)):
        assert (parent_hash, time_s) == (parent, START_S + BLOCK_S * (place + 1))
        assert keccak256(header) == block_hash
        told = rows(
            lived,
            "SELECT raw, receipt, hash, sender FROM chain_transactions"
            f" WHERE block_number = {number} ORDER BY place",
        )
        assert root_of(one[0] for one in told) in header
        assert root_of(one[1] for one in told) in header
        for raw, receipt, transaction_hash, sender in told:
            assert (decoded(raw).hash, decoded(raw).sender) == (transaction_hash, sender)
            assert decoded_receipt(receipt).raw == receipt
        parent = block_hash


def test_nothing_comes_from_nowhere(lived: LivedChain) -> None:
    lived.mined(BLOCKS)
    assert lived.differences() == []
    for statement, told in WRONG:
        lived.connection.execute(statement)
        assert any(told in difference for difference in lived.differences()), told
        lived.connection.execute(statement.replace("+", "-"))
        assert lived.differences() == []


def test_a_chain_is_verified_from_its_first_block(lived: LivedChain) -> None:
    lived.mined(6)
    verified = verify_chain(lived.connection)
    assert verified == VerifiedChain(lived.number - 5, lived.number, None)
    for statement, told in (
        ("UPDATE chain_transactions SET raw = raw || '\\x00' WHERE place = 0", "does not have"),
        ("UPDATE chain_blocks SET hash = sha256(hash) WHERE number % 2 = 0", "its hash names"),
    ):
        with lived.connection.transaction(force_rollback=True):
            lived.connection.execute(statement)
            wrong = verify_chain(lived.connection)
            assert wrong is not None
            assert told in (wrong.fault or "")


def test_a_pool_is_rebuilt_from_a_snapshot_and_from_blocks(lived: LivedChain) -> None:
    lived.mined(BLOCKS)
    before = {pool_id: actor.settled() for pool_id, actor in lived.pools.items()}
    lived.restart()
    assert {pool_id: actor.settled() for pool_id, actor in lived.pools.items()} == before
    for actor in lived.pools.values():
        actor.stop()  # keeps a snapshot
    lived.restart()
    assert {pool_id: actor.settled() for pool_id, actor in lived.pools.items()} == before
    lived.mined(3)


def test_a_chain_that_is_killed_goes_on_as_if_it_had_not_been(
    lived: LivedChain, database_urls: DatabaseUrls
) -> None:
    lived.mined(5)
    lived.restart()
    lived.mined(5)
    hashes = rows(lived, "SELECT number, hash FROM chain_blocks ORDER BY number")
    with psycopg.connect(database_urls.owner, autocommit=True) as connection:
        tables = "chain_head, chain_blocks, chain_transactions, chain_accounts, chain_holdings,"
        connection.execute(f"TRUNCATE {tables} chain_positions, pools, pool_snapshots")
        whole = founded(database_urls, connection)
        whole.mined(10)
        assert rows(whole, "SELECT number, hash FROM chain_blocks ORDER BY number") == hashes
        whole.close()


def test_a_block_that_was_not_kept_is_forgotten_by_pools(
    lived: LivedChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived.mined(3)
    before = {pool_id: actor.settled() for pool_id, actor in lived.pools.items()}

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(node, "commit_block", dies)
        with pytest.raises(KeyboardInterrupt):
            lived.mined(1)
    assert {pool_id: actor.settled() for pool_id, actor in lived.pools.items()} == before
    lived.supersede()
    lived.mined(3)


def test_who_was_superseded_changes_nothing(lived: LivedChain) -> None:
    lived.mined(2)
    zombie, number = lived.chain, lived.number
    lived.supersede()
    lived.connection.execute("UPDATE chain_head SET mine_to = mine_to + 1")
    with pytest.raises(Superseded):
        zombie.look()
    assert lived.number == number


def test_a_broken_invariant_halts_the_chain_and_says_so(
    lived: LivedChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived.mined(2)

    def broken(*_: Any) -> None:
        raise AssertionError("ether is conserved")

    monkeypatch.setattr(Builder, "sealed", broken)
    wish_blocks(lived.connection, 1)
    lived.chain.start()
    eventually(lambda: lived.halt_reason == "ether is conserved", TIMEOUT_S)
    assert lived.chain.health()["halt_reason"] == "ether is conserved"


def test_a_reorganisation_replaces_blocks_and_nobody_has_more_or_less(lived: LivedChain) -> None:
    lived.mined(6)
    newest = "SELECT hash FROM chain_blocks ORDER BY number"
    told = "SELECT hash FROM chain_transactions ORDER BY block_number, place"
    held = "SELECT * FROM chain_accounts ORDER BY address"
    hashes, transactions, holdings = rows(lived, newest), rows(lived, told), rows(lived, held)
    wish_reorg(lived.connection, 3)
    lived.chain.look()
    assert rows(lived, newest)[:3] == hashes[:3]
    assert not {*rows(lived, newest)[3:]} & {*hashes[3:]}
    assert {*rows(lived, told)} != {*transactions}
    assert rows(lived, held) == holdings
    lived.mined(2)
    parents = rows(lived, "SELECT parent_hash FROM chain_blocks ORDER BY number")
    assert [one for (one,) in parents[1:]] == [one for (one,) in rows(lived, newest)[:-1]]
