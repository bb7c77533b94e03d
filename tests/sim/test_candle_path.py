"""An index that walks recorded candles: through their four prices, the same step by step."""

import numpy as np
import pytest

from sim.prices.candle_path import CandlePrice
from sim.prices.processes import ConstantPrice, StateMismatch
from sim.scenario.fields import ScenarioError
from sim.scenario.scenario import parse_scenario
from sim.scenario.world import parse_world

SECOND_US, MINUTE_US, SEEDS = 1_000_000, 60_000_000, (1, 2, 3)
RISES, FALLS = [100, 130, 70, 120], [120, 150, 90, 90]
DIGEST = "0123456789abcdef" * 2
MARKET = """
name = "walk"
seed = 1
markets = [{id = "BTC-PERP", base = "BTC", quote = "USDC", tick_size = "0.1", lot_size = "0.001", \
max_quantity = "1", price = {process = "candles", digest = "DIGEST"}}]
"""
CROWD = """
duration_s = 60
[[populations]]
name = "makers"
strategy = "ladder"
heads = 1
capital = "1"
"""


def walk(minutes: list[list[int]], step_us: int = SECOND_US) -> CandlePrice:
    return CandlePrice(np.array(minutes, np.int64), step_us=step_us)


def plain(minutes: list[list[int]], at_us: int) -> int:
    """The same in plain numbers, one time after the other."""
    place, within = divmod(at_us, MINUTE_US)
    if place >= len(minutes):
        return minutes[-1][3]
    opened, high, low, close = minutes[place]
    ends = [opened, low, high, close] if close >= opened else [opened, high, low, close]
    way, gone = divmod(within, 20 * SECOND_US)
    return ends[way] + (ends[way + 1] - ends[way]) * gone // (20 * SECOND_US)


def test_a_minute_that_rises_goes_down_first_and_one_that_falls_goes_up_first() -> None:
    price = walk([RISES, FALLS], 20 * SECOND_US)
    assert [price.price_ticks, *price.advance(7).tolist()] == [
        100, 70, 130, 120, 150, 90, 90, 90,
    ]  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_it_goes_as_plain_numbers_say_step_by_step_and_in_one_call(seed: int) -> None:
    print(f"seed {seed}")
    dice = np.random.default_rng(seed)
    rows = np.sort(dice.integers(1, 10**6, (30, 4)), axis=1)
    minutes = rows[:, [1, 3, 0, 2]].tolist() + rows[:, [2, 3, 0, 1]].tolist()
    step_us = int(dice.integers(1, 90)) * SECOND_US
    one, other = walk(minutes, step_us), walk(minutes, step_us)
    steps = len(minutes) * MINUTE_US // step_us + 3
    expected = [plain(minutes, place * step_us) for place in range(1, steps + 1)]
    assert one.advance(steps).tolist() == expected
    assert [other.step() for _ in range(steps)] == expected
    assert one.state() == other.state()


def test_it_goes_on_from_where_it_was_kept_and_from_nothing_else() -> None:
    price, again = walk([RISES, FALLS]), walk([RISES, FALLS])
    price.advance(31)
    again.restore(price.state())
    assert again.price_ticks == price.price_ticks
    assert again.advance(100).tolist() == price.advance(100).tolist()
    with pytest.raises(StateMismatch):
        again.restore(ConstantPrice(5).state())


def test_a_scenario_names_its_candles_and_a_world_has_none() -> None:
    text = MARKET.replace("DIGEST", DIGEST)
    price = parse_scenario(text + CROWD).world.markets[0].price
    assert price == type(price)(DIGEST)  # type: ignore[call-arg, arg-type]
    with pytest.raises(ScenarioError, match="32 hex digits"):
        parse_scenario(MARKET + CROWD)
    with pytest.raises(ScenarioError, match="allowed is one that goes on"):
        parse_world(text)
