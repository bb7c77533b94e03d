"""Logs of pools and droids as files: read whole, or refused with the place and what is allowed."""

import gzip
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sim.backtest.log import LoggedSwap
from sim.chain.known_pools import POOLS
from sim.droid.config import GWEI_WEI
from sim.scenario.fields import ScenarioError
from storage.files.droid_file import read_droid
from storage.files.swap_log_file import COLUMNS, SwapLogError, read_swap_log
from tests.pool_logs import DAY, MORNING, packed, unpacked, written_droid


@pytest.mark.parametrize(("name", "rows"), [(DAY, 282), (MORNING, 3100)])
def test_a_log_reads_the_same_packed_and_plain(tmp_path: Path, name: str, rows: int) -> None:
    plain, log = read_swap_log(unpacked(name, tmp_path)), read_swap_log(packed(name))
    assert plain == log
    assert (log.name, len(log.rows)) == (name, rows)


def test_the_documents_pool_is_known_and_another_is_not() -> None:
    assert read_swap_log(packed(DAY)).pool == POOLS[42]
    other = read_swap_log(packed(MORNING)).pool
    assert (other.pool_id, other.fee_pips, other.tick_spacing) == (0, 500, 10)
    assert other.terms.quote_is_token0


def changed_row(tmp_path: Path, **changes: str) -> Path:
    """The day's log with other fields in its second row, line 3."""
    path = unpacked(DAY, tmp_path)
    lines = path.read_text().splitlines()
    fields = dict(zip(COLUMNS, lines[2].split(","), strict=True)) | changes
    lines[2] = ",".join(fields[name] for name in COLUMNS)
    path.write_text("\n".join(lines) + "\n")
    return path


BAD_ROWS = [
    ({"op": "flash"}, "op: found 'flash', allowed is one of swap, mint, burn, collect"),
    ({"kind": ""}, "kind: found '', allowed is one of in, out, limit"),
    ({"block": "1e9"}, "block: found '1e9', allowed is a whole number from 1 to 1000000000000"),
    ({"block": "18937551"}, "block and log_index must be behind those of the line before"),
    ({"block": "99937569"}, "the log goes through more than 3000000 blocks"),
    ({"time": "1704414863"}, "time must be one in each block, and later in a later block"),
    ({"amount_specified": "0"}, "amount_specified: found 0, allowed is any other whole number"),
    ({"amount0": "12"}, "allowed is one into the pool (positive), one out of it"),
    ({"sqrt_price_x96": "9" * 90}, "sqrt_price_x96: found '99999"),
    ({"sqrt_price_limit": "-1"}, "sqrt_price_limit: found '-1', allowed is a whole number from"),
    ({"op": "mint", "owner": "0x12"}, "owner: found '0x12', allowed is 0x and 40 hexadecimal"),
    ({"tick": "1,2"}, "found 18 fields, allowed are 17"),
    ({"tx_hash": "a" * 3000}, "the line is longer than 2000 characters"),
]


@pytest.mark.parametrize(("changes", "said"), BAD_ROWS)
def test_a_bad_row_is_refused_with_its_line(
    tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    path = changed_row(tmp_path, **changes)
    with pytest.raises(SwapLogError) as refused:
        read_swap_log(path)
    assert str(refused.value).startswith(f"{path}, line 3: ")
    assert said in str(refused.value)
    assert len(str(refused.value)) < 500


def test_ticks_are_multiples_of_the_pools_spacing(tmp_path: Path) -> None:
    owner = {"op": "mint", "owner": "0x" + "1a" * 20, "tick_lower": "60", "tick_upper": "70"}
    with pytest.raises(SwapLogError, match="tick_upper: found '70', allowed is a multiple of"):
        read_swap_log(changed_row(tmp_path, **owner))
    with pytest.raises(SwapLogError, match="tick_upper: found '60', allowed is a tick above"):
        read_swap_log(changed_row(tmp_path, **owner | {"tick_upper": "60"}))


def test_other_columns_no_rows_and_no_start_are_refused(tmp_path: Path) -> None:
    path = unpacked(DAY, tmp_path)
    head = path.read_text().splitlines()[0]
    path.write_text(f"{head}\n")
    with pytest.raises(SwapLogError, match="has no rows, allowed is at least one"):
        read_swap_log(path)
    path.write_text("block,time\n1,2\n")
    with pytest.raises(SwapLogError, match="line 1: the columns must be block,time,tx_hash"):
        read_swap_log(path)
    path.with_name(f"{DAY}.start.json").unlink()
    with pytest.raises(SwapLogError, match=f"allowed is {DAY}.start.json or .*gz beside it"):
        read_swap_log(path)


def test_a_broken_or_missing_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = unpacked(DAY, tmp_path)
    path.write_bytes(gzip.compress(path.read_bytes())[:-40])
    with pytest.raises(SwapLogError, match="cannot be read"):
        read_swap_log(path)
    path.unlink()
    with pytest.raises(SwapLogError, match="cannot be read: No such file or directory"):
        read_swap_log(path)


Change = Callable[[dict[str, Any]], object]
BAD_STARTS: list[tuple[Change, str]] = [
    (lambda said: said.update(fee=0), "fee: found 0, allowed is a whole number from 1 to 999999"),
    (lambda said: said.update(more=1), "more: there is no such field here, only pool, fee"),
    (lambda said: said["token0"].update(decimals=18), "token0.decimals: found 18, allowed is"),
    (lambda said: said["token1"].update(address="0x" + "00" * 20), "one of USDC, WETH, USDT"),
    (lambda said: said.update(token1=said["token0"]), "allowed is WETH and a dollar"),
    (lambda said: said["start"].update(sqrtPriceX96="1"), "start.sqrtPriceX96: found"),
    (lambda said: said["start"].update(tick=7), "start.tick: found 7, allowed is 199032"),
    (lambda said: said["start"].update(liquidity="7"), "start.liquidity: found 7, allowed is 5876"),
    (lambda said: said["start"]["positions"].append([1]), "start.positions[16]: found"),
    (lambda said: said["start"]["positions"].append(["a", 0, 61, "1"]), "multiples of 60"),
    (lambda said: said["start"]["positions"].append(["a", 0, 60, "0"]), "liquidity above 0"),
    (
        lambda said: said["start"]["positions"].append(["a", 0, 60, str(2**127 - 1)]),
        "no pool has these positions at this price: LO",
    ),
]


@pytest.mark.parametrize(("change", "said"), BAD_STARTS)
def test_a_bad_start_is_refused_with_its_field(tmp_path: Path, change: Change, said: str) -> None:
    path = unpacked(DAY, tmp_path)
    start = path.with_name(f"{DAY}.start.json")
    document = json.loads(start.read_text())
    change(document)
    start.write_text(json.dumps(document))
    with pytest.raises(SwapLogError) as refused:
        read_swap_log(path)
    assert str(refused.value).startswith(f"{start}: ")
    assert said in str(refused.value)


def test_a_tiny_swap_goes_where_its_other_amount_says(tmp_path: Path) -> None:
    path = changed_row(tmp_path, amount0="0", amount1="-3")
    swap = read_swap_log(path).rows[1].what
    assert isinstance(swap, LoggedSwap)
    assert swap.order.zero_for_one


def test_a_droids_file_is_a_request_in_toml(tmp_path: Path) -> None:
    config = read_droid(written_droid(tmp_path)).config(POOLS[42].terms, {"max_bots": 7})
    assert (config.max_bots, config.funding_usd) == (7, Decimal(50_000))
    assert config.derivative_threshold == Decimal("0.01")
    assert config.priority_per_gas_wei == GWEI_WEI
    assert config.gas_budget_usd is None


BAD_DROIDS = [
    ({"maxBots": "500"}, "line 6: maxBots: must be at least 1 and at most 100"),
    ({"triggerType": '"EMU"'}, "line 2: triggerType: must be one of EMA, SPOT, TWAP"),
    ({"fundingUSD": "nan"}, "line 1: fundingUSD: must be a number above 0"),
    ({"txPriority": "60"}, "line 10: txPriority: must be at most maxGasPrice, which is 50"),
    ({"minPrice": "3990"}, "as in minPrice"),
]


@pytest.mark.parametrize(("changes", "said"), BAD_DROIDS)
def test_a_bad_field_of_a_droid_is_told_with_its_line(
    tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    path = written_droid(tmp_path, **changes)
    with pytest.raises(ScenarioError) as refused:
        read_droid(path).config(POOLS[42].terms, {})
    assert str(refused.value).startswith(f"{path}, line ")
    assert said in str(refused.value)


def test_an_unknown_field_is_told_with_the_nearest(tmp_path: Path) -> None:
    path = written_droid(tmp_path)
    path.write_text(path.read_text() + "maxBot = 3\n")
    with pytest.raises(ScenarioError, match=r"line 15: maxBot: unknown, .*\(nearest: maxBots\)"):
        read_droid(path)
    path.write_text("fundingUSD = \n")
    with pytest.raises(ScenarioError, match="not TOML"):
        read_droid(path)
    path.write_text("#" * 200_000)
    with pytest.raises(ScenarioError, match="larger than 100000 bytes"):
        read_droid(path)
    with pytest.raises(ScenarioError, match="cannot be read"):
        read_droid(tmp_path)
