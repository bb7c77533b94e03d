"""The signal, its speed and what it asks for, on price paths that somebody worked out."""

from decimal import Decimal
from math import isclose
from typing import Any

import pytest

from sim.droid.config import TriggerType
from sim.droid.signal import BlockEnd, Signal, signal_at
from sim.pool.pool import Pool
from sim.pool.positions import PositionKey
from sim.pool.swapping import Order
from sim.pool.tick_math import sqrt_ratio_at_tick
from tests.sim.droid_facts import POOLS, SPELLED, configured, facts

TIMELINES = facts("signals")["timelines"]
CLOSE = 1e-12


def close(one: float, told: str) -> bool:
    return isclose(one, float(told), rel_tol=CLOSE, abs_tol=CLOSE)


@pytest.mark.parametrize("path", TIMELINES, ids=range(len(TIMELINES)))
def test_a_signal_follows_its_price(path: dict[str, Any]) -> None:
    settings = {SPELLED[name]: value for name, value in path.items() if name in SPELLED}
    config, memory_s = configured(**settings), path["tau"]
    signal = None
    for time_s, price, value, speed, reference, asks in path["rows"]:
        signal = moved(signal, time_s, price, memory_s).watched(config)
        assert close(signal.value, value)
        assert close(signal.speed, speed)
        assert close(signal.reference, reference)
        asked = signal.asks(config, memory_s)
        assert asked == asks.upper(), time_s
        if asks == "rebalance":
            signal = signal.rested(signal.value)


def moved(signal: Signal | None, time_s: int, price: Decimal, memory_s: int) -> Signal:
    """With the price itself where a pool's would be rounded to its root."""
    if signal is None:
        return Signal.begun(time_s, float(price))
    value = signal.followed(time_s, float(price), memory_s)
    return signal.moved_to(time_s, value, memory_s)


def test_a_mean_price_is_that_of_the_floored_mean_tick() -> None:
    terms, pool = POOLS[43], Pool(3000, 60)
    pool.initialize(1000, sqrt_ratio_at_tick(-195_600))
    pool.increase_observation_cardinality_next(50)
    pool.mint(1000, PositionKey(b"\1" * 20, -887220, 887220), 10**18)
    ticks = {1000: -195_600}
    for time_s, tick in ((1012, -195_000), (1024, -196_000), (1036, -194_500)):
        limit_x96 = sqrt_ratio_at_tick(tick)
        pool.swap(time_s, Order(limit_x96 < pool.state.sqrt_price_x96, 2**100, limit_x96))
        ticks[time_s] = tick
    mean = (12 * -195_600 + 12 * -195_000 + 12 * -196_000 + 14 * -194_500) // 50
    end = BlockEnd(pool, 1050)
    assert pool.state.tick == ticks[1036]
    assert end.mean_price(terms, 600) == float(terms.price_at_tick(mean))
    recent = (6 * -196_000 + 14 * -194_500) // 20
    assert end.mean_price(terms, 20) == float(terms.price_at_tick(recent))


def test_a_mean_price_of_no_time_is_that_of_the_tick() -> None:
    terms, pool = POOLS[42], Pool(3000, 60)
    pool.initialize(1000, sqrt_ratio_at_tick(195_600))
    end = BlockEnd(pool, 1000)
    assert end.mean_price(terms, 600) == float(terms.price_at_tick(195_600))


def test_a_block_that_was_seen_changes_nothing() -> None:
    terms, pool = POOLS[42], Pool(3000, 60)
    pool.initialize(1000, sqrt_ratio_at_tick(195_600))
    first = signal_at(BlockEnd(pool, 1000), None, TriggerType.EMA, terms, 600)
    again = signal_at(BlockEnd(pool, 1000), first, TriggerType.EMA, terms, 600)
    assert again is first
