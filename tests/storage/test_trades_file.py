import gzip
import io
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from storage.files.trades_file import TradesFileError, read_traded, read_trades

TICK = Decimal("0.1")
HEADER = "id,price,qty,quote_qty,time,is_buyer_maker\n"
ROWS = (
    "5266583935,61800.30,0.006,370.80180,1723161256322,false\n"
    "5266583936,61800.25,0.199,12298.25970,1723161256344,true\n"
)
BINANCE = Path(__file__).parents[3] / "shared" / "data" / "binance"


def written(directory: Path, text: str, name: str = "trades.csv") -> Path:
    path = directory / name
    packers: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "zip": zipped}
    pack = packers.get(name.lower().rpartition(".")[2], bytes)
    path.write_bytes(pack(text.encode()))
    return path


def zipped(*contents: bytes) -> bytes:
    """As Binance packs its files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(contents):
            archive.writestr(f"BTCUSDT-trades-{number}.csv", content)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["trades.csv", "trades.csv.gz", "T.CSV.GZ", "trades.zip"])
@pytest.mark.parametrize("header", [HEADER, "", "\ufeff", "\ufeff" + HEADER])
def test_trades_are_read_exactly_with_or_without_a_header(
    tmp_path: Path, name: str, header: str
) -> None:
    trades = read_trades(written(tmp_path, header + ROWS + "\n", name), TICK)
    assert not trades.are_candles
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
        (ROWS + "\n\r\n" + ROWS, "line 3: the line is empty"),
        (ROWS + "1,5,1,1,1,1723161256400,true\n", "line 3: expected id,price"),
        ("a,b\n", "line 1: expected id,price,qty,quote_qty,time,is_buyer_maker or agg_trade_id"),
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
    zip_file = tmp_path / "cut.zip"
    zip_file.write_bytes(zipped(ROWS.encode())[:-30])
    spoilt = tmp_path / "spoilt.zip"
    spoilt.write_bytes(zipped(ROWS.encode()).replace(zipped(ROWS.encode())[60:64], b"\0\1\2\3", 1))
    for path in (tmp_path / "nowhere.csv", damaged, zip_file, spoilt, tmp_path):
        with pytest.raises(TradesFileError, match="cannot be read"):
            read_trades(path, TICK)


def test_an_archive_of_several_files_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "two.zip"
    path.write_bytes(zipped(ROWS.encode(), ROWS.encode()))
    with pytest.raises(TradesFileError, match="must hold one file"):
        read_trades(path, TICK)


AGGREGATED = (
    "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"
    "2261800000,61800.30,0.006,5266583935,5266583937,1723161256322,true\n"
)


@pytest.mark.parametrize("text", [AGGREGATED, AGGREGATED.replace("true\n", "True,True\n")])
def test_aggregated_trades_are_trades(tmp_path: Path, text: str) -> None:
    for whole in (text, text.partition("\n")[2]):
        trades = read_trades(written(tmp_path, whole), TICK)
        assert trades.times_us.tolist() == [1_723_161_256_322_000]
        assert trades.prices_ticks.tolist() == [618_003]
        assert trades.quantities_e8.tolist() == [600_000]
        assert trades.buyer_is_maker.tolist() == [True]


CANDLES = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
    "taker_buy_quote_volume,ignore\n"
    "1723161240000,61800.1,61810.0,61790.5,61805.2,12.5,1723161299999,772500.1,900,6.1,1000.5,0\n"
    "1723161300000,61805.2,61811.0,61800.0,61809.9,9.25,1723161359999,571000.7,810,4.4,900.25,0\n"
)


def test_candles_are_prices_at_their_open_and_their_close_and_no_trades(tmp_path: Path) -> None:
    path = written(tmp_path, CANDLES)
    prices = read_trades(path, TICK)
    assert prices.are_candles
    assert prices.prices_ticks.tolist() == [618_001, 618_052, 618_052, 618_099]
    assert prices.times_us.tolist()[:2] == [1_723_161_240_000_000, 1_723_161_299_999_000]
    with pytest.raises(TradesFileError, match="holds candles, allowed here are trades"):
        read_traded(path, TICK)


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
