import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from sim.populations.dice import BLOCK_TRADERS
from sim.record.run import RunRecord
from sim.rows.messages import CommandKind, Side, empty_commands
from sim.scenario.scenario import IndexJump, MarketShock, StatusChange
from sim.stepping.arrivals import in_order, latency_key, stamp
from sim.stepping.checkpoint import StateUnreadable, frozen, thawed
from sim.stepping.part import describe_parts
from sim.stepping.world import SimulatedWorld, Timing
from tests.sim.scenario_texts import BTC, EVERYONE, GAMBLERS, MAKERS, scenario_of, world_of
from tests.waiting import PROGRAM_S_MAX

SHOCK = """
[[shocks]]
market = "BTC-PERP"
kind = "sell"
at_s = 2
quantity = "400"
over_s = 1
"""
JUMP = """
[[shocks]]
market = "BTC-PERP"
kind = "index"
at_s = 3
jump_ppm = {jump_ppm}
"""
HALT = """
[[halts]]
market = "BTC-PERP"
at_s = 2
for_s = 1
"""

PRINT_A_HASH = """
from tests.sim.scenario_texts import scenario_of, world_of
world = world_of(scenario_of(duration_s=3))
world.run()
print(world.state_hash())
"""


def finished(text: str = EVERYONE, **given: int) -> SimulatedWorld:
    world = world_of(scenario_of(text, **given))
    world.run()
    return world


def quotes_of(record: RunRecord) -> np.ndarray:
    return record.markets[0].quotes


def test_the_seed_decides_everything() -> None:
    first, again, other = finished(seed=1), finished(seed=1), finished(seed=2)
    assert first.fills > 100
    assert first.state_hash() == again.state_hash() != other.state_hash()


def test_a_strategy_in_parts_does_the_same() -> None:
    whole, parts = world_of(scenario_of()), world_of(scenario_of(), spread=2)
    assert len(parts.parts) == len(whole.parts) + 1
    whole.run()
    parts.run()
    assert whole.state_hash() == parts.state_hash()
    ours, theirs = whole.record(Timing()), parts.record(Timing())
    assert np.array_equal(ours.markets[0].trades, theirs.markets[0].trades)
    assert np.array_equal(ours.strategies[1].standings, theirs.strategies[1].standings)


@pytest.mark.parametrize("step", [1, 10, 33])
def test_a_resumed_run_ends_like_one_that_was_not_interrupted(step: int) -> None:
    whole = finished()
    begun = world_of(scenario_of(), spread=2)
    begun.run(step)
    data = begun.checkpoint()
    resumed = world_of(scenario_of(), spread=2)
    resumed.resume(data)
    resumed.run()
    assert resumed.state_hash() == whole.state_hash()
    ours, theirs = whole.record(Timing()), resumed.record(Timing())
    assert np.array_equal(ours.markets[1].trades, theirs.markets[1].trades)
    assert np.array_equal(quotes_of(ours), quotes_of(theirs))


def test_a_checkpoint_of_another_scenario_is_refused() -> None:
    data = world_of(scenario_of(seed=2)).checkpoint()
    with pytest.raises(StateUnreadable, match="another scenario"):
        world_of(scenario_of(seed=1)).resume(data)
    with pytest.raises(StateUnreadable):
        thawed(data[:-1000])
    with pytest.raises(StateUnreadable):
        thawed(b"something else")
    with pytest.raises(StateUnreadable, match="not of sim"):
        thawed(frozen(BTC_STATE).replace(b'"sim.market"', b'"os.markets"'))


BTC_STATE = [scenario_of().world.markets[0].spec]


def test_another_process_with_other_hashes_comes_to_the_same() -> None:
    world = finished(duration_s=3)
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "PYTHONPATH": "."}
    command = [sys.executable, "-c", PRINT_A_HASH]
    answer = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True, timeout=PROGRAM_S_MAX
    )
    assert answer.stdout.strip() == world.state_hash()


def test_markets_take_rows_by_arrival_then_trader_then_as_sent() -> None:
    rows = empty_commands(60_000)
    dice = np.random.Generator(np.random.PCG64(5))
    rows["kind"], rows["account_id"] = CommandKind.PLACE, dice.integers(1, 3000, len(rows))
    rows["quantity_lots"] = np.arange(len(rows))
    counts = np.zeros(3000, np.int64)
    assert stamp(rows, counts, 1, 7, 100_000, 500, 1000, latency_key(1, 1, 0)) == 0
    assert rows["time_us"].min() >= 600_500
    assert rows["time_us"].max() < 601_500
    assert len(np.unique(rows["order_id"])) == len(rows)
    ordered = in_order([rows[:20_000], rows[20_000:]], 600_000)
    wanted = np.lexsort((rows["quantity_lots"], rows["account_id"], rows["time_us"]))
    assert np.array_equal(ordered, rows[wanted])


def test_an_arrival_never_leaves_its_step() -> None:
    rows = empty_commands(10)
    rows["account_id"] = 1
    assert stamp(rows, np.zeros(1, np.int64), 1, 3, 1000, 5_000, 1, latency_key(1, 1, 0)) == 0
    assert set(rows["time_us"].tolist()) == {2999}


def test_parts_begin_at_whole_blocks_and_cover_everybody() -> None:
    parts = describe_parts(scenario_of(), spread=4)
    assert [part.accounts.start for part in parts] == [1, 4, 4 + BLOCK_TRADERS, 5004]
    assert all(before.accounts.stop == after.accounts.start for before, after in pairwise(parts))


def test_a_large_seller_moves_the_price_and_stands_outside_the_strategies() -> None:
    calm, shocked = finished(), finished(EVERYONE + SHOCK)
    sold = [one for one in shocked.scenario.happenings if isinstance(one, MarketShock)]
    assert (sold[0].side, sold[0].slices, sold[0].step) == (Side.SELL, 10, 21)
    outside = shocked.scenario.accounts + 1
    trades = shocked.record(Timing()).markets[0].trades
    assert (trades["taker_account"] == outside).sum() > 5
    assert quotes_of(calm.record(Timing()))["last_price_ticks"].min() > trades["price_ticks"].min()


def test_a_halted_market_trades_nothing_until_it_is_active_again() -> None:
    world = finished(EVERYONE + HALT)
    assert len([one for one in world.scenario.happenings if isinstance(one, StatusChange)]) == 2
    times = world.record(Timing()).markets[0].trades["time_us"]
    assert not ((times >= 2_000_000) & (times < 3_000_000)).any()
    assert (times >= 3_000_000).any()


def test_an_index_jump_stays() -> None:
    world = finished(EVERYONE + JUMP.format(jump_ppm=-100_000))
    assert isinstance(world.scenario.happenings[0], IndexJump)
    index = quotes_of(world.record(Timing()))["index_ticks"]
    assert index[2] - index[3] > index[2] // 11
    assert index[-1] < index[0] * 92 // 100


def test_leveraged_traders_are_closed_by_force_and_money_is_conserved() -> None:
    text = 'insurance = "500"\nmargin_check_ms = 100\n' + BTC + MAKERS + GAMBLERS
    world = finished(text + JUMP.format(jump_ppm=-150_000), duration_s=8)
    record = world.record(Timing())
    gamblers = record.strategies[1]
    assert gamblers.standings["liquidated_traders"][-1] > 5
    assert quotes_of(record)["liquidations"].sum() > 5
    assert gamblers.standings["liquidated_traders"][1] == 0
    assert gamblers.standings["equity_atoms"][-1] - gamblers.capital_atoms == (
        gamblers.trader_pnl_atoms.sum()
    )


def test_a_run_that_is_cut_short_has_a_record() -> None:
    world = world_of(scenario_of())
    world.run(25)
    record = world.record(Timing())
    assert (record.steps, record.steps_planned) == (25, 60)
    assert len(quotes_of(record)) == 2
    assert record.orders == world.orders > 0
