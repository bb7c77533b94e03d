"""The worked lives once more, decided by a mind from block to block."""

from decimal import Decimal
from typing import Any

import pytest

from sim.droid.states import Active, Status
from tests.sim.droid_facts import POOLS, SPELLED, config_of, facts, named, texts
from tests.sim.droid_world import World

Told = dict[str, Any]
LAGGING = {"fall-43", "hysteresis-keeps"}
"""Their signals are not the pool's price."""

LIVES = [life for life in facts("lives")["lives"] if life["name"] not in LAGGING]


def world_of(life: Told) -> World:
    config = config_of(
        life["config"],
        POOLS[life["poolId"]],
        ladder_margin=Decimal(life["ladderPercMargin"]),
        trigger_type="SPOT",
        derivative_threshold=0,
    )
    background = tuple(
        (step["tickLower"], step["tickUpper"], int(step["liquidity"]))
        for step in life["steps"]
        if step["step"] == "background mint"
    )
    return World(config, life["start"]["price"], life["poolId"], background=background)


def step(world: World, told: Told) -> None:
    kind = told["step"]
    if kind == "others swap to price":
        world.others_move_to(told["price"])
    elif kind.startswith("PATCH"):
        changes = {SPELLED[name]: value for name, value in told.items() if name in SPELLED}
        world.patch(**changes)
        world.fund(int(told.get("moved_from_paper_account", 0)))
    elif kind in ("place", "rebalance"):
        world.until_quiet()
        check_plan(world, told)
    elif kind == "valuation":  # which told positions their fees, and so did whoever wrote the file
        for bucket in world.rungs:
            world.pool.burn(world.time_s, world.key(bucket), 0)


def check_plan(world: World, told: Told) -> None:
    minted = {one["bucket"]: int(one["liquidity"]) for one in told["minted"]}
    assert world.rungs.items() >= minted.items()
    assert sorted(world.rungs) == sorted([*told["kept"], *minted])
    after = told.get("wallet_after", told["wallet_after_closing"])
    assert texts(world.wallet) == after


@pytest.mark.parametrize("life", **named(LIVES))
def test_a_mind_decides_as_it_was_worked_out(life: Told) -> None:
    world = world_of(life)
    for told in life["steps"]:
        step(world, told)
    plans = sum(told["step"] in ("place", "rebalance") for told in life["steps"])
    assert world.state.completed == plans
    world.active = Active.CLOSE
    world.until_quiet()
    assert world.state.status is Status.STOPPED
    assert texts(world.wallet) == life["steps"][-1]["wallet_after"]
