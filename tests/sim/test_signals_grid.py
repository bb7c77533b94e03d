"""Grids of strategies: every combination once, and everything that is wrong once."""

from decimal import Decimal
from typing import Any

import pytest

from sim.signals.bounds import TermsRefused
from sim.signals.grid import combinations, faults_of

RSI, QUORUM = "agents.technical.rsi_period", "voting.quorum"


def test_every_combination_changes_its_terms_and_leaves_the_others() -> None:
    base = {"name": "calm", "agents": {"technical": {"rsi_low": 20}}}
    found = combinations(base, {RSI: [10, 14], QUORUM: [Decimal("0.5"), 1]})
    assert [dict(one.changes) for one in found] == [
        {RSI: 10, QUORUM: Decimal("0.5")}, {RSI: 10, QUORUM: 1},
        {RSI: 14, QUORUM: Decimal("0.5")}, {RSI: 14, QUORUM: 1},
    ]  # fmt: skip
    terms = [one.strategy.terms for one in found]
    assert [one.agents.technical.rsi_period for one in terms] == [10, 10, 14, 14]
    assert [one.voting.quorum for one in terms] == [0.5, 1, 0.5, 1]
    assert {one.agents.technical.rsi_low for one in terms} == {20}
    assert {one.strategy.name for one in found} == {"calm"}


def test_without_a_grid_there_is_the_strategy_itself() -> None:
    (one,) = combinations({}, {})
    assert one.changes == {}


def test_every_fault_is_told_once_under_the_field_it_comes_from() -> None:
    base = {"voting": {"wisdom": 1}}
    grid: dict[str, list[Any]] = {RSI: [1, 14], QUORUM: [2, 3], "name": ["x"]}
    with pytest.raises(TermsRefused) as caught:
        combinations(base, grid)
    told = faults_of(caught.value, grid, "strategy", "grid")
    assert [at for at, _, _ in told].count("strategy.voting.wisdom") == 1
    assert {at for at, _, _ in told} == {
        "strategy.voting.wisdom", f"grid.{RSI}", f"grid.{QUORUM}", "grid.name",
    }  # fmt: skip


def test_terms_that_do_not_go_together_are_told() -> None:
    with pytest.raises(TermsRefused) as caught:
        combinations({}, {"agents.technical.ema_fast": [9, 50]})
    assert [at for at, _ in caught.value.faults] == ["agents.technical.ema_fast"]


def test_no_grid_has_more_than_thirty_two() -> None:
    assert len(combinations({}, {RSI: [*range(10, 18)], QUORUM: [0.1, 0.2, 0.3, 0.4]})) == 32
    with pytest.raises(TermsRefused, match="33 combinations, allowed are at most 32"):
        combinations({}, {RSI: [*range(10, 43)]})


@pytest.mark.parametrize("values", [[10, 10], [10, Decimal("10.0")], [10, 12, 10.0]])
def test_no_value_is_tried_twice_however_it_is_written(values: list[Any]) -> None:
    with pytest.raises(TermsRefused) as caught:
        combinations({}, {RSI: values})
    ((at, said),) = caught.value.faults
    assert (at, "twice" in said) == (RSI, True)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("agents..rsi", "names no value"),
        (".", "names no value"),
        ("agents.", "names no value"),
        ("agents.wise.rsi", "agents.wise is not known"),
    ],
)
def test_a_path_that_leads_nowhere_is_told_as_the_grid_s(path: str, said: str) -> None:
    grid = {path: [1]}
    with pytest.raises(TermsRefused) as caught:
        combinations({}, grid)
    ((at, where, sentence),) = faults_of(caught.value, grid, "strategy", "grid")
    assert (at, where) == (f"grid.{path}", "grid")
    assert said in sentence
