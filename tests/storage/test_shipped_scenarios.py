"""What the shipped scenarios show, in a few minutes of them; all facts: `sandpit bench facts`."""

import dataclasses

import numpy as np

from sim.record.run import RunRecord
from sim.scenario.scenario import Scenario
from sim.signals.signal import Action
from sim.stepping.world import SimulatedWorld, Timing
from storage.files.scenario_file import load_scenario, scenario_prices

FALL_S = 360
"""When the index falls in liquidation-cascade."""


def ran(scenario: Scenario) -> RunRecord:
    """Its record; that money was neither made nor lost is asserted on the way."""
    world = SimulatedWorld(scenario, scenario_prices(scenario))
    world.run()
    return world.record(Timing())


def test_calm_has_a_narrow_spread_depth_on_both_sides_and_trades() -> None:
    record = ran(load_scenario("calm", duration_s=300, record="all"))
    [market] = record.markets
    quotes = market.quotes[60:]
    basis_points = (quotes["best_ask_ticks"] - quotes["best_bid_ticks"]) / quotes["index_ticks"]
    assert quotes["best_bid_ticks"].min() > 0
    assert 0 < np.median(basis_points * 1e4) < 1
    assert np.percentile(basis_points * 1e4, 95) < 4
    for side in ("bid_lots", "ask_lots"):
        assert np.median(quotes[side]) > 500
    mids = (quotes["best_ask_ticks"] + quotes["best_bid_ticks"]) / 2
    assert np.abs(mids / quotes["index_ticks"] - 1).max() < 0.002
    assert len(market.trades) > 500
    assert len(np.unique(market.trades["quantity_lots"])) > 50


def unleveraged(scenario: Scenario) -> Scenario:
    """The same traders with money enough to keep what they hold."""
    populations = tuple(
        dataclasses.replace(one, capital_atoms=50 * one.capital_atoms)
        if one.name == "leveraged"
        else one
        for one in scenario.world.populations
    )
    world = dataclasses.replace(scenario.world, populations=populations)
    return dataclasses.replace(scenario, world=world)


def test_liquidations_feed_the_fall_and_the_fund_pays() -> None:
    scenario = load_scenario("liquidation-cascade", duration_s=FALL_S + 10)
    world = SimulatedWorld(scenario, scenario_prices(scenario))
    world.run()
    cascade, kept = world.record(Timing()), ran(unleveraged(scenario))
    paid_atoms = scenario.insurance_atoms - world.markets[0].accounts.insurance_atoms
    lows = []
    for record in (cascade, kept):
        [market] = record.markets
        after = market.quotes["time_us"] >= FALL_S * 1_000_000
        lows.append(int(market.quotes["last_price_ticks"][after].min()))
    closed = cascade.strategies[-1].standings["liquidated_traders"]
    print(f"lowest {lows[0]} ticks, {lows[1]} where nobody is closed; closed {closed[-1]} traders")
    print(f"the fund paid {paid_atoms / 1e6:,.2f}")
    assert closed[FALL_S - 2] == 0
    assert closed[-1] > 50
    assert kept.strategies[-1].standings["liquidated_traders"][-1] == 0
    assert lows[0] < 0.99 * lows[1]
    assert 0 < paid_atoms < scenario.insurance_atoms


def test_agents_decide_and_their_sessions_go_round() -> None:
    [agents] = ran(load_scenario("agents", duration_s=2_000)).agents
    course = agents.course
    print({str(action): count for action, count in course.actions.items()})
    assert course.actions[Action.BUY] + course.actions[Action.SELL] > 10
    assert all(len(trips) > 0 for trips in course.trips)
    assert all(trip.net_atoms for trips in course.trips for trip in trips)
