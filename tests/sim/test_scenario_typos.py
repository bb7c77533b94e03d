"""A misspelt field, in whichever table, is named with its line and the one that may be meant."""

import re
import tomllib
from typing import Any

import pytest

from sim.scenario.fields import ScenarioError
from sim.scenario.lines import line_of
from sim.scenario.scenario import parse_scenario
from storage.files.scenario_file import SHIPPED_DIRECTORY, load_scenario, shipped_scenarios
from storage.files.world_file import load_world

TEXT = """\
name = "typos"
seed = 1
duration_s = 60

[activity]
course_s = 600

[[markets]]
id = "BTC-PERP"
base = "BTC"
quote = "USDC"
tick_size = "0.1"
lot_size = "0.001"
max_quantity = "1000"

[markets.price]
process = "synthetic"
start = "66000"

[[populations]]
name = "makers"
strategy = "ladder"
heads = 3
capital = "1000"

[[populations]]
name = "noise"
strategy = "noise"
heads = 3
capital = "1000"

[populations.parameters]
activity_ppm = 5

[[shocks]]
market = "BTC-PERP"
kind = "sell"
at_s = 5
quantity = "2"

[[halts]]
market = "BTC-PERP"
at_s = 5
for_s = 2
"""

MANY_LINES = """\
name = "x" # [[markets]]
note = \"\"\"
[[markets]]
id = "no"
\"\"\"
list = [
  1, # ]
  "]", '''
seed = 5
''',
]
[[markets]]
id = "A"
price = {process = "constant", price = "6"}
[[markets]]
id = "B"
[markets.price]
  "start" = "5"
[activity]
a.b = 3
"""

TYPOS = {
    "duration_s": "duraton_s",
    "seed": "seeed",
    "course_s": "cours_s",
    "tick_size": "tick_siz",
    "max_quantity": "max_qty",
    "start": "strat",
    "process": "proces",
    "heads": "haeds",
    "capital": "captial",
    "strategy": "strategie",
    "activity_ppm": "activty_ppm",
    "quantity": "quantty",
    "kind": "knid",
    "at_s": "ats",
    "for_s": "for_",
    "[[markets]]": "[[market]]",
    "[[populations]]": "[[population]]",
    "[[shocks]]": "[[shock]]",
    "[[halts]]": "[[hallts]]",
    "[markets.price]": "[markets.prices]",
    "[populations.parameters]": "[populations.parameter]",
    "[activity]": "[actvity]",
}


@pytest.mark.parametrize(("right", "wrong"), TYPOS.items())
def test_a_typo_is_named_with_the_field_it_is_nearest_to(right: str, wrong: str) -> None:
    parse_scenario(TEXT)
    spoilt = re.sub(rf"^{re.escape(right)}", wrong, TEXT, flags=re.MULTILINE)
    name, meant = (text.strip("[]").split(".")[-1] for text in (wrong, right))
    with pytest.raises(ScenarioError) as refused:
        parse_scenario(spoilt)
    said = str(refused.value)
    assert re.match(rf"(.*\.)?{name}: unknown, allowed here is ", said), said
    if right != "max_quantity":
        assert said.endswith(f"(nearest: {meant})"), said
    lines = spoilt.split("\n")
    assert line_of(spoilt, refused.value.field) == 1 + next(
        place for place, line in enumerate(lines) if line.startswith(wrong)
    )


def test_a_field_of_another_kind_is_told_what_this_kind_has() -> None:
    for old, new, said in (
        ('start = "66000"', 'price = "66000"', r"markets\[0\]\.price\.price: unknown, allowed"),
        ('quantity = "2"', "jump_ppm = 5", r"shocks\[0\]\.jump_ppm: unknown, allowed here is at_s"),
    ):
        with pytest.raises(ScenarioError, match=said):
            parse_scenario(TEXT.replace(old, new))


def test_an_error_of_a_file_has_its_line(tmp_path: Any) -> None:
    path = tmp_path / "typos.toml"
    for old, new, line in (
        ("heads = 3", "heads = 0", 23),
        ("heads = 3\n", "", 20),
        ('start = "66000"', 'start = "6.66"', 18),
        ('base = "BTC"\n', "", 8),
    ):
        path.write_text(TEXT.replace(old, new, 1))
        with pytest.raises(ScenarioError, match=rf"typos\.toml, line {line}: "):
            load_scenario(str(path))
    path.write_text('name = "world"\nseed = -5\n')
    with pytest.raises(ScenarioError, match=r"typos\.toml, line 2: seed: found -5"):
        load_world(str(path))


def paths_of(value: Any, path: str = "") -> list[str]:
    found = [path] if path else []
    if isinstance(value, dict):
        for name, one in value.items():
            found += paths_of(one, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for place, one in enumerate(value):
            found += paths_of(one, f"{path}[{place}]")
    return found


def reads(lines: list[str], path: str) -> bool:
    """Whether these first lines are TOML in which the field stands."""
    try:
        return path in paths_of(tomllib.loads("\n".join(lines)))
    except tomllib.TOMLDecodeError:
        return False


@pytest.mark.parametrize("name", [*shipped_scenarios(), "typos", "many lines"])
def test_the_line_is_the_one_with_which_the_field_appears(name: str) -> None:
    texts = {"typos": TEXT, "many lines": MANY_LINES}
    text = texts.get(name) or (SHIPPED_DIRECTORY / f"{name}.toml").read_text()
    lines = text.split("\n")
    paths = [path for path in paths_of(tomllib.loads(text)) if name != "million" or "1" in path]
    for path in paths[:120]:
        line = line_of(text, path)
        assert line is not None
        assert not reads(lines[: line - 1], path), path
        assert path.rpartition(".")[2].partition("[")[0] in lines[line - 1]
