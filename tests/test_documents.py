"""What the documents say of settings and commands is what there is."""

import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from actors.cli import app
from storage.settings import Settings

ROOT = Path(__file__).parents[1]
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()
ELSEWHERE = {"limits_redis_url", "replay_loops"}
"""Those that `up` sets, and that have a flag of their own."""

SHOWN = r"(?:^|`)sandpit ([a-z]+)(?: ([a-z]+))?"
"""At the start of a line or of a phrase in code."""

VARIABLE = re.compile(r"`(_?[A-Z][A-Z_]+)`")


def variables() -> set[str]:
    """Named in the first column of a table; `_NAME` shares what precedes it with its neighbours."""
    found: set[str] = set()
    for line in CONFIGURATION.splitlines():
        if line.startswith("| `"):
            names = VARIABLE.findall(line.split("|")[1])
            whole = [name for name in names if not name.startswith("_")]
            found |= set(whole)
            stems = ["_".join(whole[0].split("_")[:count]) for count in range(1, 4)]
            found |= {stem + name for name in names if name.startswith("_") for stem in stems}
    return found


@pytest.mark.parametrize("name", sorted(set(Settings.model_fields) - ELSEWHERE))
def test_every_setting_stands_in_the_configuration(name: str) -> None:
    alias = Settings.model_fields[name].validation_alias
    variable = str(alias).upper() if alias else f"SANDPIT_{name.upper()}"
    assert variable in variables()


def test_every_command_that_is_shown_exists() -> None:
    whole: Any = get_command(app)
    groups = {name: set(getattr(one, "commands", ())) for name, one in whole.commands.items()}
    texts = [ROOT / "README.md", ROOT / "deploy" / "README.md", *(ROOT / "docs").glob("*.md")]
    shown = [
        pair for text in texts for pair in re.findall(SHOWN, text.read_text(), flags=re.MULTILINE)
    ]
    assert len(shown) > 20
    assert [name for name, _ in shown if name not in groups] == []
    assert [pair for pair in shown if groups[pair[0]] and pair[1] not in groups[pair[0]]] == []
