"""Small scenarios for tests, as TOML text, and worlds of them."""

from sim.prices.processes import ReferencePrice
from sim.scenario.scenario import Scenario, parse_scenario
from sim.scenario.world import reference_price
from sim.stepping.world import SimulatedWorld

HEAD = """
name = "small"
seed = {seed}
duration_s = {duration_s}
"""

BTC = """
[[markets]]
id = "BTC-PERP"
base = "BTC"
quote = "USDC"
tick_size = "0.1"
lot_size = "0.001"
max_quantity = "1000"
price = {process = "synthetic", start = "66000"}
"""

ETH = """
[[markets]]
id = "ETH-PERP"
base = "ETH"
quote = "USDC"
tick_size = "0.01"
lot_size = "0.01"
max_quantity = "20000"
price = {process = "synthetic", start = "3500"}
"""

SPOT = """
[[markets]]
id = "ETH_USDC"
kind = "spot"
base = "ETH"
quote = "USDC"
tick_size = "0.01"
lot_size = "0.001"
max_quantity = "20000"
price = {process = "same", market = "ETH-PERP"}
"""

MAKERS = """
[[populations]]
name = "makers"
strategy = "ladder"
heads = 3
capital = "1000000000"
"""

NOISE = """
[[populations]]
name = "noise"
strategy = "noise"
heads = 5000
capital = "100000"
latency_us_min = 1000
latency_us_max = 80000
parameters = {activity_ppm = 10000}
"""

MOMENTUM = """
[[populations]]
name = "momentum"
strategy = "momentum"
heads = 200
capital = "50000"
markets = ["BTC-PERP"]
parameters = {fast_shift_min = 2, fast_shift_max = 4, threshold_ppm = 20}
"""

GAMBLERS = """
[[populations]]
name = "gamblers"
strategy = "noise"
heads = 50
capital = "400"
leverage = 20
parameters = {activity_ppm = 100000, position_max_quote = 6000, size_min_quote = 1000}
"""

EVERYONE = BTC + ETH + MAKERS + NOISE + MOMENTUM


def scenario_of(text: str = EVERYONE, seed: int = 1, duration_s: int = 6) -> Scenario:
    return parse_scenario(HEAD.format(seed=seed, duration_s=duration_s) + text)


def prices_of(scenario: Scenario) -> list[ReferencePrice]:
    return [
        reference_price(scenario.world, market.spec.market_id, step_us=scenario.step_us)
        for market in scenario.world.markets
    ]


def world_of(scenario: Scenario, spread: int = 1) -> SimulatedWorld:
    return SimulatedWorld(scenario, prices_of(scenario), spread)
