"""Run, pause, reset, close all: what a droid makes of them wherever it is."""

import pytest

from sim.droid.acts import CloseRung, MintRung
from sim.droid.memory import MindState
from sim.droid.states import DUTIES, Active, Duty, Note, Stage, Status, duty
from sim.droid.written import read_as, written
from tests.sim.droid_world import GWEI, World

STAGES = {Stage.CLOSE: 0, Stage.SWAP: 1, Stage.MINT: 2}
"""Blocks after the price has left the ladder, when a stage's transactions are on their way."""


def placed() -> World:
    world = World()
    world.until_quiet()
    return world


def mid_plan(stage: Stage) -> World:
    world = placed()
    world.block("4500")
    world.blocks(STAGES[stage])
    assert world.state.plan is not None
    assert world.state.plan.stage is stage
    assert world.state.pending
    return world


def test_everything_that_may_be_wished_has_a_duty_in_every_state() -> None:
    assert set(DUTIES) == set(Status)
    assert all(len(duties) == len(Active) for duties in DUTIES.values())
    assert duty(Status.STOPPED, Active.RUN) is Duty.OPEN
    assert duty(Status.CLOSING, Active.CLOSE) is Duty.CLOSE


def test_a_droid_that_nobody_has_started_does_nothing() -> None:
    world = World(active=Active.PAUSE)
    world.blocks(3, "4000")
    assert world.state == MindState()


def test_a_paused_droid_sends_nothing_and_its_signal_goes_on() -> None:
    world = placed()
    rungs = dict(world.rungs)
    world.active = Active.PAUSE
    world.blocks(3, "4500")
    assert (world.rungs, world.state.status) == (rungs, Status.PAUSED)
    assert round(world.state.live_signal.value, 6) == 4500
    world.active = Active.RUN
    assert {type(act) for act in world.block()} == {CloseRung}
    assert (world.state.session, world.state.status) == (1, Status.RUNNING)


def test_what_is_wished_already_changes_nothing() -> None:
    world = placed()
    before = world.state
    world.active = Active.RUN
    world.decide()
    assert world.state == before


def test_all_is_closed_and_the_session_ends() -> None:
    world = placed()
    world.active = Active.CLOSE
    world.until_quiet()
    assert (world.rungs, world.state.status) == ({}, Status.STOPPED)
    assert world.active is Active.CLOSE
    world.blocks(3, "5000")
    world.active = Active.RUN
    world.until_quiet()
    assert (world.state.session, len(world.rungs)) == (2, 5)


def test_a_reset_closes_all_and_begins_anew_with_what_is_in_the_wallet() -> None:
    world = placed()
    world.block("3300")
    spent = world.state.gas_spent
    world.active = Active.RESET
    world.block("3500")
    assert world.state.status is Status.CLOSING
    world.block()
    assert (world.state.session, world.state.status) == (2, Status.RUNNING)
    assert world.active is Active.RUN
    assert (world.state.gas_spent, world.state.completed) == (0, 0)
    assert round(world.state.live_signal.reference, 6) == 3500
    world.until_quiet()
    assert len(world.rungs) == 5
    assert 0 < world.state.gas_spent < 2 * spent


def test_closing_waits_for_gas_that_it_may_pay() -> None:
    world = placed()
    world.active, world.base_fee_wei = Active.CLOSE, 80 * GWEI
    world.blocks(3)
    assert (len(world.rungs), world.state.status) == (5, Status.CLOSING)
    assert world.state.note is Note.GAS_PRICE
    world.base_fee_wei = 12 * GWEI
    world.until_quiet()
    assert (world.rungs, world.state.status) == ({}, Status.STOPPED)
    assert world.state.note is None


def test_closing_does_not_mind_the_bounds() -> None:
    world = placed()
    world.active = Active.CLOSE
    world.block("6500")
    world.until_quiet()
    assert world.state.status is Status.STOPPED


def test_closing_that_is_called_off_places_again_what_it_closed() -> None:
    world = placed()
    world.active = Active.CLOSE
    world.block()
    world.fails = lambda act: isinstance(act, CloseRung) and act.bucket in (324, 325)
    world.active = Active.RUN
    world.block()
    assert set(world.rungs) == {324, 325}
    world.until_quiet()
    assert (len(world.rungs), world.state.session) == (5, 1)


def test_closing_that_fails_again_and_again_pauses() -> None:
    world = placed()
    world.active = Active.CLOSE
    world.fails = lambda act: isinstance(act, CloseRung) and act.bucket == 325
    world.blocks(4)
    assert (world.state.status, world.state.note) == (Status.PAUSED, Note.FAILED)
    assert (world.active, set(world.rungs)) == (Active.PAUSE, {325})


@pytest.mark.parametrize("stage", list(STAGES))
def test_a_pause_in_the_middle_of_a_plan_lets_the_stage_end_and_stops(stage: Stage) -> None:
    world = mid_plan(stage)
    world.active = Active.PAUSE
    world.block()
    sent, rungs = len(world.sent), dict(world.rungs)
    world.blocks(3, "4400")
    assert (len(world.sent), world.rungs) == (sent, rungs)
    assert bool(rungs) == (stage is Stage.MINT)
    world.active = Active.RUN
    world.until_quiet()
    assert len(world.rungs) == 5


@pytest.mark.parametrize("stage", list(STAGES))
def test_what_was_sent_is_waited_for_and_sent_again_unchanged(stage: Stage) -> None:
    world = mid_plan(stage)
    pending, world.is_full = world.state.pending, True
    world.active = Active.PAUSE
    for _ in range(3):
        assert world.block("4400") == list(pending)
        assert (world.active, world.state.status) == (Active.PAUSE, Status.RUNNING)
    world.is_full = False
    assert world.block() == []
    assert world.state.status is Status.PAUSED


@pytest.mark.parametrize("stage", list(STAGES))
@pytest.mark.parametrize("wished", [Active.RESET, Active.CLOSE])
def test_closing_in_the_middle_of_a_plan_leaves_nothing_open(stage: Stage, wished: Active) -> None:
    world = mid_plan(stage)
    world.active = wished
    mints = sum(isinstance(act, MintRung) for act in world.sent)
    while world.state.session == 1 and world.state.status is not Status.STOPPED:
        world.block()
    minted = sum(isinstance(act, MintRung) for act in world.sent) - mints
    assert minted == (5 if stage is Stage.MINT else 0)
    assert world.rungs == {}
    world.until_quiet()
    assert len(world.rungs) == (5 if wished is Active.RESET else 0)


@pytest.mark.parametrize("stage", list(STAGES))
def test_other_bounds_in_the_middle_of_a_plan_are_kept_by_what_is_minted_next(stage: Stage) -> None:
    """World.mint asserts that no rung comes outside the bounds of its decision."""
    world = mid_plan(stage)
    world.patch(min_price=4450, max_price=6000)
    world.until_quiet()
    eligible = world.config.eligible(world.terms)
    assert len(world.rungs) == 4
    assert sorted(world.rungs) == list(eligible)


@pytest.mark.parametrize("stage", list(STAGES))
def test_what_is_remembered_in_the_middle_of_a_plan_can_be_read_again(stage: Stage) -> None:
    state = mid_plan(stage).state
    assert read_as(MindState, written(state)) == state
    assert state.pending[0].label.startswith(f"1/2/{stage.lower()}/")
