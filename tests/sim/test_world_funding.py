"""Funding in a simulation, against a model that looks only at views and positions."""

from fractions import Fraction
from math import ceil, floor

import numpy as np

from sim.money.accounts import FUNDING, POSITION
from sim.stepping.world import SimulatedWorld, Timing
from sim.units import PPM
from tests.sim.scenario_texts import scenario_of, world_of
from tests.sim.slow_ledger import premium_of, rate_of

HOURLY = """
step_us = 10_000_000
sample_ms = 600_000

[[markets]]
id = "BTC-PERP"
base = "BTC"
quote = "USDC"
tick_size = "0.1"
lot_size = "0.001"
max_quantity = "1000"
funding_interval_hours = 1
price = {process = "synthetic", start = "66000"}

[[populations]]
name = "makers"
strategy = "ladder"
heads = 3
capital = "1000000000"

[[populations]]
name = "noise"
strategy = "noise"
heads = 300
capital = "100000"
parameters = {activity_ppm = 20000}
"""
STEPS_AN_HOUR = 360


def hour_of(world: SimulatedWorld) -> list[int]:
    premiums = []
    for _ in range(STEPS_AN_HOUR):
        world.step()
        premiums.append(premium_of(world.markets[0].replies[0].view))
    return premiums


def test_positions_pay_every_hour_what_an_independent_model_says() -> None:
    world = world_of(scenario_of(HOURLY, duration_s=7200))
    market = world.markets[0]
    before, wanted = np.zeros(305, np.int64), [0] * 305
    dust = 0
    for _ in range(2):
        rate = rate_of(hour_of(world))
        held = market.accounts.accounts[:, POSITION].tolist()
        index = world.markets[0].replies[0].view.index_ticks
        assert market.accounts.accounts[:, FUNDING].tolist() != before.tolist()
        before = market.accounts.accounts[:, FUNDING].copy()
        for place, lots in enumerate(held):
            exact = -Fraction(lots * index * 100 * rate, 8 * PPM)
            change = floor(exact) if exact > 0 else -ceil(-exact)
            wanted[place], dust = wanted[place] + change, dust - change
    assert market.accounts.accounts[:, FUNDING].tolist() == wanted
    assert market.accounts.dust_atoms == dust
    assert 0 <= dust < 2 * 305
    market.check()
    record = world.record(Timing())
    totals = [one.standings["funding_atoms"][-1] for one in record.strategies]
    assert totals == [sum(wanted[1:4]), sum(wanted[4:304])]
    assert any(totals)


def test_funding_goes_on_from_a_checkpoint_within_an_hour() -> None:
    whole = world_of(scenario_of(HOURLY, duration_s=3700))
    whole.run(200)
    resumed = world_of(scenario_of(HOURLY, duration_s=3700))
    resumed.resume(whole.checkpoint())
    whole.run()
    resumed.run()
    assert whole.markets[0].accounts.accounts[:, FUNDING].any()
    assert resumed.state_hash() == whole.state_hash()


def test_a_market_pays_nothing_before_its_interval_ends() -> None:
    world = world_of(scenario_of(HOURLY.replace("hours = 1", "hours = 2"), duration_s=3700))
    world.run()
    assert not world.markets[0].accounts.accounts[:, FUNDING].any()
