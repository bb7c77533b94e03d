"""Blocks that somebody wishes for: bounded, told, taken back, and over when their asker is gone."""

import os
import re
import signal
import threading
from collections.abc import Iterator

import psycopg
import pytest
from typer.testing import CliRunner

from actors.cli import app
from actors.commands.chain import BLOCKS_MAX
from actors.commands.chain_work import mined, status_of
from sim.chain.building import BLOCK_S
from storage.chain.mining import is_asked, wish_blocks, withdraw
from storage.postgres.database_roles import DatabaseUrls
from storage.settings import ConfigurationError, Settings
from tests.actors.lived_chain import LivedChain, founded
from tests.waiting import eventually

TIMEOUT_S = 30.0
MANY = 900


@pytest.fixture
def lived(database_urls: DatabaseUrls) -> Iterator[LivedChain]:
    with psycopg.connect(database_urls.owner, autocommit=True) as connection:
        found = founded(database_urls, connection, is_quiet=True)
        yield found
        found.close()


@pytest.fixture
def settings(database_urls: DatabaseUrls) -> Settings:
    return Settings.load(database_url=database_urls.owner)


@pytest.fixture
def somebody(database_urls: DatabaseUrls) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_urls.owner, autocommit=True) as connection:
        yield connection


def test_blocks_are_mined_one_after_the_other(lived: LivedChain, settings: Settings) -> None:
    lived.chain.start()
    eventually(lambda: lived.number >= 1, TIMEOUT_S)
    first = lived.number
    said = mined(settings, 5)
    assert said == f"5 blocks, {5 * BLOCK_S} s of the chain's time; the newest is {first + 5}"
    assert "pending" not in status_of(settings)


def test_who_was_killed_wishes_for_nothing_any_more(
    lived: LivedChain, somebody: psycopg.Connection, settings: Settings
) -> None:
    assert wish_blocks(somebody, MANY) == lived.number + MANY
    assert lived.chain.look()
    assert f"pending: {MANY - 1} blocks that somebody mines" in status_of(settings)
    somebody.close()
    eventually(lambda: not is_asked(lived.connection), TIMEOUT_S)
    before = lived.number
    assert not lived.chain.look()
    assert lived.number == before
    assert "pending" not in status_of(settings)
    assert wish_blocks(lived.connection, 2) == before + 2


def test_another_is_told_what_is_pending_and_changes_nothing(
    lived: LivedChain, somebody: psycopg.Connection, settings: Settings
) -> None:
    last = wish_blocks(somebody, MANY)
    with pytest.raises(ConfigurationError, match=f"{MANY} blocks are pending: wait until"):
        mined(settings, 5)
    assert last == lived.number + MANY
    assert f"pending: {MANY} blocks" in status_of(settings)
    withdraw(somebody)
    assert wish_blocks(lived.connection, 5) == lived.number + 5


def test_ctrl_c_withdraws_what_is_not_built_and_tells_what_is(
    lived: LivedChain, settings: Settings
) -> None:
    lived.chain.start()
    eventually(lambda: lived.number >= 1, TIMEOUT_S)
    first = lived.number

    def presses() -> None:
        eventually(lambda: lived.number >= first + 3, TIMEOUT_S)
        os.kill(os.getpid(), signal.SIGINT)

    finger = threading.Thread(target=presses)
    finger.start()
    with pytest.raises(ConfigurationError, match="the others are withdrawn") as told:
        mined(settings, MANY)
    finger.join(TIMEOUT_S)
    counts = re.search(rf"^Interrupted: (\d+) of {MANY} .* newest is (\d+)\.$", str(told.value))
    assert counts is not None
    count, newest = map(int, counts.groups())
    assert 3 <= count < MANY
    assert newest == first + count
    assert not is_asked(lived.connection)


def test_so_many_blocks_are_too_many_at_a_time() -> None:
    refused = CliRunner().invoke(app, ["chain", "mine", str(BLOCKS_MAX + 1)])
    assert refused.exit_code == 1
    assert f"At most {BLOCKS_MAX:,} blocks at a time" in refused.output
