"""What a hostile file or name says comes out of a command as text, and moves nobody's cursor."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from actors.cli import app
from storage.log_stream import LogStream
from tests.actors.test_pool_command import FIRST_PRICE, one_life, replay, step, written
from tests.sim.scenario_texts import BTC, HEAD, NOISE
from tests.waiting import PROGRAM_S_MAX

BELL = "\x1b]0;x\x07"
SHOWN = r"\x1b]0;x\x07"


def sandpit(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)])


@pytest.mark.parametrize("name", [BELL, "\r", "\u009b2J", "\u202e", "\ud800", "\x7f", "two\nlines"])
def test_names_of_a_file_of_pools_are_written_out(tmp_path: Path, name: str) -> None:
    life = one_life(FIRST_PRICE)
    life["sequences"][0]["owners"] = {name: 7}
    asked = one_life(FIRST_PRICE, step("burn", owner=name, tickLower=0, tickUpper=1, amount="0"))
    for document in (life, asked, {"sequences": [], name: 1}):
        done = replay(written(tmp_path / "asked.json", document))
        assert done.exit_code == 1
        assert done.stderr.endswith("\n")
        assert done.stderr[:-1].isprintable()


def test_a_scenario_and_its_path_are_written_out(tmp_path: Path) -> None:
    path = tmp_path / f"{BELL}.toml"
    path.write_text("seed = 1")
    for command in (("simulate", path), ("bench", "facts", path), ("simulate", f"{BELL}[red]")):
        done = sandpit(*command)
        assert done.exit_code == 1
        assert SHOWN in done.stderr
        assert done.stderr[:-1].isprintable()


def test_the_doctor_shows_what_it_is_told(tmp_path: Path) -> None:
    done = sandpit("doctor", "--data-dir", tmp_path / "none", "--world", f"[red]{BELL}")
    assert f"problem  world: [red]{SHOWN}: no such file" in done.stdout
    assert all(line.isprintable() for line in done.stdout.splitlines())


def test_half_a_character_in_a_path_is_printed(tmp_path: Path) -> None:
    scenario_file = tmp_path / "tiny.toml"
    scenario_file.write_text(HEAD.format(seed=3, duration_s=1) + BTC + NOISE)
    out = os.fsdecode(os.fsencode(tmp_path) + b"/\xff")
    command = [sys.executable, "-c", "from actors.entry import main; main()"]
    done = subprocess.run(
        [*command, "simulate", scenario_file, "--duration", "1s", "--actors", "0", "--out", out],
        capture_output=True,
        check=False,
        timeout=PROGRAM_S_MAX,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
    assert rb"\udcff/report.html" in done.stdout


def test_lines_of_a_log_are_written_out(tmp_path: Path) -> None:
    stream = LogStream.at(path := tmp_path / "one.log")
    stream.write(f"{BELL}\ud800\nand on\n")
    stream.write(json.dumps({"event": "é\x7f"}, ensure_ascii=False) + "\n")
    stream.close()
    assert path.read_text() == f'{SHOWN}\\ud800\nand on\n{{"event": "é\\x7f"}}\n'
