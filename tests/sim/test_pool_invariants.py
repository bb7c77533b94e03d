"""What holds in any life of a pool, whatever is asked of it."""

from random import Random, SystemRandom

import pytest

from sim.pool.pool import Pool
from sim.pool.positions import PositionKey
from sim.pool.reverts import Reverted
from sim.pool.swapping import Order
from sim.pool.tick_math import sqrt_ratio_at_tick
from tests.sim.pool_lives import EVERYTHING, OWNERS, Life, contents, owed, unlimited

LIVES, STEPS = 12, 150


def seeded() -> Random:
    seed = SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    return Random(seed)


def test_what_was_paid_in_is_what_the_pool_has() -> None:
    dice = seeded()
    for _ in range(LIVES):
        life = Life(dice)
        for _ in range(STEPS):
            life.step()
            assert list(life.pool.state.balances) == life.paid_in
            for claim, balance in zip(owed(life.pool), life.pool.state.balances, strict=True):
                assert 0 <= claim <= balance


def test_a_step_that_reverts_changes_nothing() -> None:
    dice = seeded()
    reverts: set[str] = set()
    for _ in range(LIVES):
        life = Life(dice)
        for _ in range(STEPS):
            before, reverted = contents(life.pool), len(life.reverts)
            life.step()
            if len(life.reverts) > reverted:
                assert contents(life.pool) == before
        reverts |= set(life.reverts)
    assert len(reverts) > 4, reverts


def test_ticks_and_price_say_the_same_of_the_liquidity() -> None:
    dice = seeded()
    for _ in range(LIVES):
        life = Life(dice)
        for _ in range(STEPS):
            life.step()
        store, tick = life.pool.store, life.pool.state.tick
        assert sum(one.liquidity_net for one in store.ticks.values()) == 0
        below = sum(one.liquidity_net for at, one in store.ticks.items() if at <= tick)
        active = [
            one.liquidity
            for key, one in store.positions.items()
            if key.tick_lower <= tick < key.tick_upper
        ]
        assert life.pool.state.liquidity == below == sum(active)
        bits = sum(word.bit_count() for word in store.bitmap.values())
        assert bits == len(store.ticks)


def test_when_all_have_left_the_pool_has_given_no_more_than_it_got() -> None:
    dice = seeded()
    for _ in range(LIVES):
        life = Life(dice)
        for _ in range(STEPS):
            life.step()
        for key, position in list(life.pool.store.positions.items()):
            if position.liquidity:
                life.pool.burn(life.time_s, key, position.liquidity)
            paid0, paid1 = life.pool.collect(key, EVERYTHING)
            life.book((-paid0, -paid1))
        assert life.pool.state.liquidity == 0
        assert life.pool.store.ticks == {}
        assert list(life.pool.state.balances) == life.paid_in
        for left, fees in zip(life.paid_in, life.pool.state.protocol_fees, strict=True):
            assert left >= fees


def test_there_and_back_again_costs_and_never_pays() -> None:
    dice = seeded()
    for _ in range(200):
        pool = Pool(500, 10)
        pool.initialize(1, sqrt_ratio_at_tick(dice.randint(-100_000, 100_000)))
        middle = pool.state.tick // 10 * 10
        key = PositionKey(OWNERS[0], middle - 10 * dice.randint(1, 99), middle + 500)
        pool.mint(1, key, 10 ** dice.randint(3, 24))
        there = dice.random() < 0.5
        amount = 10 ** dice.randint(0, 24)
        first = pool.swap(2, Order(there, amount, unlimited(there)))
        bought = -first[1] if there else -first[0]
        if bought == 0:
            continue
        second = pool.swap(3, Order(not there, bought, unlimited(not there)))
        assert all(one + other >= 0 for one, other in zip(first, second, strict=True))


def test_nobody_burns_what_others_have() -> None:
    pool = Pool(3000, 60)
    pool.initialize(1, sqrt_ratio_at_tick(0))
    for owner in OWNERS[:2]:
        pool.mint(1, PositionKey(owner, -60, 60), 10**6)
    with pytest.raises(Reverted, match="LS"):
        pool.burn(1, PositionKey(OWNERS[0], -60, 60), 10**6 + 1)


def test_the_protocol_leaves_one_unit_of_its_fees() -> None:
    pool = Pool(3000, 60)
    pool.initialize(1, sqrt_ratio_at_tick(0))
    pool.mint(1, PositionKey(OWNERS[0], -60, 60), 10**18)
    pool.set_fee_protocol((4, 0))
    pool.swap(2, Order(True, 10**12, unlimited(True)))
    (fees, none) = pool.state.protocol_fees
    assert (fees, none) == (10**12 * 3 // 1000 // 4, 0)
    assert pool.collect_protocol(EVERYTHING) == (fees - 1, 0)
    assert pool.state.protocol_fees == (1, 0)
