"""Small scenarios in which signal agents trade, for tests."""

from sim.record.run import AgentsRecord, RunRecord
from sim.rows.messages import Rows
from sim.scenario.scenario import Scenario, parse_scenario
from sim.stepping.world import SimulatedWorld, Timing
from tests.sim import scenario_texts
from tests.sim.scenario_texts import HEAD, SPOT, prices_of

ETH = scenario_texts.ETH.replace('"3500"', '"3500", volatility_ppm_per_year = 1_500_000')

CROWD = """
[[populations]]
name = "makers"
strategy = "ladder"
heads = 3
capital = "1000000000"
inventory = {ETH_USDC = "2000"}

[[populations]]
name = "noise"
strategy = "noise"
heads = 200
capital = "1000000"
inventory = {ETH_USDC = "60"}
parameters = {activity_ppm = 10000}
"""

AGENTS = """
[[populations]]
name = "agents"
strategy = "signal-agents"
heads = 3
capital = "10000"
latency_us_max = 90000
"""

EAGER = """
[populations.parameters]
candle_s = 10
[populations.parameters.agents.technical]
cycle_s = 7
ema_slow = 20
rsi_period = 10
[populations.parameters.agents.trend]
cycle_s = 11
[populations.parameters.agents.reversion]
cycle_s = 13
[populations.parameters.agents.risk]
default_stop_loss = 0.0008
default_take_profit = 0.001
max_daily_loss = 0.5
[populations.parameters.voting]
min_votes = 1
min_confidence = 0.2
min_consensus = 0.3
"""
"""Candles of ten seconds, and little is asked of a decision, so that much is traded in minutes."""

TEXT = ETH + SPOT + CROWD + AGENTS + EAGER


def agents_scenario(
    text: str = TEXT, duration_s: int = 900, seed: int = 3, step_us: int = 250_000
) -> Scenario:
    head = HEAD.format(seed=seed, duration_s=duration_s) + f"step_us = {step_us}\n"
    return parse_scenario(head + text)


def agents_world(scenario: Scenario, spread: int = 1) -> SimulatedWorld:
    return SimulatedWorld(scenario, prices_of(scenario), spread)


def agents_of(record: RunRecord) -> AgentsRecord:
    [found] = record.agents
    return found


def ran(scenario: Scenario) -> tuple[SimulatedWorld, RunRecord]:
    world = agents_world(scenario)
    world.run()
    return world, world.record(Timing())


def folded(trades: Rows, width_us: int) -> list[list[int]]:
    """Candles of a tape, one trade after the other."""
    found: list[list[int]] = []
    for trade in trades:
        opened, ticks = int(trade["time_us"]) // width_us * width_us, int(trade["price_ticks"])
        if not found or found[-1][0] != opened:
            found.append([opened, ticks, ticks, ticks, ticks, 0])
        last = found[-1]
        last[2], last[3] = max(last[2], ticks), min(last[3], ticks)
        last[4] = ticks
        last[5] += int(trade["quantity_lots"])
    return found
