from pathlib import Path

import pytest

from actors.simulate.options import earlier_wall_s, reference_of, refuse_unwritable, seconds_of
from actors.simulate.worlds import SimulateError
from sim.market import BTC_PERP
from storage.runs.run_directory import RunDirectory
from tests.markets import ETH_PERP

HEADER = "id,price,qty,quote_qty,time,is_buyer_maker\n"
TRADE = "1,3500.5,0.25,875,1723161000000,false\n"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("10m", 600), ("2h", 7_200), ("1d", 86_400), ("31d", 2_678_400)],
)
def test_a_duration_is_a_number_and_the_letter_of_its_unit(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "0", "0m", "-5", "1.5h", "32d", "10 min", "h", "٣m", "9" * 30]
)
def test_any_other_duration_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(SimulateError, match="allowed is a whole number of seconds") as refused:
        seconds_of(text)
    assert "10m, 2h or 1d, from 1s to 31d." in str(refused.value)


def test_no_duration_is_the_scenario_s_own() -> None:
    assert seconds_of(None) is None


@pytest.mark.parametrize(
    ("name", "markets"),
    [("ETHUSDT-trades.csv", ("ETH-PERP",)), ("mine.csv", ("BTC-PERP", "ETH-PERP"))],
)
def test_real_trades_stand_beside_the_market_that_their_file_is_named_after(
    tmp_path: Path, name: str, markets: tuple[str, ...]
) -> None:
    path = tmp_path / name
    path.write_text(HEADER + TRADE)
    reference = reference_of(path, [BTC_PERP, ETH_PERP])
    assert reference is not None
    assert (reference.file, reference.market_ids) == (name, markets)
    assert reference.facts.table.trades == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (HEADER, "holds no trades"),
        (HEADER + "1,0,1,0,1723161000000,true\n", "line 2: price and quantity must be greater"),
        ("<html>", "line 1: expected id,price,qty"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_file_without_trades_is_one_sentence(
    tmp_path: Path, content: str | None, sentence: str
) -> None:
    path = tmp_path / "trades.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SimulateError, match=sentence) as refused:
        reference_of(path, [BTC_PERP])
    assert str(refused.value).startswith(f"--compare: {path}")


def test_a_directory_that_cannot_hold_results_is_refused_and_one_that_can_stays_as_it_was(
    tmp_path: Path,
) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    for path, sentence in (
        (file, "is a file, the results need a directory"),
        (file / "below", "cannot be written: Not a directory"),
        (Path("/proc/nowhere"), "cannot be written: "),
    ):
        with pytest.raises(SimulateError, match=sentence):
            refuse_unwritable(RunDirectory(path))
    refuse_unwritable(RunDirectory(tmp_path))
    refuse_unwritable(RunDirectory(tmp_path / "new"))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_parents_that_were_made_to_try_are_gone_and_those_that_were_there_stay(
    tmp_path: Path,
) -> None:
    there = tmp_path / "there"
    there.mkdir()
    refuse_unwritable(RunDirectory(there / "new" / "below"))
    assert list(tmp_path.rglob("*")) == [there]
    with pytest.raises(SimulateError, match="cannot be written: File name too long"):
        refuse_unwritable(RunDirectory(there / "new" / ("x" * 300)))
    assert list(tmp_path.rglob("*")) == [there]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ('{"wall_seconds": 2.5}', 2.5),
        ('{"wall_seconds": 1' + "0" * 400 + "}", 0.0),
        ('{"wall_seconds": -1}', 0.0),
        ('{"wall_seconds": NaN}', 0.0),
        ("[" * 5_000 + "]" * 5_000, 0.0),
    ],
)
def test_a_summary_that_says_no_time_counts_for_none(
    tmp_path: Path, said: str, seconds: float
) -> None:
    (tmp_path / "summary.json").write_text(said)
    assert earlier_wall_s(tmp_path) == seconds
