"""A real pool's log, lived again from its first line: for `sandpit bench pool --log FILE.csv.gz`.

FILE.csv.gz has a line for each event, FILE.start.json.gz beside it the pool as it stood before. The
opening is not timed, the rest is one batch. All amounts must be those of the log.
"""

import csv
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import process_time_ns
from typing import Any

from sim.fast_pool.engine import (
    Answer,
    Asked,
    AskedBurn,
    AskedCollect,
    AskedMint,
    AskedSwap,
    FastPool,
    answers_of,
    batch_of,
)
from sim.pool.pool import Pool
from sim.pool.positions import PositionKey
from sim.pool.swapping import Order
from sim.pool.words import Pair

LOG_ENDING, START_ENDING = ".csv.gz", ".start.json.gz"
EVERYTHING = (2**128 - 1, 2**128 - 1)


@dataclass(frozen=True)
class Log:
    """A pool with its first price, the mints that it stands with, and what was asked of it then."""

    pool: Pool
    opening: list[Asked]
    asked: list[Asked]
    amounts: list[Pair]


def read_log(file: Path) -> Log:
    start_file = file.with_name(file.name.removesuffix(LOG_ENDING) + START_ENDING)
    described = json.loads(gzip.decompress(start_file.read_bytes()))
    rows = list(csv.DictReader(gzip.decompress(file.read_bytes()).decode().splitlines()))
    time_s, start = int(rows[0]["time"]), described["start"]
    pool = Pool(described["fee"], described["tickSpacing"])
    pool.initialize(time_s, int(start["sqrtPriceX96"]))
    return Log(
        pool=pool,
        opening=[_opening(time_s, *one) for one in start["positions"]],
        asked=[_asked(row) for row in rows],
        amounts=[(int(row["amount0"]), int(row["amount1"])) for row in rows],
    )


def _opening(time_s: int, owner: str, lower: int, upper: int, liquidity: str) -> Asked:
    return AskedMint(time_s, PositionKey(_owner(owner), lower, upper), int(liquidity))


def _owner(name: str) -> bytes:
    """Its address; of who has only a name, the name."""
    return bytes.fromhex(name[2:]) if name.startswith("0x") else name.encode()


def _asked(row: dict[str, str]) -> Asked:
    time_s = int(row["time"])
    if row["op"] == "swap":
        numbers = int(row["amount_specified"]), int(row["sqrt_price_limit"])
        return AskedSwap(time_s, Order(int(row["amount0"]) > 0, *numbers))
    key = PositionKey(_owner(row["owner"]), int(row["tick_lower"]), int(row["tick_upper"]))
    if row["op"] == "collect":
        return AskedCollect(key, EVERYTHING)
    changed = AskedMint if row["op"] == "mint" else AskedBurn
    return changed(time_s, key, abs(int(row["liquidity_delta"])))


def log_rate(log: Log) -> float:
    """Operations a second of one compiled run."""
    pool, batch = FastPool(log.pool), batch_of(log.asked)
    _check(answers_of(pool.operate(batch_of(log.opening))))
    began_ns = process_time_ns()
    told = pool.operate(batch)
    spent_ns = process_time_ns() - began_ns
    answers = answers_of(told)
    _check(answers)
    assert [one.amounts for one in answers] == log.amounts, "other amounts than the log's"
    return len(log.asked) * 1e9 / spent_ns


def _check(answers: Sequence[Answer]) -> None:
    assert all(one.revert is None for one in answers), "what has happened cannot revert"


def described(log: Log) -> dict[str, Any]:
    """How many there are of each kind."""
    kinds = [type(one).__name__.removeprefix("Asked").lower() for one in log.asked]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}
