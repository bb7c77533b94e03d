"""Idle time is passed by, and that changes nothing."""

from collections.abc import Iterator

import numpy as np
import pytest

from sim.rows.messages import EVENT, CommandKind, EventKind, Rows, empty_commands
from sim.rows.packed import bounds_of, joined_packed, packed_for
from sim.stepping.arrivals import in_order
from sim.stepping.world import SimulatedWorld, Timing
from tests.sim.scenario_texts import BTC, ETH, scenario_of, world_of

SEED = 5
SLEEPERS = """
[[populations]]
name = "{strategy}"
strategy = "{strategy}"
heads = 30
capital = "1000000"
parameters = {{{parameters}}}
"""
SELDOM = ("noise", "value", "momentum", "mean-reversion", "avellaneda-stoikov", "arbitrage")
EAGER = {
    "momentum": "threshold_ppm = 0, ",
    "mean-reversion": "enter_ppm = 1, leave_ppm = 0, ",
}
SHOCKS = """
[[shocks]]
market = "BTC-PERP"
kind = "sell"
at_s = 21
quantity = "40"
over_s = 2
[[shocks]]
market = "ETH-PERP"
kind = "index"
at_s = 30
jump_ppm = -30_000
[[halts]]
market = "BTC-PERP"
at_s = 40
for_s = 5
"""


def sleepers(activity_ppm: int, *more: str) -> str:
    text = 'sample_ms = 3_700\nmargin_check_ms = 5_300\ninsurance = "10000"\n' + BTC + ETH
    for strategy in (*SELDOM, "fundamental-chartist-noise", *more):
        parameters = EAGER.get(strategy, "") + f"activity_ppm = {activity_ppm}"
        text += SLEEPERS.format(strategy=strategy, parameters=parameters)
    return text


def counted(world: SimulatedWorld) -> tuple[str, int]:
    """The hash of a run, and how many steps it took one by one."""
    taken = []
    step = world.step

    def noted() -> None:
        taken.append(world.step_no)
        step()

    world.step = noted  # type: ignore[method-assign]
    world.run()
    return world.state_hash(), len(taken)


@pytest.mark.parametrize(("activity_ppm", "most"), [(100, 0.2), (3_000, 0.9), (200_000, 1.0)])
def test_time_passed_by_leaves_what_single_steps_leave(activity_ppm: int, most: float) -> None:
    print(f"seed {SEED}")
    scenario = scenario_of(sleepers(activity_ppm) + SHOCKS, seed=SEED, duration_s=60)
    stepped, passed = world_of(scenario), world_of(scenario, spread=2)
    while not stepped.done:
        stepped.step()
    state_hash, taken = counted(passed)
    print(f"{taken} of {scenario.steps} steps")
    assert state_hash == stepped.state_hash()
    assert taken <= most * scenario.steps
    ours, theirs = stepped.record(Timing()), passed.record(Timing())
    assert ours.fills > 0
    assert np.array_equal(ours.markets[0].quotes, theirs.markets[0].quotes)
    assert np.array_equal(ours.markets[1].trades, theirs.markets[1].trades)
    for own, their in zip(ours.strategies, theirs.strategies, strict=True):
        assert np.array_equal(own.standings, their.standings)


@pytest.mark.parametrize("step", [7, 101, 333])
def test_a_checkpoint_within_idle_time_goes_on_to_the_same(step: int) -> None:
    scenario = scenario_of(sleepers(300), seed=SEED, duration_s=60)
    whole, begun, resumed = world_of(scenario), world_of(scenario), world_of(scenario)
    begun.run(step)
    assert begun.step_no == step
    resumed.resume(begun.checkpoint())
    resumed.run()
    whole.run()
    begun.run()
    assert resumed.state_hash() == begun.state_hash() == whole.state_hash()


def test_a_world_of_makers_who_always_look_is_stepped_through() -> None:
    scenario = scenario_of(
        sleepers(300)
        .replace("noise", "ladder", 2)
        .replace("parameters = {activity_ppm = 300}", "", 1),
        seed=SEED,
        duration_s=10,
    )
    stepped, passed = world_of(scenario), world_of(scenario)
    while not stepped.done:
        stepped.step()
    state_hash, taken = counted(passed)
    assert (state_hash, taken) == (stepped.state_hash(), scenario.steps)


@pytest.mark.parametrize("count", [1, 2, 30, 400, 20_000])
@pytest.mark.parametrize("ascending", [True, False])
def test_rows_are_ordered_as_a_stable_sort_orders_them(count: int, ascending: bool) -> None:
    print(f"seed {SEED}")
    dice, rows = np.random.default_rng(SEED), empty_commands(count)
    accounts = dice.integers(1, 2**24, count) if count < 1_000 else dice.integers(1, 500, count)
    rows["account_id"] = np.sort(accounts) if ascending else accounts
    rows["time_us"] = 700_000 + dice.integers(0, dice.choice([1, 200, 100_000]), count)
    rows["kind"], rows["quantity_lots"] = CommandKind.PLACE, np.arange(count)
    wanted = rows[np.lexsort((rows["account_id"], rows["time_us"]))]
    assert np.array_equal(in_order([rows[: count // 3], rows[count // 3 :]], 700_000), wanted)
    assert np.array_equal(in_order([rows], 700_000), wanted)


@pytest.mark.parametrize("base", [0, 2**40])
def test_packed_events_are_those_of_the_accounts_with_all_that_is_learned_from(base: int) -> None:
    print(f"seed {SEED}")
    dice, events = np.random.default_rng(SEED), np.zeros(2_000, EVENT)
    for name in ("account_id", "maker_account_id"):
        events[name] = base + dice.integers(0, 2**24, 2_000)
    events["kind"], events["side"] = dice.integers(1, 8, 2_000), dice.integers(0, 3, 2_000)
    events["flags"], events["price_ticks"] = dice.integers(0, 8, 2_000), 2**31 - 1
    events["reason"], events["quantity_lots"] = dice.integers(0, 32, 2_000), 2**40
    events["order_id"] = dice.integers(-(2**62), 2**62, 2_000)
    traded = events["kind"] == EventKind.TRADE
    events["maker_order_id"][traded] = dice.integers(-(2**62), 0, traded.sum())
    edges = [(5, 2**22), (2**22, 2**23), (2**23 + 9, 2**24)]
    parts = [range(base + first, base + stop) for first, stop in edges]
    wanted = [list(plainly_told(events, ids)) for ids in parts]
    assert all(wanted)
    for own, packed in zip(wanted, packed_for(events, bounds_of(parts)), strict=True):
        assert packed.tolist() == own
    for own, ids in zip(wanted, parts, strict=True):
        [packed] = packed_for(events, bounds_of([ids]))
        assert packed.tolist() == own
        assert joined_packed([packed[:7], packed[7:7], packed[7:]]).tolist() == own
    assert [len(one) for one in packed_for(events[:0], bounds_of(parts))] == [0, 0, 0]
    assert len(joined_packed([])) == 0


def plainly_told(events: Rows, ids: range) -> Iterator[list[int]]:
    """The words of rows/packed.py, event by event."""
    for event in events.tolist():
        names = dict(zip(EVENT.names or (), event, strict=True))
        owner, maker = names["account_id"], names["maker_account_id"]
        if owner in ids or maker in ids:
            traded = names["kind"] == EventKind.TRADE
            places = [one - ids.start + 1 if one in ids else 0 for one in (owner, maker)]
            codes = [names[name] for name in ("kind", "reason", "side", "flags")]
            order_id = names["maker_order_id" if traded else "order_id"]
            last = names["price_ticks"] + sum(one << (32 + 8 * n) for n, one in enumerate(codes))
            yield [order_id, places[0] + (places[1] << 32), names["quantity_lots"], last]
