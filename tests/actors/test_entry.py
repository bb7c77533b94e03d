"""The command before it is loaded, and what it says of itself."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from actors.cli import app
from storage.files.scenario_file import shipped_scenarios
from tests.waiting import PROGRAM_S_MAX

ROOT = Path(__file__).parents[2]
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


PRINTING = [["--version"], ["simulate", "--help"], ["doctor"], ["pool", "replay", "asked.json"]]


def run_into(output: int, arguments: list[str], folder: Path, **more: str) -> tuple[int, str]:
    """The exit code, and what is said on standard error."""
    (folder / "asked.json").write_text('{"sequences": []}')
    command = [sys.executable, "-c", "from actors.entry import main; main()", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "SANDPIT_DATA_DIR": str(folder)} | more
    done = subprocess.run(
        command,
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=PROGRAM_S_MAX,
        cwd=folder,
        env=environment,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", PRINTING)
def test_what_cannot_be_printed_is_one_sentence(
    tmp_path: Path, arguments: list[str], unbuffered: str
) -> None:
    with open("/dev/full", "wb") as full:
        said = run_into(full.fileno(), arguments, tmp_path, PYTHONUNBUFFERED=unbuffered)
    sentence = "sandpit: Standard output cannot be written: No space left on device.\n"
    assert said == (1, sentence)


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", PRINTING)
def test_a_reader_who_leaves_is_no_traceback(
    tmp_path: Path, arguments: list[str], unbuffered: str
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert run_into(writer, arguments, tmp_path, PYTHONUNBUFFERED=unbuffered) == (1, "")
    finally:
        os.close(writer)
