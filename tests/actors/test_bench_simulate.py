"""The benchmark of simulations runs; what it measures is not judged here."""

import json

import pytest

from actors.bench.simulate import bench_simulate
from actors.bench.simulate_scenarios import noise, scaled, scenario_text
from sim.scenario.scenario import parse_scenario
from storage.files.scenario_file import SHIPPED_DIRECTORY


def test_one_part_prints_one_object_with_the_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench_simulate("rmsc04", runs=1, share=0.0001, as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["machine"]["cores"] >= 1
    assert {line["part"] for line in found["lines"]} == {"rmsc04"}
    assert all(line["ours"] > 0 for line in found["lines"])


def test_an_unknown_part_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench_simulate("speed", runs=1, share=1, as_json=False) == 1
    assert "allowed is one of bourse, pams, rmsc04" in capsys.readouterr().err


def test_the_million_is_scaled_by_its_traders_alone() -> None:
    text = (SHIPPED_DIRECTORY / "million.toml").read_text()
    whole, tenth = parse_scenario(text), parse_scenario(scaled(text, 100_000))
    assert tenth.accounts == pytest.approx(whole.accounts / 10, rel=0.001)
    assert tenth.world.markets == whole.world.markets


def test_a_measured_scenario_has_the_steps_it_was_asked_for() -> None:
    scenario = parse_scenario(scenario_text("bench", 1, 300, 2, noise(10, 500)))
    assert (scenario.steps, len(scenario.world.markets), scenario.accounts) == (300, 2, 10)
