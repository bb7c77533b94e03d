"""A fast pool answers as the plain one does: on everything published, and in random lives."""

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import sim.pool.sequences
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
from sim.pool.pool import Pool, copied
from sim.pool.positions import PositionKey
from sim.pool.swapping import Order
from tests.sim.fast_pool_lives import OperatesFast, lived, plainly, seeded, wide_pool
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
REVERTS = {"", "AS", "SPL", "LS", "IIA", "TLU", "TLM", "TUM", "LO", "NP", "M0", "M1"}
LOGGED_SWAPS = {"usdc-weth-500-2024-01-05-first": 3027, "usdc-weth-3000-2024-01-05": 266}
WAIT_S_MAX = 300
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", SEQUENCE_FILES)
def test_published_lives_come_out_of_the_kernel(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sim.pool.sequences, "Pool", OperatesFast)
    published = vectors(name)
    assert answered(without_answers(published)) == published


def test_random_lives_are_the_same_to_both() -> None:
    counted, reverts = lived(seeded(), OPERATIONS)
    assert counted[AskedSwap] > OPERATIONS // 3
    assert min(counted[AskedMint], counted[AskedBurn]) > OPERATIONS // 10
    assert counted[AskedCollect] > OPERATIONS // 50
    assert reverts >= REVERTS, REVERTS - reverts


def owner_of(name: str) -> bytes:
    """Its address; of who has only a name, the name."""
    return bytes.fromhex(name[2:]) if name.startswith("0x") else name.encode()


def asked_by(row: dict[str, str]) -> Asked:
    time_s = int(row["time"])
    if row["op"] == "swap":
        numbers = int(row["amount_specified"]), int(row["sqrt_price_limit"])
        return AskedSwap(time_s, Order(int(row["amount0"]) > 0, *numbers))
    key = PositionKey(owner_of(row["owner"]), int(row["tick_lower"]), int(row["tick_upper"]))
    if row["op"] == "collect":
        return AskedCollect(key, EVERYTHING)
    changed = AskedMint if row["op"] == "mint" else AskedBurn
    return changed(time_s, key, abs(int(row["liquidity_delta"])))


def opening(start: dict[str, Any], time_s: int) -> list[Asked]:
    return [
        AskedMint(time_s, PositionKey(owner_of(owner), lower, upper), int(liquidity))
        for owner, lower, upper, liquidity in start["positions"]
    ]


def assert_as_logged(answer: Answer, row: dict[str, str]) -> None:
    assert answer.revert is None, row
    assert answer.amounts == (int(row["amount0"]), int(row["amount1"])), row
    if row["op"] == "swap":
        told = int(row["sqrt_price_x96"]), int(row["liquidity"]), int(row["tick"])
        assert (answer.sqrt_price_x96, answer.liquidity, answer.tick) == told, row


@pytest.mark.parametrize("log", LOGGED_SWAPS)
def test_a_day_of_the_chain_comes_out_of_one_batch_to_the_wei(log: str) -> None:
    """The opening, too, and all that was asked of the pool after it."""
    described, rows = start_of(log), list(log_rows(log))
    time_s, start = int(rows[0]["time"]), described["start"]
    pool = Pool(described["fee"], described["tickSpacing"])
    pool.initialize(time_s, int(start["sqrtPriceX96"]))
    asked = [*opening(start, time_s), *map(asked_by, rows)]
    fast = FastPool(pool)
    answers = answers_of(fast.operate(batch_of(asked)))
    for answer, row in zip(answers[-len(rows) :], rows, strict=True):
        assert_as_logged(answer, row)
    assert answers == [plainly(pool, one) for one in asked]
    assert contents(fast.plain()) == contents(pool)
    assert Counter(map(type, asked))[AskedSwap] == LOGGED_SWAPS[log]


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
    fast.operate(batch_of([AskedSwap(5, Order(True, 10**18, unlimited(True)))]))
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
    fast, before = FastPool(pool), contents(pool)
    (answer,) = answers_of(fast.operate(batch_of([asked])))
    assert answer == plainly(pool, asked)
    assert answer.revert == reason
    assert contents(fast.plain()) == contents(pool) == before


def test_what_a_position_is_owed_goes_around() -> None:
    pool, key = wide_pool(), PositionKey(OWNERS[0], -60_000, 60_000)
    pool.swap(2, Order(True, 10**19, unlimited(True)))
    held = pool.store.positions[key]
    pool.store.positions.put(key, replace(held, tokens_owed=(2**128 - 5, 2**128 - 1)))
    asked: list[Asked] = [AskedMint(3, key, 10**18), AskedBurn(4, key, 10**18)]
    for number in (1, 2):
        trial, fast = copied(pool), FastPool(pool)
        told = answers_of(fast.operate(batch_of(asked[:number])))
        assert told == [plainly(trial, one) for one in asked[:number]]
        assert contents(fast.plain()) == contents(trial)
        assert trial.store.positions[key].tokens_owed[0] < 2**64


@pytest.mark.parametrize(
    ("liquidity", "net", "delta", "reason"),
    [
        (2**128 - 5, 0, 10, "LA"),
        (5, 0, -10, "LS"),
        (0, 2**127 - 5, 10, ""),
        (0, -(2**127), -10, ""),
    ],
)
def test_liquidity_that_no_pool_can_have_is_refused_by_both(
    liquidity: int, net: int, delta: int, reason: str
) -> None:
    """Made by hand: what a tick may have keeps all sums within their bits."""
    pool, key = wide_pool(), PositionKey(OWNERS[0], -60_000, 60_000)
    pool.store.set(liquidity=liquidity)
    if net:
        lower = pool.store.ticks[-60_000]
        pool.store.ticks.put(-60_000, replace(lower, liquidity_net=net))
    asked = AskedMint(2, key, delta) if delta > 0 else AskedBurn(2, key, -delta)
    fast, before = FastPool(pool), contents(pool)
    (answer,) = answers_of(fast.operate(batch_of([asked])))
    assert answer == plainly(pool, asked)
    assert answer.revert == reason
    assert contents(fast.plain()) == contents(pool) == before


def test_a_pool_without_a_price_is_locked() -> None:
    swaps = [AskedSwap(1, Order(True, amount, 2**96)) for amount in (0, 5)]
    key = PositionKey(OWNERS[0], -10, 10)
    others: list[Asked] = [
        AskedMint(1, key, 5),
        AskedBurn(1, key, 0),
        AskedCollect(key, EVERYTHING),
    ]
    told = FastPool(Pool(500, 10)).operate(batch_of([*swaps, *others]))
    assert [one.revert for one in answers_of(told)] == ["AS", "LOK", "LOK", "LOK", "LOK"]


def test_a_position_that_has_left_its_ticks_comes_back() -> None:
    """It has no liquidity, and so no ticks, but is still owed something."""
    pool, key = wide_pool(), PositionKey(OWNERS[1], -120, 180)
    pool.mint(2, key, 10**18)
    pool.burn(3, key, 10**18)
    asked: list[Asked] = [AskedMint(4, key, 10**17), AskedBurn(5, key, 10**16)]
    fast = FastPool(pool)
    assert answers_of(fast.operate(batch_of(asked))) == [plainly(pool, one) for one in asked]
    assert contents(fast.plain()) == contents(pool)


def test_no_operation_is_no_work() -> None:
    assert answers_of(FastPool(wide_pool()).operate(batch_of([]))) == []


def test_what_is_foreseen_does_not_happen() -> None:
    pool = wide_pool()
    pool.mint(2, PositionKey(OWNERS[1], -120, 180), 10**18)
    swaps = batch_of(
        [AskedSwap(9 + there, Order(there, 10**19, unlimited(there))) for there in (True, False)]
    )
    for array in swaps.operations:
        array.flags.writeable = False
    fast, before = FastPool(pool), contents(pool)
    foreseen = answers_of(fast.foreseen(swaps))
    assert contents(fast.plain()) == before
    assert answers_of(fast.operate(swaps)) == foreseen
    assert contents(fast.plain()) != before


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
