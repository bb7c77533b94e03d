"""flash-crash shows what its name says: nothing before, a fall of percents, the way back."""

from decimal import Decimal

import numpy as np

from actors.simulate.results import summary_of
from sim.record.run import RunRecord
from sim.report.page_of_run import html_report
from sim.stepping.world import SimulatedWorld, Timing
from storage.files.scenario_file import load_scenario, scenario_prices

SHOCK_S = 600
BACK_WITHIN_S = 360
DURATION_S = 1_500


def test_a_seller_makes_the_price_fall_and_value_traders_bring_it_back() -> None:
    scenario = load_scenario("flash-crash", duration_s=DURATION_S)
    world = SimulatedWorld(scenario, scenario_prices(scenario))
    world.run()
    record = world.record(Timing())
    quotes = record.markets[0].quotes
    traded = quotes[quotes["last_price_ticks"] > 0]
    off = traded["last_price_ticks"] / traded["index_ticks"] - 1
    seconds = traded["time_us"] / 1e6
    assert np.abs(off[seconds < SHOCK_S]).max() < 0.01
    lowest = int(off.argmin())
    assert off[lowest] < -0.04
    assert SHOCK_S < seconds[lowest] < SHOCK_S + 180
    assert (off[seconds > seconds[lowest] + 600] > off[lowest] / 2).all()
    assert abs(off[-1]) < 0.01
    back = (seconds > seconds[lowest]) & (off > off[lowest] / 10)
    assert seconds[back].min() < SHOCK_S + BACK_WITHIN_S
    everything_is_sold_and_told(record)


def everything_is_sold_and_told(record: RunRecord) -> None:
    """By trades of the seller alone, at least; and what others gained is what the seller lost."""
    [market] = record.markets
    [done] = market.shocks
    assert (done.traded_lots, done.is_whole) == (250_000, True)
    assert SHOCK_S + 30 < done.until_us / 1e6 < SHOCK_S + 180
    gained = {one.name: one.gain_atoms for one in record.others}
    assert gained["shocks"] < 0 < gained["fees of the exchange"]
    of_strategies = sum(int(one.trader_pnl_atoms.sum()) for one in record.strategies)
    assert of_strategies + sum(gained.values()) == 0
    summary = summary_of(record)
    [shock] = summary["shocks"]
    assert (shock["traded"], shock["quantity"]) == ("250", "250")
    profits = [Decimal(one["pnl"]) for one in (*summary["strategies"], *summary["others"])]
    assert sum(profits) == 0
    page = html_report(record)
    assert "sold 250 of 250 BTC</b> at " in page
    assert "<th>shocks</th>" in page
