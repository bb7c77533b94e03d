"""After a rehearsal a run compiles nothing: what is timed is the run."""

import random
import subprocess
import sys

import pytest

from sim.scenario.scenario import Scenario
from sim.stepping.rehearsal import rehearse
from tests.sim.test_degenerate_scenarios import read, scenario_text
from tests.waiting import PROGRAM_S_MAX

SEED, TEXTS = 3, 250
SHORT_S = {"flash-crash": 30, "rmsc04": 60}
COUNTED = """
import gc, sys
from dataclasses import replace
from numba.core.registry import CPUDispatcher
from sim.book.engine import warm_up
from sim.stepping.rehearsal import rehearse
from sim.stepping.world import SimulatedWorld, Timing
from storage.files.scenario_file import load_scenario, scenario_prices

def signatures():
    found = [one for one in gc.get_objects() if isinstance(one, CPUDispatcher)]
    return {(one.__module__, one.__name__, str(of)) for one in found for of in one.signatures}

name, seconds = sys.argv[1], int(sys.argv[2])
scenario = load_scenario(name)
steps = seconds * 1_000_000 // scenario.step_us
sooner = tuple(
    replace(one, step=1 + one.step * (steps - 1) // scenario.steps) for one in scenario.happenings
)
scenario = replace(scenario, steps=steps, happenings=sooner)
warm_up()
rehearse(scenario)
known = signatures()
world = SimulatedWorld(scenario, scenario_prices(scenario))
world.run()
record = world.record(Timing())
assert record.fills > 0
assert len(known) > 20
print(sorted(signatures() - known))
"""


@pytest.mark.parametrize("name", sorted(SHORT_S))
def test_a_run_compiles_nothing_that_its_rehearsal_has_not(name: str) -> None:
    command = [sys.executable, "-c", COUNTED, name, str(SHORT_S[name])]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=PROGRAM_S_MAX
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"


def test_whatever_can_be_run_can_be_rehearsed() -> None:
    rehearsed = 0
    for seed in range(SEED, SEED + TEXTS):
        print(f"seed {seed}")
        scenario = read(scenario_text(random.Random(seed)))
        if isinstance(scenario, Scenario):
            rehearse(scenario)
            rehearsed += 1
    assert rehearsed > TEXTS // 5
