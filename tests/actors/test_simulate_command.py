import html
import json
import os
import random
import re
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from typer.testing import CliRunner, Result

from actors.cli import app
from sim.book.engine import warm_up
from sim.stepping.world import SimulatedWorld
from storage.files.scenario_file import load_scenario, scenario_prices
from storage.runs.run_directory import RunDirectory
from tests.sim.scenario_texts import BTC, EVERYONE, HEAD, NOISE
from tests.sim.test_world_shocks import SELLER
from tests.waiting import PROGRAM_S_MAX, eventually, within

COMMAND = [sys.executable, "-m", "actors.cli", "simulate"]
WELL_UNDER_WAY_S, SEED = 1.6, 17


@pytest.fixture
def scenario_file(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(HEAD.format(seed=3, duration_s=4) + EVERYONE)
    return path


def simulate(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=PROGRAM_S_MAX
    )


def refusal(*arguments: object) -> str:
    """The one sentence with which a command line is refused, in this process."""
    done = CliRunner().invoke(app, ["simulate", *map(str, arguments)])
    assert (done.exit_code, done.stderr.count("\n"), done.stdout) == (1, 1, "")
    return done.stderr


def run_json(*arguments: object) -> dict[str, Any]:
    done = simulate(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout, parse_constant=not_json)
    return answer


def run_here(*arguments: object) -> Result:
    """The same in this process, where that it is one of its own is not what is tested."""
    done = CliRunner().invoke(app, ["simulate", *map(str, arguments)])
    assert done.exit_code == 0, done.stderr
    return done


def not_json(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def real_trades(path: Path, count: int = 50) -> Path:
    """A file as Binance publishes it: a trade every 100 ms."""
    lines = [f"{n},60000.{n % 7},0.5,30000,{1723161000000 + 100 * n},true" for n in range(count)]
    path.write_text("\n".join(["id,price,qty,quote_qty,time,is_buyer_maker", *lines]))
    return path


def test_json_is_one_object_and_files_stand_beside_it(scenario_file: Path, tmp_path: Path) -> None:
    out, real = tmp_path / "out", real_trades(tmp_path / "BTCUSDT-trades.csv")
    summary = run_json(
        scenario_file, "--out", out, "--actors", 0, "--duration", "3s", "--compare", real
    )
    assert (summary["seed"], summary["steps"]) == (3, 30)
    assert {one["name"] for one in summary["strategies"]} == {"makers", "noise", "momentum"}
    assert json.loads((out / "summary.json").read_text()) == summary
    assert summary["command"].startswith("sandpit simulate ")
    assert str(scenario_file) in summary["command"]
    assert summary["version"].startswith("0.")
    assert summary["made_at"].endswith(" UTC")
    assert summary["command"] in html.unescape((out / "report.html").read_text())
    profits = [Decimal(one["pnl"]) for one in (*summary["strategies"], *summary["others"])]
    assert (any(profits), sum(profits)) == (True, 0)
    with np.load(out / "record.npz") as arrays:
        assert len(arrays["BTC-PERP.trades"]) + len(arrays["ETH-PERP.trades"]) == summary["fills"]
    assert not (out / "checkpoint.bin").exists()
    facts = {one["name"]: len(one["facts"]) for one in summary["stylised_facts"]}
    assert facts == {"BTC-PERP": 11, "ETH-PERP": 11}
    compared = summary["compared"]
    assert (compared["file"], compared["markets"]) == (real.name, ["BTC-PERP"])
    assert all("sharpe" in one and "max_drawdown" in one for one in summary["strategies"])
    page = (out / "report.html").read_text()
    assert f"Real trades: {real.name}, compared with BTC-PERP." in page
    assert summary["state_hash"] in page


def test_a_run_that_is_compared_keeps_every_trade_unless_told_otherwise(
    scenario_file: Path, tmp_path: Path
) -> None:
    scenario_file.write_text(f'record = "sampled"\n{scenario_file.read_text()}')
    real = real_trades(tmp_path / "trades.csv")
    command = ["simulate", str(scenario_file), "--actors", "0", "--out", str(tmp_path / "out")]
    kept = []
    for more in ([], ["--compare", str(real)], ["--compare", str(real), "--record", "sampled"]):
        done = CliRunner().invoke(app, [*command, "--json", *more])
        assert done.exit_code == 0, done.stderr
        summary = json.loads(done.stdout)
        kept.append(sum(one["trades"] for one in summary["stylised_facts"]) / summary["fills"])
        whys = [fact["why"] for one in summary["stylised_facts"] for fact in one["facts"]]
        assert any("it needs all (--record all)" in (why or "") for why in whys) == (kept[-1] < 1)
    assert kept[0] == kept[2] < 0.2
    assert kept[1] == 1


def test_lines_and_a_table_where_no_terminal_is(scenario_file: Path, tmp_path: Path) -> None:
    done = run_here(scenario_file, "--out", tmp_path / "out", "--seed", 9)
    assert "one process, for 110 decisions a step" in done.stderr
    assert "state hash: " in done.stdout
    assert f"report: {tmp_path / 'out' / 'report.html'}\n" in done.stdout
    assert "facts: BTC-PERP, ETH-PERP none can be judged: under 300 returns" in done.stdout
    assert "momentum" in done.stdout
    assert re.search(r"fees of the exchange +│ +│ +[\d.,]+ │", done.stdout)
    assert re.search(r"sum +│ +│ +0\.00 │", done.stdout)


def test_what_was_done_of_a_shock_is_said_not_what_was_planned(tmp_path: Path) -> None:
    text = BTC + NOISE + SELLER.format(quantity="40")
    path = tmp_path / "thin.toml"
    path.write_text(HEAD.format(seed=1, duration_s=5) + text)
    done = CliRunner().invoke(app, ["simulate", str(path), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.stderr
    [shock] = json.loads((tmp_path / "out" / "summary.json").read_text())["shocks"]
    assert 0 < Decimal(shock["traded"]) < Decimal(shock["quantity"]) == 40
    assert f"sold {shock['traded']} of 40 in BTC-PERP from 0:00:02 to 0:00:0" in done.stdout
    page = (tmp_path / "out" / "report.html").read_text()
    assert f"sold {shock['traded']} of 40 BTC</b> at " in page
    assert "; the run ended before the rest" in page


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("duration_s = 4", "duration_s = 0", "duration_s: found 0, allowed is a whole number"),
        ('strategy = "noise"', 'strategy = "luck"', "strategy: found 'luck', allowed is one of"),
        ("heads = 5000", "heads = 5000\nhats = 1", "populations[1].hats: unknown, allowed here"),
    ],
)
def test_a_wrong_scenario_is_one_sentence_and_nothing_starts(
    scenario_file: Path, tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    scenario_file.write_text(scenario_file.read_text().replace(old, new))
    said = refusal(scenario_file, "--out", tmp_path / "out")
    assert sentence in said
    assert str(scenario_file) in said
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_run_is_one_sentence(scenario_file: Path, tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "FIFO")
    for arguments, sentence in (
        (("nowhere",), "no such file, and not one of the scenarios"),
        ((pipe,), "it is not a regular file"),
        (("replay", "--replay", pipe), "it is not a regular file"),
        ((scenario_file, "--compare", pipe), "it is not a regular file"),
        ((scenario_file, "--actors", "many"), "allowed is auto or 0 to 64"),
        ((scenario_file, "--actors", "9" * 5_000), "allowed is auto or 0 to 64"),
        (("pool-and-book", "--actors", 2), "allowed is auto or 0: a scenario with a chain runs in"),
        ((scenario_file, "--record", "some"), "allowed is one of none, sampled, all"),
        ((scenario_file, "--resume", tmp_path), "holds no checkpoint"),
        ((scenario_file, "--out", scenario_file), "is a file, the results need a directory"),
        ((scenario_file, "--duration", "soon"), "such as 90, 90s, 10m, 2h or 1d, from 1s to 31d"),
    ):
        assert sentence in refusal(*arguments)


@pytest.mark.parametrize("seed", [2**63, 2**64, 10**30])
def test_a_seed_that_is_too_large_is_one_sentence(scenario_file: Path, seed: int) -> None:
    said = refusal(scenario_file, "--seed", seed)
    assert f"seed: found {seed}, allowed is a whole number from 0 to {2**63 - 1}." in said


def test_a_scenario_without_traders_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "nobody.toml"
    path.write_text(HEAD.format(seed=3, duration_s=4) + BTC)
    assert "populations: found nothing, allowed is from 1 to 1000 tables" in refusal(path)


def test_a_damaged_checkpoint_is_one_sentence(scenario_file: Path, tmp_path: Path) -> None:
    scenario, dice = load_scenario(str(scenario_file)), random.Random(SEED)
    print(f"seed {SEED}")
    world = SimulatedWorld(scenario, scenario_prices(scenario))
    world.run(10)
    out = RunDirectory(tmp_path / "out")
    data = world.checkpoint()
    for spoilt in (data[: len(data) // 2], b"", b"PK\3\4" + data):
        out.write_checkpoint(spoilt)
        said = refusal(scenario_file, "--resume", out.path)
        assert "cannot be resumed: the checkpoint is damaged" in said
    for _ in range(10):
        changed = bytearray(data)
        changed[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        out.write_checkpoint(bytes(changed))
        said = refusal(scenario_file, "--resume", out.path)
        assert "cannot be resumed: the checkpoint is damaged" in said


def test_what_a_shorter_duration_leaves_out_is_said_loudly(tmp_path: Path) -> None:
    done = run_here("flash-crash", "--duration", "2s", "--out", tmp_path / "out", "--json")
    sentence = "the sell shock of BTC-PERP at 600 s is left out: the run ends after 2 s"
    assert f"sandpit: {sentence}.\n" in done.stderr
    assert json.loads(done.stdout)["left_out"] == [sentence]
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["left_out"] == [sentence]


def test_results_of_scenarios_that_differ_lie_apart(
    scenario_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = scenario_file.read_text()
    for insurance in ("", 'insurance = "5"\n', 'insurance = "6"\n'):
        scenario_file.write_text(insurance + text)
        arguments = ["simulate", str(scenario_file), "--duration", "1s", "--actors", "0", "--json"]
        assert CliRunner().invoke(app, arguments).exit_code == 0
    kept = sorted(path.parent.name for path in (tmp_path / "simulations").glob("*/summary.json"))
    assert len(kept) == 3
    assert all(name.startswith("small-3-") for name in kept)


def test_an_interrupted_run_is_resumed_to_the_same_hash(
    scenario_file: Path, tmp_path: Path
) -> None:
    warm_up()  # compiled code is kept on disk: the run below finds it
    out = tmp_path / "out"
    command = [*COMMAND, str(scenario_file), "--out", str(out), "--duration", "1d"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "small, seed 3" in within(process.stderr.readline)
        begun_s = work_done_s(process)
        eventually(lambda: work_done_s(process) > begun_s + WELL_UNDER_WAY_S, timeout_s=60)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    partial = json.loads((out / "summary.json").read_text())
    assert 0 < partial["steps"] < partial["steps_planned"] == 864_000
    assert "partial: 0:0" in (out / "report.html").read_text()
    duration = ("--duration", int(partial["simulated_seconds"]) + 5)
    resumed = run_json(scenario_file, "--resume", out, *duration)
    out = tmp_path / "whole"
    whole = json.loads(
        run_here(scenario_file, "--out", out, "--actors", 0, "--json", *duration).stdout
    )
    assert resumed["state_hash"] == whole["state_hash"]
    assert resumed["orders"] == whole["orders"] > partial["orders"]
    assert resumed["wall_seconds"] > partial["wall_seconds"] > 0


def work_done_s(process: subprocess.Popen[str]) -> float:
    """How long a process has computed."""
    return float(psutil.Process(process.pid).cpu_times().user)
