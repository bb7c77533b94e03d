"""`sandpit db`, as a person types it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from actors.cli import app
from storage.upkeep.kept import DAY_US, HOUR_US
from tests.actors.house import MARKET
from tests.builders import listed_markets
from tests.waiting import PROGRAM_S_MAX

ROOT = Path(__file__).parents[2]
TRADES = 3_000


@pytest.fixture
def database(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[psycopg.Connection[tuple[int]]]:
    """With a tape of which half is a day old and half a week."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    connection = psycopg.connect(database_url, autocommit=True)
    listed_markets(connection)
    now_us = time.time_ns() // 1_000
    connection.execute(
        "INSERT INTO trades (market_id, event_seq, price_ticks, quantity_lots, taker_side,"
        " created_at_us) SELECT %s, n, 5991, 1, 1, CASE WHEN n <= %s THEN %s ELSE %s END"
        " FROM generate_series(1, %s) AS n",
        (MARKET, TRADES // 2, now_us - 7 * DAY_US, now_us - DAY_US, TRADES),
    )
    yield connection
    connection.close()


def sandpit(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["db", *arguments])


def trades_in(database: psycopg.Connection[tuple[int]]) -> int:
    row = database.execute("SELECT count(*) FROM trades").fetchone()
    assert row is not None
    return row[0]


def test_prune_says_what_goes_and_takes_it(database: psycopg.Connection[tuple[int]]) -> None:
    asked = sandpit("prune", "--dry-run")
    assert (
        asked.output
        == "Of what is kept no longer (history: 48 hours) would go, in rows: trades 1,500.\n"
    )
    assert trades_in(database) == TRADES
    done = sandpit("prune")
    assert (
        done.output
        == "Of what is kept no longer (history: 48 hours) have gone, in rows: trades 1,500.\n"
    )
    assert trades_in(database) == TRADES // 2
    assert sandpit("prune").output == "Nothing has to go: history is kept for 48 hours.\n"
    assert database.execute("SELECT failures FROM upkeep").fetchone() == (0,)


def test_how_long_history_is_kept_can_be_set(
    database: psycopg.Connection[tuple[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANDPIT_HISTORY_HOURS", "200")
    assert sandpit("prune").output == "Nothing has to go: history is kept for 200 hours.\n"
    monkeypatch.setenv("SANDPIT_HISTORY_HOURS", "0")
    assert sandpit("prune").exit_code == 1
    assert trades_in(database) == TRADES


def test_size_tells_rows_bytes_growth_and_age(
    database: psycopg.Connection[tuple[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    database.execute("VACUUM ANALYZE trades")
    a_day_ago_us = time.time_ns() // 1_000 - 24 * HOUR_US
    database.execute(
        "INSERT INTO table_sizes SELECT %s, 'trades', pg_total_relation_size('trades') - 4321",
        (a_day_ago_us,),
    )
    lines = [line.split() for line in sandpit("size").output.splitlines()]
    (told,) = [line for line in lines if line[0] == "trades"]
    (size,) = database.execute("SELECT pg_total_relation_size('trades')").fetchall()[0]
    assert told[1:4] == ["3,000", f"{size:,}", "+4,320"]
    week_ago = time.gmtime(time.time() - 7 * 24 * 3_600)
    assert told[4] == time.strftime("%Y-%m-%d", week_ago)


def test_url_and_shell_reach_the_database(
    database: psycopg.Connection[tuple[int]], database_url: str
) -> None:
    assert sandpit("url").stdout.splitlines()[0] == database_url
    shell = subprocess.run(
        [sys.executable, "-m", "actors.cli", "db", "shell"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url},
        input="SELECT count(*) + 42 FROM trades;\n",
        capture_output=True,
        text=True,
        check=True,
        timeout=PROGRAM_S_MAX,
    )
    assert str(TRADES + 42) in shell.stdout


def test_a_directory_without_a_database_is_told_and_stays_as_it_is(tmp_path: Path) -> None:
    for name in ("prune", "size", "url", "shell"):
        done = sandpit(name, "--data-dir", str(tmp_path / "none"))
        assert done.exit_code == 1
        assert "No sandpit has run in" in done.stderr
    assert not (tmp_path / "none").exists()
