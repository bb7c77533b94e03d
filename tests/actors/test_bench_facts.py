"""`sandpit bench facts`: a column a seed, a row a fact, real trades beside it."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from actors.bench.facts import bench_facts, run_tables, show, simulated_tables
from sim.facts.stylized import FACTS


def test_every_seed_and_every_file_has_a_column(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trades = tmp_path / "BTCUSDT-trades-2024-08-08.csv"
    trades.write_text("1,60000.10,0.5,1,1700000000000,true\n2,60001,0.5,1,1700000001000,false\n")
    assert bench_facts("calm", 7, 2, 10, [trades]) == 0
    said = capsys.readouterr().out
    for word in ("BTC-PERP", "7", "8", "0/2"):
        assert word in said


def test_a_row_says_in_how_many_runs_a_fact_holds() -> None:
    tables = simulated_tables("calm", range(1, 3), 5)["BTC-PERP"]
    said = StringIO()
    show(Console(file=said, width=200), "calm", tables, tables[:1])
    lines = said.getvalue().splitlines()
    for fact in FACTS:
        [line] = [line for line in lines if fact.name in line]
        assert "0/2" in line


def test_the_same_seed_gives_the_same_table() -> None:
    assert list(run_tables("calm", 3, 5)) == list(run_tables("calm", 3, 5))


def test_what_is_not_there_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench_facts("no-such", 1, 1, 5, []) == 1
    assert "not one of the scenarios" in capsys.readouterr().err.replace("\n", " ")
    assert bench_facts("calm", 1, 1, 5, [tmp_path / "no.csv"]) == 1
