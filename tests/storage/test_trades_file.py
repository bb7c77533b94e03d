import gzip
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from storage.trades_file import TradesFileError, read_trades

TICK = Decimal("0.1")
HEADER = "id,price,qty,quote_qty,time,is_buyer_maker\n"
ROWS = (
    "5266583935,61800.30,0.006,370.80180,1723161256322,false\n"
    "5266583936,61800.25,0.199,12298.25970,1723161256344,true\n"
)
BINANCE = Path(__file__).parents[3] / "shared" / "data" / "binance"


def written(directory: Path, text: str, name: str = "trades.csv") -> Path:
    path = directory / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    return path


@pytest.mark.parametrize("name", ["trades.csv", "trades.csv.gz"])
@pytest.mark.parametrize("header", [HEADER, ""])
def test_trades_are_read_exactly_with_or_without_a_header(
    tmp_path: Path, name: str, header: str
) -> None:
    trades = read_trades(written(tmp_path, header + ROWS, name), TICK)
    assert trades.times_us.tolist() == [1_723_161_256_322_000, 1_723_161_256_344_000]
    assert trades.prices_ticks.tolist() == [618_003, 618_003]  # 61800.25: halves go up
    assert trades.quantities_e8.tolist() == [600_000, 19_900_000]
    assert trades.buyer_is_maker.tolist() == [False, True]


def test_spot_files_have_long_decimals_a_seventh_column_and_microseconds(tmp_path: Path) -> None:
    row = "1,61837.63000000,0.02000000,1236.7526000000000000,1723161255342123,True,True\r\n"
    trades = read_trades(written(tmp_path, row), Decimal("0.01"))
    assert trades.times_us.tolist() == [1_723_161_255_342_123]
    assert trades.prices_ticks.tolist() == [6_183_763]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "holds no trades"),
        (HEADER, "holds no trades"),
        (HEADER + "1,abc,1,1,1723161256322,false\n", "line 2: expected id,price"),
        (ROWS + "\n", "line 3: expected id,price"),
        (HEADER + "1,-5,1,1,1723161256322,false\n", "line 2: expected"),
        (HEADER + "1,5,1,1,1723161256322\n", "line 2: expected"),
        (HEADER + "1,5,1,1,1723161256322,maybe\n", "line 2: expected"),
        (HEADER + "1,0.01,1,1,1723161256322,true\n", "line 2: price and quantity must be"),
        (HEADER + "1,5,0,1,1723161256322,true\n", "line 2: price and quantity must be"),
        (ROWS + "3,5,1,1,1723161256343,true\n", "line 3: its time is earlier"),
        ("1," + "9" * 300 + "\n", "line 1: the line is longer than 256 bytes"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence_with_file_and_line(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(TradesFileError) as refused:
        read_trades(path, TICK)
    assert str(refused.value).startswith(str(path))
    assert complaint in str(refused.value)
    assert str(refused.value).count("\n") == 0


def test_a_missing_and_a_damaged_file_are_refused(tmp_path: Path) -> None:
    damaged = written(tmp_path, ROWS, "cut.csv.gz")
    damaged.write_bytes(damaged.read_bytes()[:-12])
    plain = tmp_path / "plain.csv.gz"
    plain.write_text(ROWS)
    for path in (tmp_path / "nowhere.csv", damaged, plain, tmp_path):
        with pytest.raises(TradesFileError, match="cannot be read"):
            read_trades(path, TICK)


def test_a_file_of_too_many_trades_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TradesFileError, match="line 2: more than 1 trades"):
        read_trades(written(tmp_path, ROWS), TICK, trades_max=1)


@pytest.mark.skipif(not BINANCE.is_dir(), reason="the sample of real trades is not here")
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("BTCUSDT-PERP-trades-2024-08-08.csv.gz", 21_313),
        ("BTCUSDT-trades-2024-08-08.csv.gz", 9_757),
        ("ETHUSDT-PERP-trades-2024-08-08.csv.gz", 14_076),
        ("ETHUSDT-trades-2024-08-08.csv.gz", 6_106),
    ],
)
def test_real_trades_are_read_whole(name: str, count: int) -> None:
    trades = read_trades(BINANCE / name, Decimal("0.01"))
    assert len(trades) == count
    assert np.all(np.diff(trades.times_us) >= 0)
    assert 250_000 < trades.prices_ticks.min() <= trades.prices_ticks.max() < 6_300_000
