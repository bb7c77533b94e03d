"""Backtests asked for by REST: run like any simulation, to the hash of the command line."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from actors.cli import app
from actors.simulate import runner as simulation_runner
from actors.simulate.asked_runs import GridRun
from actors.simulate.runner import SimulationRunner
from api.desk.scenario_reader import of_backtest
from storage.postgres.database import connect
from storage.runs.sent_log import SentLog
from storage.runs.simulation_runs import note_progress, start_next
from storage.runs.simulations import SimulationSize, SimulationStatus, report
from storage.runs.stored_backtest import read_backtest
from tests.pool_logs import BUSY, DAY, droid_text, sent, written_droid
from tests.simulations import Most, begun, queue_wish, stop, view, with_pool

SEED = 7
SET = 'as_called = true\nbase_fee = "30.25"\n'
GRID = "grid = {maxBots = [3, 5]}"
TEXT = f'swaps = "{DAY}"\n[droid]\n{droid_text(**BUSY)}'
UNBOUNDED = Most()
SENT = SentLog(sent(DAY)["swapsText"], sent(DAY)["startText"])


@pytest.fixture
def database(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(database_url, "test") as connection:
        yield connection


def started(
    database_url: str,
    database: psycopg.Connection[Any],
    text: str = TEXT,
    most: Most = UNBOUNDED,
    swaps: bytes | None = None,
) -> int:
    found = of_backtest(text, SEED, None, swaps)
    of_steps = found.traders, found.markets, found.steps, found.step_us
    number = queue_wish(
        database_url, found.wish, SimulationSize(*of_steps, most.memory_mb, most.wall_s)
    )
    assert start_next(database, 1) == [number]
    return number


def by_the_command_line(tmp_path: Path, *options: str) -> dict[str, Any]:
    droid = written_droid(tmp_path, **BUSY)
    asked = ["--swaps", DAY, "--droid", droid, "--seed", SEED, "--out", tmp_path / "out", "--json"]
    done = CliRunner().invoke(app, ["simulate", "droid", *map(str, asked), *options])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_it_comes_to_the_hash_and_figures_of_the_command_line(
    database_url: str, database: psycopg.Connection[Any], tmp_path: Path
) -> None:
    number = started(database_url, database)
    SimulationRunner(database_url, number).run()
    ended, typed = view(database_url, number), by_the_command_line(tmp_path)
    assert (ended.status, ended.error, ended.name) == ("FINISHED", None, f"droid-{DAY}")
    assert (ended.step, ended.steps, ended.state_hash) == (6877, 6877, typed["state_hash"])
    assert ended.summary is not None
    made = ("command", "made_at", "wall_seconds")
    assert {name: ended.summary[name] for name in typed if name not in made} == {
        name: typed[name] for name in typed if name not in made
    }
    found = with_pool(database_url, lambda pool: report(pool, None, number))
    assert found is not None
    assert found[1] is not None
    assert typed["state_hash"] in found[1].page
    assert f'content="{found[1].policy}"' in found[1].page


def test_options_of_the_command_line_are_the_same_here(
    database_url: str, database: psycopg.Connection[Any], tmp_path: Path
) -> None:
    number = started(database_url, database, SET + TEXT)
    SimulationRunner(database_url, number).run()
    typed = by_the_command_line(tmp_path, "--as-called", "--base-fee", "30.25")
    assert view(database_url, number).state_hash == typed["state_hash"]


def test_a_log_that_was_sent_comes_to_the_hash_of_the_command_line(
    database_url: str, database: psycopg.Connection[Any], tmp_path: Path
) -> None:
    number = started(database_url, database, swaps=SENT.packed())
    SimulationRunner(database_url, number).run()
    ended = view(database_url, number)
    assert ended.name.startswith("droid-sent-")
    assert ended.state_hash == by_the_command_line(tmp_path)["state_hash"]


def test_a_log_that_no_longer_reads_fails_it_with_a_sentence(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    number = started(database_url, database, swaps=SENT.packed())
    bad = replace(SENT, swaps="block\n", called=("swapsText", "startText")).packed()
    database.execute("UPDATE simulations SET history = %s", (bad,))
    SimulationRunner(database_url, number).run()
    failed = view(database_url, number)
    assert failed.status == SimulationStatus.FAILED
    assert (failed.error or "").startswith("swapsText, line 1: the columns must be")


def test_a_grid_ranks_as_the_command_line_does(
    database_url: str, database: psycopg.Connection[Any], tmp_path: Path
) -> None:
    number = started(database_url, database, f"{GRID}\n{TEXT}")
    SimulationRunner(database_url, number).run()
    ended = view(database_url, number)
    typed = by_the_command_line(tmp_path, "--grid", "maxBots=3,5", "--actors", "0")
    assert ended.summary is not None
    assert (ended.status, ended.step) == ("FINISHED", 2 * 6877)
    assert ended.summary["ranked"] == typed["ranked"]
    assert ended.state_hash == ended.summary["state_hash"] == typed["state_hash"]
    assert with_pool(database_url, lambda pool: report(pool, None, number)) == ("FINISHED", None)


def test_a_grid_goes_on_with_what_was_not_done_and_a_stopped_one_ranks_what_was(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    number = started(database_url, database, f"{GRID}\n{TEXT}")
    asked = read_backtest(f"{GRID}\n{TEXT}", SEED)
    first = GridRun(begun(database, number), asked)
    assert first.checkpoint() is None
    first.run(lambda: first.step_no > 6877)
    kept = first.checkpoint()
    assert (first.done, first.step_no, first.checkpoint()) == (False, 6878, None)
    assert kept is not None
    assert [row["rank"] for row in first.left(1.0).summary["ranked"]] == [1]
    next_ = GridRun(replace(begun(database, number), checkpoint=kept), asked)
    assert next_.step_no == 6877
    next_.run(lambda: False)
    whole = GridRun(replace(begun(database, number), checkpoint=b"damaged"), asked)
    whole.run(lambda: False)
    assert next_.done
    assert next_.left(1.0).state_hash == whole.left(1.0).state_hash


def test_one_that_is_stopped_before_its_first_block_has_figures_and_no_report(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    number = started(database_url, database)
    stop(database_url, number)
    SimulationRunner(database_url, number).run()
    ended = view(database_url, number)
    assert (ended.status, ended.step) == (SimulationStatus.STOPPED, 0)
    assert ended.summary is not None
    assert ended.summary["blocks"] == 0
    assert with_pool(database_url, lambda pool: report(pool, None, number)) == ("STOPPED", None)


def test_one_that_is_stopped_on_its_way_has_a_report_of_the_blocks_so_far(
    database_url: str, database: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    number = started(database_url, database)
    noted: list[int] = []

    def stopped_after_some(connection: Any, run: Any, progress: Any) -> bool:
        noted.append(progress.step)
        if progress.step >= 100:
            stop(database_url, number)
        return note_progress(connection, run, progress)

    monkeypatch.setattr(simulation_runner, "NOTE_EVERY_S", 0.0)
    monkeypatch.setattr(simulation_runner, "note_progress", stopped_after_some)
    SimulationRunner(database_url, number).run()
    ended = view(database_url, number)
    assert noted == [*range(101)]
    assert (ended.status, ended.step) == (SimulationStatus.STOPPED, 100)
    assert ended.summary is not None
    assert (ended.summary["blocks"], ended.summary["state_hash"]) == (100, ended.state_hash)
    found = with_pool(database_url, lambda pool: report(pool, None, number))
    assert found is not None
    assert found[1] is not None


def test_one_that_takes_too_long_is_stopped_with_a_sentence(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    number = started(database_url, database, most=Most(wall_s=0))
    SimulationRunner(database_url, number).run()
    ended = view(database_url, number)
    assert ended.status == SimulationStatus.STOPPED
    assert ended.error is not None
    assert "that it may take" in ended.error


def test_a_log_that_is_no_longer_known_fails_it_with_the_names_that_are(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    number = started(database_url, database)
    database.execute("UPDATE simulations SET scenario = replace(scenario, 'usdc', 'gone')")
    SimulationRunner(database_url, number).run()
    failed = view(database_url, number)
    assert failed.status == SimulationStatus.FAILED
    assert failed.error is not None
    assert failed.error.endswith(f"allowed is one of {DAY}")
