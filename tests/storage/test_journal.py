"""The journal: fenced, committed once however often it is tried, and replayed to the last bit."""

import os
import subprocess
import sys
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import numpy as np
import psycopg
import pytest

from sim.book.engine import MarketEngine
from sim.rows.layouts import kept_bytes, narrowed
from sim.rows.messages import CommandKind, OrderType, empty_commands
from storage.errors import CorruptState, Superseded
from storage.market import journal
from storage.market.journal import Batch, Head, View
from storage.market.recovery import recover
from storage.postgres.database import connect
from storage.reading.verification import verify_market
from tests.builders import listed_markets
from tests.markets import ETH_PERP
from tests.waiting import PROGRAM_S_MAX

MARKET = ETH_PERP.market_id
NOTHING = np.empty((0, 3), np.int64)
VIEW = View(1, 0, 0, 0, NOTHING, NOTHING)


@pytest.fixture
def database(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(database_url, "test") as connection:
        listed_markets(connection)
        yield connection


def orders(number: int) -> Any:
    """Two orders that meet, and one that rests."""
    rows = empty_commands(3)
    rows["kind"], rows["order_type"], rows["time_in_force"] = CommandKind.PLACE, OrderType.LIMIT, 1
    rows["command_seq"] = np.arange(3) + 3 * number + 1
    rows["order_id"], rows["account_id"] = rows["command_seq"], (1000, 1001, 1002)
    rows["side"], rows["price_ticks"], rows["quantity_lots"] = (1, 2, 1), (100, 100, 50), (2, 2, 1)
    return rows


class Writer:
    """An engine whose batches are journalled."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.engine = MarketEngine(ETH_PERP)
        self.keep = kept_bytes
        self.head: Head = journal.acquire(connection, MARKET)

    def batch(self) -> Batch:
        """The next batch, applied and not yet written."""
        inputs = orders(self.head.batch_no)
        kept = self.keep(inputs)
        events = self.engine.apply(inputs)
        chain = journal.next_chain(self.head.chain, kept, events.tobytes())
        seq = int(inputs["command_seq"][-1])
        head = Head(self.head.epoch, self.head.batch_no + 1, seq, self.engine.event_seq, chain)
        return Batch(MARKET, head, 0, {7: head.batch_no}, kept, events.tobytes())

    def write(self, count: int) -> None:
        for _ in range(count):
            batch = self.batch()
            journal.commit_batch(self.connection, batch, VIEW)
            self.head = batch.head

    def keep_snapshot(self) -> None:
        state, state_hash = self.engine.snapshot(), self.engine.state_hash()
        strategies = {7: self.head.batch_no}
        journal.write_snapshot(self.connection, MARKET, self.head, strategies, state, state_hash, 0)


def count(connection: psycopg.Connection[Any], statement: str) -> int:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return int(row[0])


def test_a_batch_that_is_tried_again_is_written_once(database: psycopg.Connection[Any]) -> None:
    writer = Writer(database)
    batch = writer.batch()
    for _ in range(3):
        journal.commit_batch(database, batch, VIEW)
    assert count(database, "SELECT count(*) FROM journal") == 1


def test_a_batch_under_a_number_that_is_taken_is_superseded(
    database: psycopg.Connection[Any],
) -> None:
    writer, batch = Writer(database), Writer(database).batch()
    with pytest.raises(Superseded):
        journal.commit_batch(database, writer.batch(), VIEW)
    journal.commit_batch(database, batch, VIEW)
    other = Batch(**{**vars(batch), "head": Head(**{**vars(batch.head), "chain": bytes(32)})})
    with pytest.raises(Superseded):
        journal.commit_batch(database, other, VIEW)


def test_recovery_rebuilds_the_state_and_every_strategys_number(
    database: psycopg.Connection[Any],
) -> None:
    writer = Writer(database)
    writer.write(3)
    writer.keep_snapshot()
    writer.write(4)
    found = recover(database, ETH_PERP)
    assert found.engine.state_hash() == writer.engine.state_hash()
    assert found.strategies == {7: 7}
    assert (found.head.epoch, found.head.batch_no) == (writer.head.epoch + 1, 7)


def test_recovery_reads_rows_that_an_earlier_version_has_journalled(
    database: psycopg.Connection[Any],
) -> None:
    writer = Writer(database)
    writer.keep = narrowed
    writer.write(3)
    writer.keep = kept_bytes
    writer.write(2)
    assert recover(database, ETH_PERP).engine.state_hash() == writer.engine.state_hash()
    verified = verify_market(database, ETH_PERP)
    assert (verified.fault, verified.last) == (None, 5)


@pytest.mark.parametrize(
    "damage", ["state = '\\x00'", "state = overlay(state placing '\\xff' from 90)"]
)
def test_a_damaged_snapshot_is_passed_over(database: psycopg.Connection[Any], damage: str) -> None:
    writer = Writer(database)
    for _ in range(2):
        writer.write(2)
        writer.keep_snapshot()
    database.execute(f"UPDATE snapshots SET {damage} WHERE batch_no = 4")
    assert recover(database, ETH_PERP).engine.state_hash() == writer.engine.state_hash()
    database.execute(f"UPDATE snapshots SET {damage}")
    assert recover(database, ETH_PERP).engine.state_hash() == writer.engine.state_hash()


FORMAT = "state = overlay(state placing '\\x53414e4450495439' from 1)"


@pytest.mark.parametrize("which", ["batch_no = 4", "true"])
def test_a_snapshot_of_another_format_is_passed_over(
    database: psycopg.Connection[Any], which: str
) -> None:
    writer = Writer(database)
    for _ in range(2):
        writer.write(2)
        writer.keep_snapshot()
    database.execute(f"UPDATE snapshots SET {FORMAT} WHERE {which}")
    rows = database.execute("SELECT batch_no, state FROM snapshots").fetchall()
    for batch_no, state in rows:
        values = (blake2b(bytes(state), digest_size=32).digest(), batch_no)
        database.execute("UPDATE snapshots SET state_hash = %b WHERE batch_no = %s", values)
    found = recover(database, ETH_PERP)
    assert found.engine.state_hash() == writer.engine.state_hash()
    assert found.strategies == {7: 4}


@pytest.mark.parametrize(
    "damage",
    ["strategies = '{'", "strategies = '[]'", "strategies = '{\"7\": null}'"],
)
def test_a_snapshot_with_damaged_cursors_is_passed_over(
    database: psycopg.Connection[Any], damage: str
) -> None:
    writer = Writer(database)
    writer.write(2)
    writer.keep_snapshot()
    database.execute(f"UPDATE snapshots SET {damage}")
    assert recover(database, ETH_PERP).strategies == {7: 2}


def test_a_snapshot_from_which_the_journal_does_not_follow_is_passed_over(
    database: psycopg.Connection[Any],
) -> None:
    writer = Writer(database)
    writer.write(3)
    empty = MarketEngine(ETH_PERP)
    stranger = (empty.snapshot(), empty.state_hash(), 0)
    journal.write_snapshot(database, MARKET, writer.head, {7: 3}, *stranger)
    writer.write(1)
    assert recover(database, ETH_PERP).engine.state_hash() == writer.engine.state_hash()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE journal SET inputs = overlay(inputs placing '\\x07' from 30) WHERE batch_no = 2",
        "UPDATE journal SET inputs = substr(inputs, 2) WHERE batch_no = 2",
        "UPDATE journal SET events = '' WHERE batch_no = 2",
        "DELETE FROM journal WHERE batch_no = 2",
        "DELETE FROM journal WHERE batch_no = 3",
        "UPDATE market_heads SET batch_no = 2",
    ],
)
def test_a_journal_that_was_changed_is_corrupt(
    database: psycopg.Connection[Any], damage: str
) -> None:
    Writer(database).write(3)
    database.execute(damage)
    with pytest.raises(CorruptState):
        recover(database, ETH_PERP)


REPLAY = """
import sys
from storage.market.markets import load_specs
from storage.market.recovery import recover
from storage.postgres.database import connect
with connect(sys.argv[1], "replay") as connection:
    print(recover(connection, load_specs(connection)["ETH-PERP"]).engine.state_hash().hex())
"""


def test_another_process_under_another_hash_seed_replays_to_the_same_state(
    database: psycopg.Connection[Any], database_url: str
) -> None:
    writer = Writer(database)
    writer.write(20)
    for seed in ("0", "4711"):
        replayed = subprocess.run(
            [sys.executable, "-c", REPLAY, database_url],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=PROGRAM_S_MAX,
        )
        assert replayed.stdout.strip() == writer.engine.state_hash().hex()
