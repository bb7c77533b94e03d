"""Scenarios that differ in anything have different marks: every field is changed once."""

import copy
import dataclasses
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from sim.identity import identity
from sim.scenario.markets import Replay
from sim.scenario.scenario import MarketPast, Scenario
from sim.scenario.world import with_replay
from sim.stepping.checkpoint import StateUnreadable
from sim.stepping.world import scenario_mark
from tests.sim.scenario_texts import EVERYONE, scenario_of, world_of
from tests.sim.test_world_idle import SHOCKS

ACTIVITY = "\n[activity]\ncourse_percent = [90, 110]\n"
HEAD_MORE = 'insurance = "10"\nmargin_check_ms = 700\nsample_ms = 900\n'


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    scenario = scenario_of(HEAD_MORE + EVERYONE + SHOCKS + ACTIVITY, duration_s=60)
    world = with_replay(scenario.world, "ETH-PERP", Replay("trades.csv", False, "abc"))
    world = dataclasses.replace(world, symbols=(("BTC/USDT", "BTC-PERP"),))
    past = (MarketPast("BTC-PERP", ((-60_000_000, 9, 9, 8, 8, 5),)),)
    return dataclasses.replace(scenario, world=world, past=past)


def with_field(described: Any, name: str, value: Any) -> Any:
    """A copy that nobody validates."""
    changed = copy.copy(described)
    object.__setattr__(changed, name, value)
    return changed


def changes(value: Any) -> Iterator[tuple[str, Any]]:
    """The value with one thing in it changed, in every way, and what that was."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            for where, changed in changes(getattr(value, field.name)):
                yield f".{field.name}{where}", with_field(value, field.name, changed)
    elif isinstance(value, tuple):
        for place, item in enumerate(value):
            for where, changed in changes(item):
                yield f"[{place}]{where}", (*value[:place], changed, *value[place + 1 :])
        yield "[:-1]", value[:-1]
    elif isinstance(value, Enum):
        yield "", next(member for member in type(value) if member != value)
    elif isinstance(value, bool):
        yield "", not value
    elif isinstance(value, int | Decimal):
        yield "", value + 1
    elif value is None:
        yield "", "something"
    else:
        yield "", value + "x"


def test_whatever_is_changed_the_mark_is_another(scenario: Scenario) -> None:
    marks = {scenario_mark(scenario): "nothing"}
    for where, changed in changes(scenario):
        mark = scenario_mark(changed)
        assert mark not in marks, f"{where} makes no difference to {marks.get(mark)}"
        marks[mark] = where
    assert len(marks) > 100
    assert {".insurance_atoms", ".margin_steps", ".sample_steps", ".steps"} <= set(marks.values())


def test_equal_scenarios_have_equal_marks(scenario: Scenario) -> None:
    again = copy.deepcopy(scenario)
    assert again == scenario
    assert scenario_mark(again) == scenario_mark(scenario)
    assert identity(Decimal("0.10")) == identity(Decimal("0.1"))
    assert identity((1, 2)) != identity((12,))
    with pytest.raises(TypeError):
        identity(object())


@pytest.mark.parametrize("name", ["insurance_atoms", "margin_steps", "sample_steps", "activity"])
def test_a_checkpoint_of_a_scenario_that_differs_in_anything_is_refused(
    scenario: Scenario, name: str
) -> None:
    small = scenario_of(HEAD_MORE + EVERYONE + ACTIVITY)
    checkpoint = world_of(small).checkpoint()
    other = next(one for where, one in changes(small) if where.startswith(f".{name}"))
    with pytest.raises(StateUnreadable, match="another scenario or seed"):
        world_of(other).resume(checkpoint)
    longer = dataclasses.replace(small, steps=small.steps + 100)
    world_of(longer).resume(checkpoint)
