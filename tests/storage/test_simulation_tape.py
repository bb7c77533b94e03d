"""What a recorder writes is what it was given, in PostgreSQL and in Parquet."""

from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from sim.record.run import QUOTE, STANDING, TRADE, RunRecord
from sim.stepping.world import Timing
from storage.postgres.copy_rows import HEADER, TRAILER, CopyRows
from storage.runs.parquet_run import ParquetTrades, RunInParquet
from storage.runs.recorded_runs import RunInDatabase
from storage.runs.recorded_trades import DatabaseTrades, TradesMissing
from storage.settings import ConfigurationError
from storage.tables.recordings import RECORDED_TRADES, RecordedQuoteRow, RecordedStandingRow
from tests.parquet_rows import read_rows
from tests.sim.scenario_texts import scenario_of, world_of

LARGEST = 2**63 - 1


def trade_rows(count: int, seed: int = 1) -> np.ndarray:
    print("seed", seed)
    dice = np.random.default_rng(seed)
    rows = np.zeros(count, TRADE)
    for name in TRADE.names or ():
        rows[name] = dice.integers(0, 1_000, count)
    rows["time_us"] = np.arange(count) * 1_000
    return rows


def short_record() -> RunRecord:
    world = world_of(scenario_of(duration_s=1))
    world.run()
    return world.record(Timing())


def stored(url: str, query: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def test_every_width_goes_through_binary_copy_unchanged(database_url: str) -> None:
    columns = CopyRows(
        {"small": "smallint", "medium": "integer", "large": "bigint", "one": "bigint"}
    )
    small = np.array([-(2**15), -1, 0, 2**15 - 1])
    medium, large = small * 2**16, np.array([-LARGEST - 1, -1, 0, LARGEST])
    values: dict[str, np.ndarray | int] = {
        "small": small,
        "medium": medium,
        "large": large,
        "one": 7,
    }
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "CREATE TEMPORARY TABLE given (small smallint, medium int, large bigint, one bigint)"
        )
        with connection.cursor().copy("COPY given FROM STDIN (FORMAT binary)") as copy:
            copy.write(HEADER)
            copy.write(columns.encoded(values, 4))
            copy.write(TRAILER)
        found = connection.execute("SELECT * FROM given").fetchall()
    assert found == list(zip(small.tolist(), medium.tolist(), large.tolist(), [7] * 4, strict=True))


def test_what_does_not_fit_its_column_is_never_cut() -> None:
    columns = CopyRows({"account": "integer"})
    with pytest.raises(OverflowError, match="account does not fit 4 bytes"):
        columns.encoded({"account": np.array([1, 2**31])}, 2)


def test_tables_have_the_columns_of_a_record() -> None:
    trades = {column.name for column in RECORDED_TRADES.columns}
    assert trades == {"run_id", "market_no", "trade_no", *(TRADE.names or ())}
    assert set(RecordedQuoteRow.model_fields) == {"run_id", "market_no", *(QUOTE.names or ())}
    standings = {"run_id", "strategy_no", *(STANDING.names or ())}
    assert set(RecordedStandingRow.model_fields) == standings


def test_trades_given_again_are_written_once_and_a_gap_is_refused(database_url: str) -> None:
    run = RunInDatabase(database_url, "again", scenario_of())
    told = run.recorder(run.begin(0))
    trades = DatabaseTrades(told["database_url"], told["run_id"], told["written"])
    rows = trade_rows(300)
    trades.write(1, 0, rows[:200])
    trades.write(1, 100, rows[100:])
    trades.write(1, 0, rows[:50])
    with pytest.raises(TradesMissing, match="trades 300 to 301 of market 1 are lost"):
        trades.write(1, 301, rows[:10])
    trades.end()
    names = ", ".join(TRADE.names or ())
    query = f"SELECT trade_no, {names} FROM recorded_trades WHERE market_no = 1 ORDER BY trade_no"
    expected = [(number, *row) for number, row in enumerate(rows.tolist())]
    assert stored(database_url, query) == expected
    run.close()


@pytest.mark.parametrize("step", [0, 5])
def test_files_of_a_run_that_were_made_private_stay_so(tmp_path: Path, step: int) -> None:
    for begun_at in (0, step):
        run = RunInParquet(tmp_path, "private", scenario_of())
        told = dict(run.recorder(run.begin(begun_at)))
        del told["to"]
        ParquetTrades(**told).end()
        run.finish(short_record(), 0)
        modes = {path.stat().st_mode & 0o777 for path in tmp_path.glob("*.parquet")}
        for path in tmp_path.glob("*.parquet"):
            path.chmod(0o600)
    assert modes == {0o600}


def test_a_run_is_running_until_its_end_and_is_replaced_by_itself(database_url: str) -> None:
    record, status = short_record(), "SELECT status, trades, state_hash FROM recorded_runs"
    for trades_written in (200, 100):
        run = RunInDatabase(database_url, "twice", scenario_of())
        told = run.recorder(run.begin(0))
        trades = DatabaseTrades(told["database_url"], told["run_id"], told["written"])
        trades.write(0, 0, trade_rows(trades_written))
        assert stored(database_url, status) == [("RUNNING", 0, None)]
        run.finish(record, sum(trades.written))
        trades.end()
        run.close()
        assert stored(database_url, status) == [("COMPLETED", trades_written, record.state_hash)]
        assert stored(database_url, "SELECT count(*) FROM recorded_trades") == [(trades_written,)]


def test_two_processes_do_not_record_one_run(database_url: str) -> None:
    first = RunInDatabase(database_url, "held", scenario_of())
    first.begin(0)
    second = RunInDatabase(database_url, "held", scenario_of())
    with pytest.raises(ConfigurationError, match="Another sandpit is recording the run held"):
        second.begin(0)
    first.close()
    second.begin(0)
    second.close()


def test_a_run_that_goes_on_keeps_what_was_before_its_checkpoint(
    database_url: str, tmp_path: Path
) -> None:
    scenario, rows = scenario_of(), trade_rows(1_000)
    step = 5
    kept = int((rows["time_us"] < step * scenario.step_us).sum())
    for run in (
        RunInDatabase(database_url, "on", scenario),
        RunInParquet(tmp_path, "on", scenario),
    ):
        told = dict(run.recorder(run.begin(0)))
        kind = DatabaseTrades if told.pop("to") == "postgres" else ParquetTrades
        trades = kind(**told)
        trades.write(0, 0, rows)
        trades.end()
        run.finish(short_record(), 1_000)
        run.close()
        written = run.begin(step)
        assert written == [kept, 0]
        told = dict(run.recorder(written))
        del told["to"]
        trades = kind(**told)
        trades.write(0, kept - 10, rows[kept - 10 :])
        trades.end()
        run.finish(short_record(), 1_000)
        run.close()
    query = "SELECT time_us FROM recorded_trades WHERE market_no = 0 ORDER BY trade_no"
    assert [row[0] for row in stored(database_url, query)] == rows["time_us"].tolist()
    found = read_rows(tmp_path / "trades.parquet")
    assert found["trade_no"].tolist() == list(range(1_000))
    for name in TRADE.names or ():
        assert np.array_equal(found[name], rows[name]), name


def test_a_killed_run_leaves_no_parquet_file(tmp_path: Path) -> None:
    run = RunInParquet(tmp_path, "killed", scenario_of())
    told = dict(run.recorder(run.begin(0)))
    del told["to"]
    trades = ParquetTrades(**told)
    trades.write(0, 0, trade_rows(1_000))
    assert not (tmp_path / "trades.parquet").exists()
    trades.end()
    assert not (tmp_path / "trades.parquet").exists()
    run.finish(short_record(), 1_000)
    assert len(read_rows(tmp_path / "trades.parquet")["time_us"]) == 1_000
    assert not list(tmp_path.glob("*.new"))
