"""`sandpit bench pool`: swaps a second of the compiled pool, and of the plain one beside it.

A pool of 0.3 % at the price of ether, two ranges of one tick spacing each, one above the other. In
range, each swap ends at random within the range that it begins in; crossing, in the other one, so
that it crosses the initialised tick between them. All are exact in, of the amount that leads there.
Both pools begin with the same state, are given the same swaps, and must end in the same one. A
compiled run is one batch: what turns Python's integers into arrays and back is not timed. Times are
the processor's own of this process, so that others who share its cores do not count.
"""

from dataclasses import dataclass
from random import Random
from statistics import median
from time import process_time_ns
from typing import Any

from rich.console import Console

from sim.fast_pool.engine import AskedSwap, FastPool, answers_of, batch_of
from sim.pool.pool import Pool
from sim.pool.positions import PositionKey
from sim.pool.sqrt_price_math import amount0_delta, amount1_delta
from sim.pool.store import PoolState
from sim.pool.swap_math import PIPS
from sim.pool.swapping import Order
from sim.pool.tick_math import MAX_SQRT_RATIO, MIN_SQRT_RATIO, sqrt_ratio_at_tick
from sim.pool.words import Pair

FEE_PIPS, TICK_SPACING, MIDDLE_TICK = 3000, 60, 195_600
LIQUIDITIES = 2 * 10**18, 3 * 10**18
"""Of the range below the middle tick, and of the one above."""
OWNER = bytes(19) + b"\1"
BLOCK_S, SWAPS_A_BLOCK = 12, 5
EDGE_TICKS = 4
"""No swap ends so near to the end of a range."""
RUNS = 5


@dataclass(frozen=True)
class Flow:
    """Swaps, the amounts that they come to, and the state that they leave."""

    swaps: list[AskedSwap]
    amounts: list[Pair]
    state: PoolState


def new_pool() -> Pool:
    pool = Pool(FEE_PIPS, TICK_SPACING)
    pool.initialize(0, sqrt_ratio_at_tick(MIDDLE_TICK + TICK_SPACING // 2))
    for place, liquidity in zip((-1, 0), LIQUIDITIES, strict=True):
        lower = MIDDLE_TICK + place * TICK_SPACING
        pool.mint(0, PositionKey(OWNER, lower, lower + TICK_SPACING), liquidity)
    return pool


def make_flow(length: int, is_crossing: bool, seed: int) -> Flow:
    """The same swaps for the same numbers."""
    pool, dice = new_pool(), Random(seed)
    swaps, amounts = [], []
    for number in range(length):
        order = next_order(pool.state.sqrt_price_x96, is_crossing, dice)
        swaps.append(AskedSwap(number // SWAPS_A_BLOCK * BLOCK_S, order))
        before = pool.state.liquidity
        amounts.append(pool.swap(swaps[-1].time_s, order))
        assert (pool.state.liquidity != before) == is_crossing
    return Flow(swaps, amounts, pool.state)


def next_order(price_x96: int, is_crossing: bool, dice: Random) -> Order:
    middle_x96 = sqrt_ratio_at_tick(MIDDLE_TICK)
    ends_above = (price_x96 >= middle_x96) != is_crossing
    lower = MIDDLE_TICK if ends_above else MIDDLE_TICK - TICK_SPACING
    tick = dice.randrange(lower + EDGE_TICKS, lower + TICK_SPACING - EDGE_TICKS)
    target_x96 = sqrt_ratio_at_tick(tick) + dice.getrandbits(64)
    down = target_x96 < price_x96
    delta = amount0_delta if down else amount1_delta
    ways = [(price_x96, target_x96, LIQUIDITIES[ends_above])]
    if is_crossing:
        ways = [
            (price_x96, middle_x96, LIQUIDITIES[not ends_above]),
            (middle_x96, target_x96, LIQUIDITIES[ends_above]),
        ]
    net = sum(delta(begin, end, liquidity, True) for begin, end, liquidity in ways)
    limit_x96 = MIN_SQRT_RATIO + 1 if down else MAX_SQRT_RATIO - 1
    return Order(down, net * PIPS // (PIPS - FEE_PIPS), limit_x96)


def fast_rate(flow: Flow) -> float:
    """Swaps a second of one compiled run."""
    pool, batch = FastPool(new_pool()), batch_of(flow.swaps)
    begin = process_time_ns()
    told = pool.operate(batch)
    spent_ns = process_time_ns() - begin
    assert [one.amounts for one in answers_of(told)] == flow.amounts
    assert pool.plain().state == flow.state, "the same swaps came to another state"
    return len(flow.swaps) * 1e9 / spent_ns


def plain_rate(flow: Flow) -> float:
    """Swaps a second of one plain run."""
    pool = new_pool()
    begin = process_time_ns()
    for one in flow.swaps:
        pool.swap(one.time_s, one.order)
    spent_ns = process_time_ns() - begin
    assert pool.state == flow.state, "the same swaps came to another state"
    return len(flow.swaps) * 1e9 / spent_ns


def measure(flow: Flow, runs: int) -> dict[str, float]:
    """Best and median rates; a compiled and a plain run take turns."""
    fast, plain = [], []
    for _ in range(runs):
        fast.append(fast_rate(flow))
        plain.append(plain_rate(flow))
    figures = {"best": max(fast), "median": median(fast), "plain_median": median(plain)}
    figures["ratio"] = figures["median"] / figures["plain_median"]
    return figures


def bench_pool(length: int, seed: int, runs: int = RUNS) -> dict[str, Any]:
    """Measure, print, and answer all figures (rates in swaps a second)."""
    console = Console(highlight=False)
    FastPool(new_pool()).operate(batch_of([]))
    result: dict[str, Any] = {"swaps": length, "seed": seed, "runs": runs}
    console.print(f"{length:,} swaps a run, {runs} runs, seed {seed}: exact in, one process")
    for name, is_crossing in (("in range", False), ("crossing", True)):
        figures = measure(make_flow(length, is_crossing, seed), runs)
        console.print(
            f"{name:>10}  {figures['median']:10,.0f}/s median  {figures['best']:10,.0f} best  "
            f"plain {figures['plain_median']:7,.0f}/s  {figures['ratio']:.0f} times that"
        )
        result[name.replace(" ", "_")] = figures
    return result
