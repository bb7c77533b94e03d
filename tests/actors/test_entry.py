"""The command before it is loaded, and what it says of itself."""

import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from actors.cli import app
from storage.files.scenario_file import shipped_scenarios
from tests.waiting import PROGRAM_S_MAX

INTERRUPTED_WHILE_IT_LOADS = """
import os, signal, sys

class Bell:
    def find_spec(self, name, *rest):
        if name == "{module}":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Bell())
sys.argv = ["sandpit", "simulate", "calm", "--duration", "1s"]
from actors.entry import main
main()
"""


@pytest.mark.parametrize("module", ["typer", "actors.simulate.command", "sim.stepping.rehearsal"])
def test_ctrl_c_while_it_loads_is_no_traceback(module: str) -> None:
    command = [sys.executable, "-c", INTERRUPTED_WHILE_IT_LOADS.format(module=module)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=PROGRAM_S_MAX
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_it_says_its_version() -> None:
    done = CliRunner().invoke(app, ["--version"])
    assert done.exit_code == 0
    assert done.stdout.startswith("sandpit 0.")


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_of_simulate_names_every_scenario_that_ships(flag: str) -> None:
    done = CliRunner().invoke(app, ["simulate", flag])
    assert done.exit_code == 0
    assert all(f" {name}: " in done.stdout for name in shipped_scenarios())
