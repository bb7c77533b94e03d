"""A strategy is one file: what is to be known of it stands there and nowhere else."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import sim.populations.registry
from sim.populations.registry import STRATEGIES

POPULATIONS = Path(sim.populations.registry.__file__).parent
ROOT = POPULATIONS.parents[1]
SCENARIOS = (
    *("actors/bench/simulate_scenarios.py", "api/simulations/schemas.py"),
    "api/desk/backtest_text.py",
)
"""They write scenarios: of the bench, examples in the documentation of the API, backtests."""

AGENTS = ("sim/signals/agents.py",)
"""One of them is called as a strategy is."""

OTHER_WORDS = {"value"}
"""A strategy's name, and a column's."""


def texts_of(path: Path) -> Iterator[str]:
    """Every string of a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_every_file_that_declares_a_strategy_is_in_the_registry() -> None:
    files = [file.stem for file in POPULATIONS.glob("*.py") if "\nSTRATEGY = " in file.read_text()]
    declared = {import_module(f"sim.populations.{file}").STRATEGY for file in files}
    assert declared == set(STRATEGIES.values())
    assert len(declared) == len(files)


def test_a_strategy_is_named_in_its_own_file_alone() -> None:
    names = set(STRATEGIES) - OTHER_WORDS
    wrong = [
        f"{file} names {name}"
        for room in ("sim", "storage", "actors", "api")
        for path in sorted((ROOT / room).rglob("*.py"))
        if (file := path.relative_to(ROOT).as_posix()) not in SCENARIOS + AGENTS
        for name in names.intersection(texts_of(path))
        if file != f"sim/populations/{name.replace('-', '_')}.py"
    ]
    assert wrong == []


def test_who_quotes_both_sides_makes_markets() -> None:
    makers = {name for name, kind in STRATEGIES.items() if kind.makes_markets}
    assert makers == {"avellaneda-stoikov", "ladder"}
