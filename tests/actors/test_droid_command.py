"""`sandpit simulate droid` leaves figures, arrays and a page; a grid ranks many."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from actors.cli import app
from tests.pool_logs import BUSY, DAY, packed, written_droid

ROOT = Path(__file__).parents[2]
GRID = "tickBuckets=1,2;maxBots=3,5"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["simulate", "droid", *map(str, arguments)])


def files(tmp_path: Path, **changes: str) -> tuple[str | Path, ...]:
    droid = written_droid(tmp_path, **BUSY | changes)
    return "--swaps", packed(DAY), "--droid", droid, "--out", tmp_path / "out"


def told(*arguments: str | Path) -> dict[str, Any]:
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_run_leaves_figures_arrays_and_a_page(tmp_path: Path) -> None:
    summary = told(*files(tmp_path))
    out = tmp_path / "out"
    assert json.loads((out / "summary.json").read_text()) == summary
    assert (summary["swaps"], summary["blocks"], summary["rebalances"]) == (266, 6877, 12)
    assert summary["droid"]["tickBuckets"] == 1
    with np.load(out / "record.npz") as arrays:
        aum = arrays["standings.aum"]
        assert f"{aum[-1] / 10**6:.6f}" == f"{float(summary['aum']):.6f}"
        fees = [sum(map(int, arrays[f"swap_fees.token{token}"])) for token in (0, 1)]
        assert fees[0] == float(summary["fees_by_token"]["USDC"]) * 10**6
        assert fees[1] == pytest.approx(float(summary["fees_by_token"]["WETH"]) * 10**18)
        assert set(arrays["rungs"][:, 2] - arrays["rungs"][:, 1]) == {60}
    page = (out / "report.html").read_text()
    assert len(page) < 1_000_000
    assert summary["state_hash"] in page
    for heading in ("Price and rungs", "Worth", "Fees", "Gas", "Impermanent loss", "Rebalances"):
        assert heading in page


def test_both_ways_of_swaps_and_another_base_fee_differ(tmp_path: Path) -> None:
    asked = files(tmp_path)
    usual, called = told(*asked), told(*asked, "--as-called")
    assert (usual["replays"], called["replays"]) == ("price-exact", "as-called")
    assert told(*asked, "--price-exact")["state_hash"] == usual["state_hash"]
    dear = told(*asked, "--base-fee", "30")
    assert float(dear["gas"]) > float(usual["gas"])
    assert len({one["state_hash"] for one in (usual, called, dear)}) == 3


def test_people_are_told_what_came_out(tmp_path: Path) -> None:
    done = run(*files(tmp_path))
    assert done.exit_code == 0
    assert "6,877 blocks, 266 swaps" in done.stdout
    assert "rebalances 12" in done.stdout
    assert str(tmp_path / "out" / "report.html") in done.stdout.replace("\n", "")


def test_a_grid_ranks_every_combination(tmp_path: Path) -> None:
    grid = told(*files(tmp_path), "--grid", GRID, "--actors", "0")
    ranked = grid["ranked"]
    assert [one["rank"] for one in ranked] == [1, 2, 3, 4]
    more = [float(one["more_than_held"]) for one in ranked]
    assert more == sorted(more, reverse=True)
    own = next(one for one in ranked if one["changes"] == {"tickBuckets": "1", "maxBots": "5"})
    assert own["state_hash"] == told(*files(tmp_path))["state_hash"]
    out = tmp_path / "out"
    assert json.loads((out / "grid.json").read_text()) == grid
    lines = (out / "grid.csv").read_text().splitlines()
    assert lines[0].startswith("rank,tickBuckets,maxBots,state_hash,")
    assert len(lines) == 5


@pytest.mark.ray
def test_a_grid_on_ray_is_the_same(tmp_path: Path) -> None:
    """In a process of its own: this one may have a Ray already."""
    asked = *files(tmp_path), "--grid", GRID
    here = told(*asked, "--actors", "0")
    words = "simulate", "droid", *map(str, asked), "--actors", "2", "--json"
    command = [sys.executable, "-m", "actors.entry", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ranked"] == here["ranked"]


REFUSALS = [
    (("--grid", "maxBot=3"), "--grid: found 'maxBot', allowed is FIELD=VALUE"),
    (("--grid", "maxBot=3"), "(nearest: maxBots)"),
    (("--grid", "maxBots=3;maxBots=4"), "--grid: maxBots stands in it twice"),
    (("--grid", "maxBots="), "--grid: maxBots: found '', allowed is a number or a word"),
    (("--grid", "maxBots=300"), "maxBots: must be at least 1 and at most 100"),
    (("--grid", "maxBots=" + ",".join(map(str, range(2000)))), "found 2000 combinations"),
    (("--base-fee", "cheap"), "--base-fee: found 'cheap', allowed is a number of gwei"),
    (("--actors", "many"), "--actors: found 'many', allowed is auto or 0 to 64"),
    (("--droid", "nowhere.toml"), "nowhere.toml: cannot be read"),
    (("--swaps", "nowhere.csv"), "allowed is nowhere.start.json"),
    (("--swaps", "nowhere"), f"found 'nowhere', allowed is a file or one of {DAY}"),
]


@pytest.mark.parametrize(("arguments", "said"), REFUSALS)
def test_what_is_wrong_is_told_in_a_sentence(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = run(*files(tmp_path), *arguments)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert said in done.stderr
    assert not (tmp_path / "out").exists()


def test_its_words_are_its_own_and_scenarios_keep_theirs() -> None:
    runner = CliRunner()
    own = runner.invoke(app, ["simulate", "droid", "--help"]).stdout
    assert "--swaps" in own
    assert "--duration" not in own
    scenario = runner.invoke(app, ["simulate", "--help"]).stdout
    assert "--duration" in scenario
    assert "--swaps" not in scenario
    unknown = runner.invoke(app, ["simulate", "droids"])
    assert "not one of the scenarios" in unknown.stderr.replace("\n", " ")
