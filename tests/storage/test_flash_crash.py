"""flash-crash shows what its name says: nothing before, a fall of percents, the way back."""

import numpy as np

from sim.world import SimulatedWorld, Timing
from storage.scenario_file import load_scenario, scenario_prices

SHOCK_S = 600
DURATION_S = 1_500


def test_a_seller_makes_the_price_fall_and_value_traders_bring_it_back() -> None:
    scenario = load_scenario("flash-crash", duration_s=DURATION_S)
    world = SimulatedWorld(scenario, scenario_prices(scenario))
    world.run()
    quotes = world.record(Timing()).markets[0].quotes
    traded = quotes[quotes["last_price_ticks"] > 0]
    off = traded["last_price_ticks"] / traded["index_ticks"] - 1
    seconds = traded["time_us"] / 1e6
    assert np.abs(off[seconds < SHOCK_S]).max() < 0.01
    lowest = int(off.argmin())
    assert off[lowest] < -0.04
    assert SHOCK_S < seconds[lowest] < SHOCK_S + 180
    assert (off[seconds > seconds[lowest] + 600] > off[lowest] / 2).all()
    assert abs(off[-1]) < 0.01
