"""Scenarios in which leveraged traders meet jumps of the index and a small insurance fund."""

from sim.scenario.scenario import Scenario
from tests.sim.scenario_texts import scenario_of

MARKET = """
[[markets]]
id = "{base}-PERP"
base = "{base}"
quote = "USDC"
tick_size = "0.1"
lot_size = "0.001"
max_quantity = "1000"
funding_interval_hours = 1
price = {{process = "synthetic", start = "66000"}}
"""
CROWD = """
[[populations]]
name = "gamblers"
strategy = "noise"
heads = 60
capital = "400"
leverage = 20
parameters = {activity_ppm = 200000, position_max_quote = 8000, size_min_quote = 1500}

[[populations]]
name = "rich"
strategy = "noise"
heads = 12
capital = "30000"
leverage = 20
parameters = {activity_ppm = 300000, position_max_quote = 400000, size_min_quote = 9000}

[[populations]]
name = "makers"
strategy = "ladder"
heads = 2
capital = "2000000"
parameters = {}
"""
JUMP = """
[[shocks]]
market = "{base}-PERP"
kind = "index"
at_s = {at_s}
jump_ppm = {jump_ppm}
"""
SALE = """
[[shocks]]
market = "BTC-PERP"
kind = "sell"
at_s = {at_s}
quantity = "2"
over_s = 40
"""


def cascade() -> Scenario:
    """Two markets, more gamblers than one part holds, three falls of a tenth in 40 steps."""
    crowd = CROWD.replace("heads = 60", "heads = 4200").replace("200000,", "20000,")
    text = 'step_us = 1_000_000\nmargin_check_ms = 2000\ninsurance = "60"\n'
    text += MARKET.format(base="BTC") + MARKET.format(base="ETH") + crowd
    for at_s in (12, 21, 30):
        text += JUMP.format(base="BTC", at_s=at_s, jump_ppm=-100_000)
    return scenario_of(text, seed=3, duration_s=40)
