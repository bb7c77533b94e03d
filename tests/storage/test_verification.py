"""`sandpit db verify`: every batch, however old, every snapshot and the head."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from actors.commands.verify import told, verify
from storage.postgres.database import connect
from storage.reading.verification import verify_market
from storage.reading.whole_books import add_up
from storage.settings import Settings
from tests.builders import listed_markets, trader, with_money
from tests.markets import ETH_PERP
from tests.storage.test_journal import MARKET, Writer

BATCHES = 9


@pytest.fixture
def owners(settings: Settings, database_url: str) -> Settings:
    """The settings of whoever runs the exchange."""
    return settings.model_copy(update={"database_url": SecretStr(database_url)})


@pytest.fixture
def database(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Three batches, a snapshot, three more, a snapshot, three more."""
    with connect(database_url, "test") as connection:
        listed_markets(connection)
        writer = Writer(connection)
        for _ in range(2):
            writer.write(3)
            writer.keep_snapshot()
        writer.write(3)
        yield connection


def test_what_is_as_it_was_written_is_said_in_a_line_a_market(
    database: psycopg.Connection[Any], owners: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(owners) == 0
    assert capsys.readouterr().out.splitlines() == [
        "BTC-PERP: nothing is journalled yet",
        "ETH-PERP: batches 1 to 9 are what was written and replay as they were;"
        " 2 snapshots and the head agree",
        "ETH_USDC: nothing is journalled yet",
        "money: none has moved yet",
    ]
    assert database.execute("SELECT epoch FROM market_heads").fetchall() == [(0,), (0,), (1,)]


def test_money_is_added_up_asset_by_asset(
    database: psycopg.Connection[Any], owners: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    seller = trader(database)
    with_money(database, seller, "5", "ETH")
    assert verify(owners) == 0
    sound = "money: all transactions and balances add up, each asset by itself: ETH, USDC"
    assert capsys.readouterr().out.splitlines()[-1] == sound
    database.execute(
        "UPDATE ledger_entries SET asset = 'ETH' WHERE asset = 'USDC' AND account_id = 1"
    )
    assert verify(owners) == 1
    assert capsys.readouterr().out.splitlines()[-1] == (
        "money: WRONG: ETH has 1 transactions that do not sum to zero;"
        " USDC has 1 transactions that do not sum to zero"
    )


def test_a_balance_that_is_not_its_ledgers_is_told_with_its_asset(
    database: psycopg.Connection[Any],
) -> None:
    with_money(database, trader(database), "5", "ETH")
    database.execute("UPDATE balances SET total_atoms = total_atoms + 1 WHERE asset = 'ETH'")
    found = add_up(database)
    assert found.faults == ["ETH has 1 balances that are not what their ledger comes to"]


@pytest.mark.parametrize(
    ("damage", "bad_batch", "sentence"),
    [
        (
            "UPDATE journal SET inputs = overlay(inputs placing '\\x07' from 30)"
            " WHERE batch_no = 2",
            2,
            "batch 2 is not what was written",
        ),
        ("UPDATE journal SET events = '' WHERE batch_no = 1", 1, "batch 1 is not what was written"),
        ("UPDATE journal SET chain = inputs WHERE batch_no = 5", 5, "batch 5 is not what was"),
        ("DELETE FROM journal WHERE batch_no = 4", 4, "batch 4 is missing"),
        ("DELETE FROM journal WHERE batch_no = 9", 9, "batch 9 is missing"),
        ("DELETE FROM journal", 1, "batch 1 is missing"),
        ("UPDATE journal SET event_seq = 1 WHERE batch_no = 8", 8, "batch 8 does not replay"),
        ("UPDATE snapshots SET state = '\\x00' WHERE batch_no = 3", 3, "snapshot of batch 3 is"),
        (
            "UPDATE snapshots SET state = (SELECT state FROM snapshots WHERE batch_no = 6),"
            " state_hash = (SELECT state_hash FROM snapshots WHERE batch_no = 6)",
            3,
            "the state after batch 3 is not what its snapshot says",
        ),
        ("UPDATE market_heads SET chain = '' WHERE batch_no = 9", 9, "not the one that the head"),
        ("UPDATE market_heads SET event_seq = 1 WHERE batch_no = 9", 9, "the head counts 1 event"),
    ],
)
def test_the_first_thing_that_is_not_as_it_was_is_named(
    database: psycopg.Connection[Any],
    owners: Settings,
    capsys: pytest.CaptureFixture[str],
    damage: str,
    bad_batch: int,
    sentence: str,
) -> None:
    database.execute(damage)
    assert verify(owners) == 1
    assert sentence in capsys.readouterr().out.splitlines()[1]
    assert verify_market(database, ETH_PERP).bad_batch == bad_batch


def test_a_journal_that_was_cut_is_checked_from_its_oldest_batch_and_replayed_from_a_snapshot(
    database: psycopg.Connection[Any],
) -> None:
    database.execute("DELETE FROM journal WHERE batch_no <= 3")
    found = verify_market(database, ETH_PERP)
    assert (found.first, found.last, found.replayed_from, found.snapshots) == (4, BATCHES, 3, 1)
    database.execute("DELETE FROM journal WHERE batch_no <= 4")
    found = verify_market(database, ETH_PERP)
    assert (found.first, found.replayed_from, found.fault) == (5, 6, None)
    assert "5 to 9 are what was written and replay as they were from 7 on" in told(found)
    database.execute("DELETE FROM snapshots")
    assert "no kept snapshot to replay them from" in told(verify_market(database, ETH_PERP))
    database.execute(
        f"UPDATE journal SET events = inputs WHERE batch_no = 7 AND market_id = '{MARKET}'"
    )
    assert verify_market(database, ETH_PERP).bad_batch == 7
