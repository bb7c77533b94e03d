"""Who must sell sells: what finds nobody is asked for again, and what was done is what is told."""

import pytest

from sim.scenario.scenario import Scenario
from sim.stepping.world import SimulatedWorld, Timing
from tests.sim.scenario_texts import BTC, NOISE, scenario_of, world_of

SELLER = """
[[shocks]]
market = "BTC-PERP"
kind = "sell"
at_s = 2
quantity = "{quantity}"
over_s = 1
"""
BUYER = """
[[shocks]]
market = "BTC-PERP"
kind = "buy"
at_s = 4
quantity = "2.503"
over_s = 1
"""
DURATION_S, PLANNED_UNTIL_US = 10, 3_000_000
IN_THE_MIDDLE = 35
"""A step after the last planned slice in which the seller still has something to sell."""


def thin(quantity: str, more: str = "") -> Scenario:
    """Few buy at any moment, for nobody makes the market."""
    return scenario_of(BTC + NOISE + SELLER.format(quantity=quantity) + more, 1, DURATION_S)


def run(scenario: Scenario) -> SimulatedWorld:
    world = world_of(scenario)
    world.run()
    return world


def test_a_seller_who_finds_too_few_goes_on_until_all_is_sold() -> None:
    world = run(thin("5", BUYER))
    record = world.record(Timing())
    seller, buyer = record.markets[0].shocks
    assert (seller.traded_lots, buyer.traded_lots) == (5_000, 2_503)
    assert PLANNED_UNTIL_US < seller.until_us < DURATION_S * 1_000_000
    trades = record.markets[0].trades
    outside = trades[trades["taker_account"] == world.scenario.accounts + 1]
    assert int(outside["quantity_lots"].sum()) == 7_503
    spec = record.markets[0].spec
    notional = sum(
        spec.notional_atoms(int(one["price_ticks"]), int(one["quantity_lots"])) for one in outside
    )
    assert seller.notional_atoms + buyer.notional_atoms == notional
    assert {one.name: one.volume_atoms for one in record.others}["shocks"] == notional


def test_where_the_run_ends_before_all_is_sold_the_lesser_amount_is_told() -> None:
    [done] = run(thin("40")).record(Timing()).markets[0].shocks
    assert 0 < done.traded_lots < done.shock.quantity_lots == 40_000
    assert not done.is_whole
    assert done.until_us <= DURATION_S * 1_000_000


def test_what_all_gain_sums_to_zero_to_the_atom() -> None:
    record = run(thin("5", BUYER)).record(Timing())
    of_strategies = sum(int(one.trader_pnl_atoms.sum()) for one in record.strategies)
    gained = {one.name: one.gain_atoms for one in record.others}
    assert set(gained) == {
        "fees of the exchange",
        "insurance fund",
        "dust of funding",
        "shocks",
        "price of inventories",
    }
    assert gained["shocks"] != 0
    assert of_strategies + sum(gained.values()) == 0


@pytest.mark.parametrize("step", [25, IN_THE_MIDDLE])
def test_a_run_resumed_in_the_middle_of_a_shock_ends_like_one_that_was_not(step: int) -> None:
    scenario = thin("5", BUYER)
    whole, begun, resumed = run(scenario), world_of(scenario), world_of(scenario)
    begun.run(step)
    [seller, _] = begun.record(Timing()).markets[0].shocks
    assert 0 < seller.traded_lots < 5_000
    resumed.resume(begun.checkpoint())
    resumed.run()
    assert resumed.state_hash() == whole.state_hash()
    ours, theirs = whole.record(Timing()), resumed.record(Timing())
    assert ours.markets[0].shocks == theirs.markets[0].shocks
    assert ours.others == theirs.others
