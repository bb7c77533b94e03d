"""What `simulate --to` leaves is what the run's own record holds, whatever happens on the way."""

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from typer.testing import CliRunner, Result

from actors.cli import app
from actors.simulate.recorder_process import QUEUED_CHUNKS_MAX, RecorderProcess, RecordingFailed
from actors.simulate.recording import Recording, run_name, way_in
from sim.record.run import QUOTE, STANDING, TRADE, RunRecord
from sim.scenario.scenario import Scenario
from sim.stepping.world import SimulatedWorld, Timing
from storage.runs.parquet_run import RunInParquet
from storage.runs.recorded_runs import RunInDatabase
from storage.servers.kept_database import kept_database
from storage.settings import Settings
from tests.parquet_rows import read_rows
from tests.sim.scenario_texts import EVERYONE, HEAD, prices_of, scenario_of, world_of
from tests.waiting import eventually

ALONE = ("--actors", "0", "--json")
LONG_S, UNDER_WAY, STARTED_S_MAX = 3_000, 2_000, 60.0

Stored = dict[str, np.ndarray]


def recorded(world: Any, recording: Recording, until: int | None = None) -> tuple[RunRecord, bytes]:
    """Run and record up to a step; the record, and a checkpoint as Ctrl-C leaves it."""
    recording.begin(world)
    world.run(until, lambda: recording.look(world))
    recording.settle()
    checkpoint, record = world.checkpoint(), world.record(Timing())
    recording.finish(record)
    recording.close()
    assert recording.failure is None
    assert recording.figures["trades"] == record.fills
    return record, checkpoint


def in_database(url: str, scenario: Scenario) -> Recording:
    return Recording(RunInDatabase(url, run_name(scenario), scenario), "postgres", "test", 1)


def in_parquet(directory: Path, scenario: Scenario) -> Recording:
    return Recording(RunInParquet(directory, "test", scenario), "parquet", "test", 1)


def database_rows(url: str, table: str) -> Stored:
    """All columns, in the order of a record."""
    with psycopg.connect(url) as connection:
        cursor = connection.execute(f"SELECT * FROM recorded_{table}")
        names = [column.name for column in cursor.description or ()]
        rows = np.array(cursor.fetchall(), np.int64).reshape(-1, len(names))
    return dict(zip(names, rows.T, strict=True))


def equal(stored: Stored, key: str, order: str, tables: list[np.ndarray], dtype: Any) -> bool:
    """Whether every column of every table is what is stored, in its order."""
    assert len(stored[key]) == sum(map(len, tables)) > 0
    for number, rows in enumerate(tables):
        mine = stored[key] == number
        places = np.flatnonzero(mine)[np.argsort(stored[order][mine], kind="stable")]
        if order == "trade_no":
            assert stored[order][places].tolist() == list(range(len(rows)))
        for name in dtype.names:
            assert np.array_equal(stored[name][places], rows[name]), (number, name)
    return True


def holds(record: RunRecord, read: Callable[[str], Stored]) -> bool:
    trades = [market.trades for market in record.markets]
    quotes = [market.quotes for market in record.markets]
    standings = [strategy.standings for strategy in record.strategies]
    return (
        equal(read("trades"), "market_no", "trade_no", trades, TRADE)
        and equal(read("quotes"), "market_no", "time_us", quotes, QUOTE)
        and equal(read("standings"), "strategy_no", "time_us", standings, STANDING)
    )


def test_postgres_holds_every_row_of_the_record(database_url: str) -> None:
    scenario = scenario_of()
    record, _ = recorded(world_of(scenario), in_database(database_url, scenario))
    assert holds(record, lambda table: database_rows(database_url, table))
    with psycopg.connect(database_url) as connection:
        run = connection.execute(
            "SELECT name, seed, status, steps, fills, trades, state_hash, markets"
            " FROM recorded_runs"
        ).fetchone()
    assert run is not None
    fills, done = record.fills, ("COMPLETED", record.steps)
    assert run[:7] == (run_name(scenario), 1, *done, fills, fills, record.state_hash)
    assert [market["id"] for market in json.loads(run[7])] == ["BTC-PERP", "ETH-PERP"]


def test_parquet_holds_every_row_of_the_record(tmp_path: Path) -> None:
    scenario = scenario_of()
    record, _ = recorded(world_of(scenario), in_parquet(tmp_path, scenario))
    assert holds(record, lambda table: read_rows(tmp_path / f"{table}.parquet"))


@pytest.mark.parametrize("to", ["postgres", "parquet"])
def test_interrupted_and_resumed_is_as_uninterrupted(
    database_url: str, tmp_path: Path, to: str
) -> None:
    scenario = scenario_of()

    def recording() -> Recording:
        if to == "postgres":
            return in_database(database_url, scenario)
        return in_parquet(tmp_path, scenario)

    def read(table: str) -> Stored:
        if to == "postgres":
            return database_rows(database_url, table)
        return read_rows(tmp_path / f"{table}.parquet")

    partial, checkpoint = recorded(world_of(scenario), recording(), until=25)
    assert partial.steps == 25
    assert holds(partial, read)
    recorded(resumed(scenario, checkpoint), recording(), until=40)  # forgotten by the next
    record, _ = recorded(resumed(scenario, checkpoint), recording())
    whole = world_of(scenario)
    whole.run()
    assert record.state_hash == whole.state_hash()
    assert holds(record, read)


def resumed(scenario: Scenario, checkpoint: bytes) -> SimulatedWorld:
    world = world_of(scenario)
    world.resume(checkpoint)
    return world


def test_trades_that_a_lost_recorder_had_not_written_come_from_the_checkpoint(
    database_url: str,
) -> None:
    scenario = scenario_of()
    world, recording = world_of(scenario), in_database(database_url, scenario)
    recording.begin(world)
    world.run(20)
    recording.close()  # as kill -9 would
    recording.settle()
    assert recording.failure == "the recorder has ended"
    record, _ = recorded(resumed(scenario, world.checkpoint()), in_database(database_url, scenario))
    assert holds(record, lambda table: database_rows(database_url, table))


def test_a_full_queue_makes_the_run_wait_and_says_so(database_url: str) -> None:
    scenario = scenario_of()
    run = RunInDatabase(database_url, "waits", scenario)
    recorder = RecorderProcess(run.recorder(run.begin(0)), TRADE)
    rows = np.zeros(10, TRADE)
    with psycopg.connect(database_url) as connection:
        connection.execute("LOCK TABLE recorded_trades_1")
        for number in range(QUEUED_CHUNKS_MAX):
            recorder.put([0], [(10 * number, rows)])
        assert recorder.waits == 0
    recorder.put([0], [(10 * QUEUED_CHUNKS_MAX, rows)])
    recorder.flush()
    assert recorder.end()[0] == [10 * (QUEUED_CHUNKS_MAX + 1), 0]
    recorder.stop()
    with pytest.raises(RecordingFailed):
        recorder.put([0], [(0, rows)])
    run.close()


@pytest.mark.ray
@pytest.mark.slow
def test_actors_record_the_same_also_when_one_is_killed(
    ray_session: str, database_url: str
) -> None:
    import ray

    from actors.simulate.spread_world import SpreadWorld

    scenario = scenario_of()
    world = SpreadWorld(scenario, prices_of(scenario), 1, checkpoint_steps=20)
    recording = in_database(database_url, scenario)
    recording.begin(world)
    world.run(35, lambda: recording.look(world))
    ray.kill(world.markets[0])
    world.run(None, lambda: recording.look(world))
    recording.settle()
    record = world.record(Timing())
    recording.finish(record)
    recording.close()
    world.stop()
    assert (recording.failure, world.restarts) == (None, 1)
    assert holds(record, lambda table: database_rows(database_url, table))


@pytest.fixture
def scenario_file(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(HEAD.format(seed=3, duration_s=LONG_S) + EVERYONE)
    return path


def rows_recorded(connection: psycopg.Connection[Any]) -> int:
    """Trades of all runs so far."""
    found = connection.execute("SELECT count(*) FROM recorded_trades").fetchone()
    return 0 if found is None else int(found[0])


def test_a_database_that_goes_away_ends_the_run_and_leaves_its_checkpoint(
    scenario_file: Path, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    out = tmp_path / "out"
    with psycopg.connect(database_url, autocommit=True) as connection:

        def take_away() -> None:
            eventually(lambda: rows_recorded(connection) > UNDER_WAY, STARTED_S_MAX)
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name LIKE 'sandpit-record%'"
            )

        thief = threading.Thread(target=take_away)
        thief.start()
        done = invoked(scenario_file, "--to", "postgres", "--out", out)
        thief.join(STARTED_S_MAX)
        status = connection.execute("SELECT status FROM recorded_runs").fetchone()
    assert done.exit_code == 1
    assert done.stderr.startswith("sandpit: --to postgres: ")
    assert done.stderr.endswith(f"; go on with --resume {out}.\n")
    assert done.stderr.count("\n") == 1
    assert (out / "checkpoint.bin").exists()
    assert status == ("RUNNING",)


def test_ctrl_c_keeps_what_was_recorded_up_to_the_checkpoint(
    scenario_file: Path, tmp_path: Path, database_url: str
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "actors.cli", "simulate", str(scenario_file), *ALONE]
    with (
        subprocess.Popen(
            [*command, "--to", "postgres", "--out", str(out)],
            env={**os.environ, "DATABASE_URL": database_url},
            stdout=subprocess.DEVNULL,
        ) as process,
        psycopg.connect(database_url, autocommit=True) as connection,
    ):
        try:
            eventually(lambda: rows_recorded(connection) > UNDER_WAY, STARTED_S_MAX)
            process.send_signal(signal.SIGINT)
            assert process.wait(STARTED_S_MAX) == 130
        finally:
            process.kill()
        run = connection.execute("SELECT status, trades FROM recorded_runs").fetchone()
        rows = rows_recorded(connection)
    summary = json.loads((out / "summary.json").read_text())
    assert run == ("INTERRUPTED", rows)
    assert summary["recording"]["trades"] == summary["fills"] == rows


def test_whoever_records_to_our_own_server_is_told_how_to_look_inside(
    scenario_file: Path, servers_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    data_dir, out = servers_path / "our data", servers_path / "out"
    wish = (scenario_file, "--duration", "1s", "--out", out, "--data-dir", data_dir)
    done = CliRunner().invoke(app, ["simulate", *map(str, wish), "--to", "postgres"])
    assert done.exit_code == 0, done.stderr
    command = f"sandpit db shell --data-dir '{data_dir}'"
    assert f"look inside: {command}\n" in done.stdout
    summary = json.loads((out / "summary.json").read_text())
    assert summary["recording"]["look_inside"] == command
    settings = Settings.load(data_dir=Path(shlex.split(command)[-1]))
    with kept_database(settings) as url, psycopg.connect(url) as connection:
        assert rows_recorded(connection) == summary["fills"]


def test_of_a_database_of_ones_own_the_way_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://user@127.0.0.1:1/theirs")
    assert way_in(Settings.load(data_dir=tmp_path)) is None


def test_without_its_server_nothing_starts(
    scenario_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/nothing")
    for to, sentence in (
        ("postgres", "The PostgreSQL that DATABASE_URL names cannot be used"),
        ("tape", "--to: found 'tape', allowed is one of parquet, postgres"),
    ):
        done = invoked(scenario_file, "--to", to, "--out", tmp_path / "out")
        assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
        assert sentence in done.stderr
    assert not (tmp_path / "out").exists()


def invoked(*arguments: object) -> Result:
    """`simulate` in this process."""
    return CliRunner().invoke(app, ["simulate", *map(str, arguments), *ALONE])
