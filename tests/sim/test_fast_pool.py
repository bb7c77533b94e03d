"""A fast pool swaps as the plain one does: on everything published, and in random lives."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

import sim.pool.sequences
from sim.fast_pool.engine import AskedSwap, FastPool, Swapped, answers_of, batch_of
from sim.pool.pool import Pool
from sim.pool.positions import PositionKey
from sim.pool.swapping import Order
from tests.sim.fast_pool_lives import SwapsFast, lived, plainly, seeded, wide_pool
from tests.sim.pool_lives import EVERYTHING, OWNERS, contents, unlimited
from tests.sim.pool_vectors import (
    SEQUENCE_FILES,
    answered,
    log_rows,
    start_of,
    vectors,
    without_answers,
)

OPERATIONS, OPERATIONS_IN_BOUNDS = 30_000, 1_500
LOGGED_SWAPS = {"usdc-weth-500-2024-01-05-first": 3027, "usdc-weth-3000-2024-01-05": 266}
WAIT_S_MAX = 300
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", SEQUENCE_FILES)
def test_published_lives_come_out_with_fast_swaps(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sim.pool.sequences, "Pool", SwapsFast)
    published = vectors(name)
    assert answered(without_answers(published)) == published


def test_random_lives_are_the_same_to_both() -> None:
    swaps, reverts = lived(seeded(), OPERATIONS)
    assert swaps > OPERATIONS * 2 // 3
    assert reverts >= {"", "AS", "SPL", "IIA"}, reverts


def asked_by(row: dict[str, str]) -> AskedSwap:
    order = Order(
        int(row["amount0"]) > 0, int(row["amount_specified"]), int(row["sqrt_price_limit"])
    )
    return AskedSwap(int(row["time"]), order)


def logged(row: dict[str, str]) -> Swapped:
    amounts = int(row["amount0"]), int(row["amount1"])
    price_x96, liquidity = int(row["sqrt_price_x96"]), int(row["liquidity"])
    return Swapped(None, amounts, price_x96, liquidity, int(row["tick"]))


def owner_of(name: str) -> bytes:
    """Its address; of who has only a name, the name."""
    return bytes.fromhex(name[2:]) if name.startswith("0x") else name.encode()


def opened(described: dict[str, Any], time_s: int) -> Pool:
    pool, start = Pool(described["fee"], described["tickSpacing"]), described["start"]
    pool.initialize(time_s, int(start["sqrtPriceX96"]))
    for owner, lower, upper, liquidity in start["positions"]:
        pool.mint(time_s, PositionKey(owner_of(owner), lower, upper), int(liquidity))
    return pool


def change(pool: Pool, row: dict[str, str]) -> None:
    """A row that is no swap."""
    time_s, ticks = int(row["time"]), (int(row["tick_lower"]), int(row["tick_upper"]))
    key = PositionKey(owner_of(row["owner"]), ticks[0], ticks[1])
    if row["op"] == "collect":
        pool.collect(key, EVERYTHING)
    else:
        ask = pool.mint if row["op"] == "mint" else pool.burn
        ask(time_s, key, abs(int(row["liquidity_delta"])))


def runs(log: str) -> Iterator[tuple[bool, list[dict[str, str]]]]:
    """Rows in a row that are swaps, or are none."""
    for is_swap, rows in groupby(log_rows(log), lambda row: row["op"] == "swap"):
        yield is_swap, list(rows)


@pytest.mark.parametrize("log", LOGGED_SWAPS)
def test_swaps_of_the_chain_come_out_to_the_wei(log: str) -> None:
    pool, counted = opened(start_of(log), int(next(log_rows(log))["time"])), Counter[bool]()
    for is_swap, rows in runs(log):
        counted[is_swap] += len(rows)
        if is_swap:
            fast, batch = FastPool(pool), batch_of([asked_by(row) for row in rows])
            fast.swap(batch)
            assert answers_of(batch) == [logged(row) for row in rows]
            pool = fast.plain()
        else:
            for row in rows:
                change(pool, row)
    assert counted[True] == LOGGED_SWAPS[log]


def test_a_pool_goes_there_and_back_unchanged() -> None:
    pool = wide_pool()
    pool.increase_observation_cardinality_next(5)
    pool.set_fee_protocol((4, 7))
    for time_s in range(2, 9):
        there = time_s % 2 == 0
        pool.swap(time_s, Order(there, 10**19 * time_s, unlimited(there)))
    before = contents(pool)
    again = FastPool(pool).plain()
    assert contents(again) == before
    assert again.steps_walked == pool.steps_walked


def test_a_fast_pool_goes_its_own_way() -> None:
    pool = wide_pool()
    before, fast = contents(pool), FastPool(pool)
    fast.swap(batch_of([AskedSwap(5, Order(True, 10**18, unlimited(True)))]))
    assert contents(pool) == before
    pool.burn(6, PositionKey(OWNERS[0], -60_000, 60_000), 10**20)
    assert fast.plain().state.liquidity == 10**20


@pytest.mark.parametrize(("net", "reason"), [(-(10**21), "LS"), (2**127 - 1, "LA")])
@pytest.mark.parametrize("down", [True, False])
def test_a_tick_that_cannot_be_crossed_undoes_the_crossed_ones(
    down: bool, net: int, reason: str
) -> None:
    """No pool has such ticks: they are made by hand."""
    pool = wide_pool()
    for tick in (60, 120, 180):
        pool.mint(2, PositionKey(OWNERS[1], -tick, tick), 10**18)
    for tick in (-180, 180):
        sign = 1 if tick > 0 else -1
        broken = replace(pool.store.ticks[tick], liquidity_net=sign * net)
        pool.store.ticks.put(tick, broken)
    if net > 0:
        pool.store.set(liquidity=2**128 - 2**126, balances=(2**250, 2**250))
    asked = AskedSwap(9, Order(down, 2**200, unlimited(down)))
    fast, batch, before = FastPool(pool), batch_of([asked]), contents(pool)
    fast.swap(batch)
    (answer,) = answers_of(batch)
    assert answer == plainly(pool, asked)
    assert answer.revert == reason
    assert contents(fast.plain()) == contents(pool) == before


def test_a_pool_without_a_price_is_locked() -> None:
    batch = batch_of([AskedSwap(1, Order(True, amount, 2**96)) for amount in (0, 5)])
    FastPool(Pool(500, 10)).swap(batch)
    assert [one.revert for one in answers_of(batch)] == ["AS", "LOK"]


def test_no_swap_is_no_work() -> None:
    batch = batch_of([])
    FastPool(wide_pool()).swap(batch)
    assert answers_of(batch) == []


def test_kernels_stay_within_their_arrays(tmp_path: Path) -> None:
    """Numba looks at each index where it is told to, and the same lives come out."""
    told = {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "tests.sim.fast_pool_in_bounds", str(OPERATIONS_IN_BOUNDS)]
    ran = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | told,
        capture_output=True,
        text=True,
        timeout=WAIT_S_MAX,
    )
    print(ran.stdout)
    assert ran.returncode == 0, ran.stderr
