"""A swap that looks on behind thousands of empty words comes out as one that looks at each."""

from random import Random

import pytest

import sim.pool.swapping
from sim.pool.pool import Pool
from sim.pool.positions import PositionKey
from sim.pool.reverts import Reverted
from sim.pool.swapping import Order
from sim.pool.tick_math import MAX_SQRT_RATIO, MAX_TICK, MIN_SQRT_RATIO, sqrt_ratio_at_tick
from tests.sim.pool_lives import OWNERS, Contents, contents

LIVES, STEPS = 25, 12


def limit_x96(dice: Random, spacing: int) -> int:
    """Anywhere, at a tick, at the edge of a word, and beside them."""
    within = MAX_TICK // spacing * spacing
    place = dice.choice([1, spacing, 256 * spacing])
    tick = dice.randrange(-within // place, within // place + 1) * place
    ratio = sqrt_ratio_at_tick(min(max(tick, -MAX_TICK), MAX_TICK)) + dice.choice([-1, 0, 1])
    return min(max(ratio, MIN_SQRT_RATIO + 1), MAX_SQRT_RATIO - 1)


def lived(seed: int) -> list[Contents]:
    """A pool with little islands of liquidity, after each swap."""
    dice = Random(seed)
    spacing = dice.choice([1, 10, 60, 200])
    pool, within = Pool(3000, spacing), MAX_TICK // spacing
    pool.initialize(1, sqrt_ratio_at_tick(dice.randrange(-MAX_TICK, MAX_TICK)))
    for _ in range(dice.randrange(4)):
        lower = dice.randrange(-within, within)
        upper = min(lower + dice.choice([1, 200, 2_000]), within)
        key = PositionKey(OWNERS[0], lower * spacing, upper * spacing)
        pool.mint(2, key, 10 ** dice.randrange(1, 20))
    found = []
    for time_s in range(3, 3 + STEPS):
        amount = dice.choice([-1, 1]) * 2 ** dice.randrange(1, 250)
        limit = limit_x96(dice, spacing)
        down = limit < pool.state.sqrt_price_x96
        try:
            pool.swap(time_s, Order(down, amount, limit))
        except Reverted:
            continue
        found.append(contents(pool))
    return found


def test_nothing_is_missed_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    passing = [lived(seed) for seed in range(LIVES)]
    assert sum(map(len, passing)) > LIVES * STEPS // 2
    monkeypatch.setattr(
        sim.pool.swapping, "past_empty_words", lambda words, tick, spacing, limit, down: tick
    )
    for seed in range(LIVES):
        assert lived(seed) == passing[seed], f"seed {seed}"


@pytest.mark.parametrize("down", [True, False])
def test_where_there_is_no_liquidity_a_swap_is_one_step(down: bool) -> None:
    pool = Pool(500, 1)
    pool.initialize(1, 2**96)
    pool.swap(2, Order(down, 1, MIN_SQRT_RATIO + 1 if down else MAX_SQRT_RATIO - 1))
    assert pool.steps_walked <= 3
