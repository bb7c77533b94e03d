"""Signal agents in whole simulations: what they see, what they are worth, and that it is always the
same."""

import os
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from sim.populations.agents_log import AgentsLog
from sim.populations.agents_market import SeenMarket
from sim.record.run import RunRecord
from sim.signals.attribution import attribution
from sim.signals.course import AgentsCourse
from sim.signals.packed_decisions import packed, unpacked
from sim.signals.risk import Ruling
from sim.signals.signal import Action
from sim.signals.steps import ExitReason
from sim.stepping.world import Timing
from tests.sim.agents_runs import TEXT, agents_of, agents_scenario, agents_world, folded, ran
from tests.waiting import PROGRAM_S_MAX

MINUTE_US = 60_000_000
MANY = TEXT.replace("heads = 200", "heads = 5000").replace(
    "activity_ppm = 10000", "activity_ppm = 400"
)
PATIENT = TEXT.replace("stop_loss = 0.0008", "stop_loss = 0.05").replace(
    "take_profit = 0.001", "take_profit = 0.05"
)
FUNDED = (
    PATIENT.replace(
        'max_quantity = "20000"\nprice',
        'max_quantity = "20000"\nfunding_interval_hours = 1\nprice',
        1,
    )
    + """
[[shocks]]
market = "ETH-PERP"
kind = "sell"
at_s = 10
quantity = "9000"
over_s = 3600
"""
)
"""Somebody sells for an hour, so that the market's premium is one that is paid for."""

PRINT_A_HASH = """
from tests.sim.agents_runs import agents_scenario, ran
world, record = ran(agents_scenario(duration_s=300))
print(world.state_hash(), record.agents[0].course.decisions)
"""


@pytest.fixture(scope="module")
def record() -> RunRecord:
    return ran(agents_scenario())[1]


@pytest.fixture(scope="module")
def course(record: RunRecord) -> AgentsCourse:
    return agents_of(record).course


@pytest.mark.parametrize(("market", "width_us"), [(0, MINUTE_US), (0, 10_000_000), (1, 5_000_000)])
def test_candles_are_what_the_exchange_folds_of_the_same_trades(market: int, width_us: int) -> None:
    world = agents_world(agents_scenario(duration_s=150))
    stepped = world.markets[market]
    seen = SeenMarket(stepped.spec, width_us, np.empty((0, 6), np.int64))
    while not world.done:
        world.step()
        seen.see(stepped.replies[0].view)
    assert len(stepped.tape.trades) > 300
    assert seen.table.tolist() == folded(stepped.tape.trades, width_us)


def test_agents_decide_and_sessions_trade(course: AgentsCourse) -> None:
    assert course.decided == sum(course.actions.values()) == len(course.decisions) == 90
    assert course.actions[Action.BUY] + course.actions[Action.SELL] > 10
    assert {trip.reason for trip in course.trips[0]} >= {
        ExitReason.STOP_LOSS,
        ExitReason.TAKE_PROFIT,
    }
    for trips in course.trips:
        for trip in trips:
            decision = course.decisions[trip.decision]
            side = Action.BUY if trip.trip.direction > 0 else Action.SELL
            assert (decision.action, trip.supporters) == (side, decision.winners)
            assert trip.supporters
            assert 0 <= trip.trip.opened_at_us - decision.time_us <= 1_000_000


def test_decisions_come_back_from_bytes_as_they_were(course: AgentsCourse) -> None:
    assert unpacked(packed(course.decisions)) == list(course.decisions)
    assert any(decision.verdicts for decision in course.decisions)


def test_every_verdict_is_counted_by_its_ruling_and_rule(course: AgentsCourse) -> None:
    given = [one for decision in course.decisions for one in decision.verdicts]
    assert set(course.verdicts) == set(Ruling)
    for ruling, rules in course.verdicts.items():
        assert rules == Counter(one.rule for one in given if one.ruling is ruling)
    assert len(given) == sum(sum(rules.values()) for rules in course.verdicts.values()) > 0


def test_the_oldest_decisions_are_kept_and_all_counted(course: AgentsCourse) -> None:
    log = AgentsLog(room=20)
    for _ in range(20):
        for decision in course.decisions:
            log.decide(decision)
    kept = log.course([]).decisions
    assert log.course([]).decided == 1_800
    assert kept == course.decisions[: len(kept)]
    assert 20 - 3 <= len(kept) + sum(len(one.verdicts) for one in kept) <= 20
    whole = AgentsLog()
    for _ in range(20):
        for decision in course.decisions:
            whole.decide(decision)
    assert whole.course([]).decisions == course.decisions * 20


def test_what_is_open_the_other_way_is_closed_first() -> None:
    course = agents_of(ran(agents_scenario(PATIENT))[1]).course
    reasons = [trip.reason for trips in course.trips for trip in trips]
    assert ExitReason.SIGNAL in reasons
    for trips in course.trips:
        for before, after in pairwise(trips):
            assert before.trip.closed_at_us is not None
            assert after.trip.opened_at_us > before.trip.closed_at_us


@pytest.mark.parametrize("is_funded", [False, True])
def test_a_session_is_worth_what_its_market_says(record: RunRecord, is_funded: bool) -> None:
    if is_funded:
        record = ran(agents_scenario(FUNDED, duration_s=3_700, seed=5, step_us=2_000_000))[1]
    strategy, course = record.strategies[-1], agents_of(record).course
    assert (strategy.standings["funding_atoms"][-1] != 0) == is_funded
    standings = {int(one["time_us"]): int(one["equity_atoms"]) for one in strategy.standings}
    rows = zip(course.equity_times_us.tolist(), course.equity_atoms.tolist(), strict=True)
    sampled = {time_us: sum(row) for time_us, row in rows if time_us}
    assert len(sampled) == (61 if is_funded else 14)
    assert sampled == {time_us: standings[time_us] for time_us in sampled}


def test_round_trips_are_all_that_flat_sessions_gained(
    record: RunRecord, course: AgentsCourse
) -> None:
    strategy = record.strategies[-1]
    flat = strategy.inventory_lots[-1, 0] == 0
    assert flat, "the seed is one with which nobody holds anything at the end"
    net = [sum(trip.net_atoms for trip in trips) for trips in course.trips]
    assert net == strategy.trader_pnl_atoms.tolist()
    for trips, atoms in zip(course.trips, net, strict=True):
        assert sum(one.share_atoms for one in attribution(course, trips)) == atoms


def test_cut_into_parts_everything_is_the_same() -> None:
    scenario = agents_scenario(MANY, duration_s=240)
    whole, parts = agents_world(scenario), agents_world(scenario, spread=2)
    assert len(parts.parts) == len(whole.parts) + 1
    for world in (whole, parts):
        world.run()
    assert whole.state_hash() == parts.state_hash()
    ours, theirs = (agents_of(world.record(Timing())).course for world in (whole, parts))
    assert ours.decisions == theirs.decisions
    assert ours.trips == theirs.trips


@pytest.mark.parametrize("step", [3, 1_000, 1_777])
def test_a_resumed_run_ends_like_one_that_was_not_interrupted(
    step: int, record: RunRecord, course: AgentsCourse
) -> None:
    begun = agents_world(agents_scenario())
    begun.run(step)
    resumed = agents_world(agents_scenario())
    resumed.resume(begun.checkpoint())
    resumed.run()
    theirs = agents_of(resumed.record(Timing())).course
    assert resumed.state_hash() == record.state_hash
    assert theirs.decisions == course.decisions
    assert theirs.trips == course.trips
    assert theirs.spoken == course.spoken
    assert np.array_equal(theirs.equity_atoms, course.equity_atoms)


def test_another_process_with_other_hashes_comes_to_the_same() -> None:
    world, record = ran(agents_scenario(duration_s=300))
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": "."}
    command = [sys.executable, "-c", PRINT_A_HASH]
    answer = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True, timeout=PROGRAM_S_MAX
    )
    said = f"{world.state_hash()} {agents_of(record).course.decisions}"
    assert answer.stdout.strip() == said


def test_a_step_of_another_length_changes_what_is_seen_and_no_rule() -> None:
    course = agents_of(ran(agents_scenario(duration_s=300, step_us=2_000_000))[1]).course
    times_us = [decision.time_us for decision in course.decisions]
    assert times_us == list(range(0, 300_000_000, 10_000_000))
