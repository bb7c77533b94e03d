"""Swaps for `sandpit bench pool`, and the pool that they are asked of.

A pool of 0.3 % at the price of ether, two ranges of one tick spacing each, one above the other. In
range, each swap ends at random within the range that it begins in; crossing, in the other one, so
that it crosses the initialised tick between them. All are exact in, of the amount that leads there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from sim.fast_pool.engine import AskedSwap
from sim.pool.pool import Pool
from sim.pool.positions import PositionKey
from sim.pool.sqrt_price_math import amount0_delta, amount1_delta
from sim.pool.store import PoolState
from sim.pool.swap_math import PIPS
from sim.pool.swapping import Order
from sim.pool.tick_math import MAX_SQRT_RATIO, MIN_SQRT_RATIO, sqrt_ratio_at_tick
from sim.pool.words import Pair

FEE_PIPS, TICK_SPACING, MIDDLE_TICK = 3000, 60, 195_600
START_PRICE_X96 = sqrt_ratio_at_tick(MIDDLE_TICK + TICK_SPACING // 2)
LIQUIDITIES = 2 * 10**18, 3 * 10**18
"""Of the range below the middle tick, and of the one above."""
OWNER = bytes(19) + b"\1"
START_S, BLOCK_S, SWAPS_A_BLOCK = 1, 12, 5
EDGE_TICKS = 4
"""No swap ends so near to the end of a range."""


@dataclass(frozen=True)
class Flow:
    """Swaps, the amounts that they come to, and the state that they leave."""

    swaps: list[AskedSwap]
    amounts: list[Pair]
    state: PoolState


def new_pool() -> Pool:
    pool = Pool(FEE_PIPS, TICK_SPACING)
    pool.initialize(START_S, START_PRICE_X96)
    for lower, upper, liquidity in ranges():
        pool.mint(START_S, PositionKey(OWNER, lower, upper), liquidity)
    return pool


def ranges() -> Iterator[tuple[int, int, int]]:
    """Ticks and liquidity of both positions."""
    for lower, liquidity in zip(
        (MIDDLE_TICK - TICK_SPACING, MIDDLE_TICK), LIQUIDITIES, strict=True
    ):
        yield lower, lower + TICK_SPACING, liquidity


def make_flow(length: int, is_crossing: bool, seed: int) -> Flow:
    """The same swaps for the same numbers."""
    pool, dice = new_pool(), Random(seed)
    swaps, amounts = [], []
    for number in range(length):
        order = next_order(pool.state.sqrt_price_x96, is_crossing, dice)
        swaps.append(AskedSwap(START_S + number // SWAPS_A_BLOCK * BLOCK_S, order))
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
