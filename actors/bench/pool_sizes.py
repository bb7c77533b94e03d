"""What grows with a pool, for `sandpit bench pool`: the cost of a swap that crosses many ticks, and
the memory of many positions."""

import tracemalloc
from collections.abc import Callable
from random import Random
from time import process_time_ns
from typing import TypeVar

from sim.fast_pool.engine import Asked, AskedMint, AskedSwap, FastPool, answers_of, batch_of
from sim.pool.pool import Pool
from sim.pool.positions import PositionKey
from sim.pool.swapping import Order
from sim.pool.tick_math import MAX_TICK, sqrt_ratio_at_tick

FEE_PIPS, TICK_SPACING = 3000, 60
CROSSED = 1_000
WAYS = 10
"""So many times up and down a run."""

LIQUIDITY, MOST = 10**18, 2**127
TIME_S = 1
Made = TypeVar("Made")


def ranged_pool() -> FastPool:
    """Ranges side by side above the price, so that it can cross so many of their ends."""
    pool = Pool(FEE_PIPS, TICK_SPACING)
    pool.initialize(TIME_S, sqrt_ratio_at_tick(TICK_SPACING // 2))
    mints = []
    for place in range(CROSSED + 1):
        key = PositionKey(bytes(20), place * TICK_SPACING, (place + 1) * TICK_SPACING)
        mints.append(AskedMint(TIME_S, key, LIQUIDITY * (1 + place % 7)))
    fast = FastPool(pool)
    assert all(answer.revert is None for answer in answers_of(fast.operate(batch_of(mints))))
    return fast


def crossings() -> list[AskedSwap]:
    """Up over all ends, and down again."""
    ends = [TICK_SPACING // 2 + place * TICK_SPACING for place in (CROSSED, 0)]
    orders = [Order(number == 1, MOST, sqrt_ratio_at_tick(end)) for number, end in enumerate(ends)]
    return [AskedSwap(TIME_S + way, order) for way in range(WAYS) for order in orders]


def crossing_us() -> tuple[float, float]:
    """Microseconds of a swap that crosses CROSSED ticks: compiled, plain."""
    fast, swaps = ranged_pool(), crossings()
    plain, batch = fast.plain(), batch_of(swaps)
    began_ns = process_time_ns()
    told = fast.operate(batch)
    fast_ns = process_time_ns() - began_ns
    began_ns = process_time_ns()
    amounts = [plain.swap(one.time_s, one.order) for one in swaps]
    plain_ns = process_time_ns() - began_ns
    assert [answer.amounts for answer in answers_of(told)] == amounts
    assert fast.plain().state == plain.state
    return fast_ns / len(swaps) / 1e3, plain_ns / len(swaps) / 1e3


def random_mints(positions: int, seed: int) -> list[Asked]:
    """Each somebody else's, anywhere."""
    dice, mints = Random(seed), list[Asked]()
    most = MAX_TICK // TICK_SPACING
    for number in range(positions):
        lower, upper = sorted(dice.sample(range(-most, most + 1), 2))
        key = PositionKey(number.to_bytes(20), lower * TICK_SPACING, upper * TICK_SPACING)
        mints.append(AskedMint(TIME_S, key, dice.randrange(1, LIQUIDITY)))
    return mints


def memory_bytes(positions: int, seed: int) -> dict[str, int]:
    """Bytes of a pool with so many positions, plain and compiled, and the ticks that it has. Both
    keep the positions' keys, and each is counted with them."""
    pool = Pool(FEE_PIPS, TICK_SPACING)
    pool.initialize(TIME_S, sqrt_ratio_at_tick(TICK_SPACING // 2))
    made = FastPool(pool)
    answers = answers_of(made.operate(batch_of(random_mints(positions, seed))))
    assert all(answer.revert is None for answer in answers)
    tracemalloc.start()
    try:
        keys_bytes, keys = _grown(lambda: _keys_again(made.plain()))
        plain_bytes, plain = _grown(made.plain)
        fast_bytes, _ = _grown(lambda: FastPool(plain))
    finally:
        tracemalloc.stop()
    assert len(keys) == len(plain.store.positions) == positions
    told = {"positions": positions, "ticks": len(plain.store.ticks)}
    return {**told, "plain": plain_bytes + keys_bytes, "compiled": fast_bytes + keys_bytes}


def _keys_again(pool: Pool) -> list[PositionKey]:
    """As objects of their own."""
    return [
        PositionKey(bytes(bytearray(key.owner)), key.tick_lower + 0, key.tick_upper + 0)
        for key in pool.store.positions
    ]


def _grown(make: Callable[[], Made]) -> tuple[int, Made]:
    """Bytes that are held more when it is made, and what was made."""
    before, _ = tracemalloc.get_traced_memory()
    made = make()
    after, _ = tracemalloc.get_traced_memory()
    return after - before, made
