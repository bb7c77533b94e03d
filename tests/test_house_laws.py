"""The house rules about what tests may do, and about numbers that have names."""

import ast
import asyncio
import inspect
import re
import threading
from collections.abc import Iterator

import pytest

from tests.test_house_rules import ROOMS, WRITTEN_ONCE, Source, sources
from tests.waiting import bounded, within

OPEN_IN_SPITE_OF_ITS_NAME = {"os._exit"}
"""The standard library documents it for everybody."""

STOPWATCHES = {"perf_counter", "monotonic", "process_time", "thread_time", "elapsed"}
READS_A_STOPWATCH = {
    "tests/waiting.py": "ends what is waited for",
    "tests/actors/test_kills.py": "prints how long a recovery takes, and asserts nothing about it",
    "tests/actors/test_slow_starts.py": "an actor that is slow on purpose ends by itself",
}
WAITS = {"wait", "join", "result", "communicate", "acquire", "get"}
READS_OF_PIPES = ("stdout.read", "stderr.read", "stdout.readline", "stderr.readline")

ROW, ROWS = {"row", "event", "command"}, {"rows", "events", "commands"}
"""What COMMAND and EVENT rows are called: one as a tuple or words, many as words."""

ENUM_COLUMN = (
    r"(?:\w+\.)?(?:status|kind|reason|amend_reason|side|taker_side|order_type|time_in_force|tif"
    r"|entry_type|flags)"
)
ENUM_NUMBER = re.compile(
    rf"\b{ENUM_COLUMN}\s*(?:[<>=!]+|&|(?:NOT\s+)?IN\s*\(|=\s*ANY\s*\()\s*'?\d"
    rf"|\b\d+\s*[<>=!&]+\s*{ENUM_COLUMN}\b"
    rf"|\bCASE\s+{ENUM_COLUMN}\s+WHEN\s+\d"
    rf"|\bTHEN\s+\d+\s+ELSE\s+{ENUM_COLUMN}\b",
    re.IGNORECASE,
)
"""In SQL: a number beside a column whose numbers are an enum's."""


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def private_things(source: Source) -> Iterator[tuple[int, str]]:
    """Attributes of others that begin with an underscore: read, set, replaced or imported."""
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            if ast.unparse(node.value) not in ("self", "cls"):
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("attr"):
            names = [one.value for one in node.args[:2] if isinstance(one, ast.Constant)]
            if any(is_private(str(name).rpartition(".")[2]) for name in names):
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ROOMS:
            yield from ((node.lineno, one.name) for one in node.names if is_private(one.name))


def test_tests_use_what_is_public() -> None:
    wrong = [
        f"{source.name}:{line} {what}"
        for source in sources("tests")
        for line, what in private_things(source)
        if what not in OPEN_IN_SPITE_OF_ITS_NAME
    ]
    assert wrong == []


def test_tests_assert_nothing_about_how_long_something_takes() -> None:
    """Another process may have the core meanwhile: work is counted, and measured in benchmarks."""
    found = {
        f"{source.name}:{node.lineno} {ast.unparse(node)}": source.name
        for source in sources("tests")
        for node in source.nodes
        if isinstance(node, ast.Attribute) and node.attr.removesuffix("_ns") in STOPWATCHES
    }
    assert [what for what, name in found.items() if name not in READS_A_STOPWATCH] == []
    assert set(found.values()) == set(READS_A_STOPWATCH), "an excuse that nobody needs goes"


def test_every_wait_of_a_test_is_bounded() -> None:
    wrong = [
        f"{source.name}:{call.lineno} {ast.unparse(call)[:80]}"
        for source in sources("tests")
        for call in not_awaited(source)
        if waits_for_ever(call)
    ]
    assert wrong == []


def not_awaited(source: Source) -> Iterator[ast.Call]:
    """What is awaited is bounded by the test that awaits it."""
    awaited = {id(node.value) for node in source.nodes if isinstance(node, ast.Await)}
    for node in source.nodes:
        if isinstance(node, ast.Call) and id(node) not in awaited:
            yield node


def waits_for_ever(call: ast.Call) -> bool:
    name, named = ast.unparse(call.func), {one.arg for one in call.keywords}
    if name.startswith("subprocess.") and name != "subprocess.Popen":
        return "timeout" not in named
    if call.args or named & {"timeout", "timeout_s"}:
        return False
    waits = isinstance(call.func, ast.Attribute) and call.func.attr in WAITS
    return waits or name.endswith(READS_OF_PIPES)


async def test_an_asynchronous_test_is_bounded(request: pytest.FixtureRequest) -> None:
    assert inspect.unwrap(request.function) is not request.function
    with pytest.raises(TimeoutError):
        await bounded(asyncio.Event().wait, timeout_s=0.01)()


def test_a_call_that_does_not_end_is_left_behind() -> None:
    released = threading.Event()
    with pytest.raises(TimeoutError):
        within(lambda: released.wait(60), timeout_s=0.01)
    released.set()
    assert within(lambda: 7) == 7


def test_columns_of_rows_have_names_outside_their_wing() -> None:
    wrong = [
        f"{source.name}:{node.lineno} {ast.unparse(node)}"
        for source in sources("sim")
        if not source.name.startswith("sim/rows/")
        for node in source.nodes
        if isinstance(node, ast.Subscript | ast.BinOp) and is_place_in_a_row(node)
    ]
    assert wrong == []


def is_place_in_a_row(node: ast.Subscript | ast.BinOp) -> bool:
    """row[9], row[:9], rows[n, 8], and bits of the word that has several columns."""
    if isinstance(node, ast.BinOp):
        shifts = isinstance(node.op, ast.LShift | ast.RShift | ast.BitAnd)
        return shifts and name_of(node.left) == "codes" and is_number(node.right)
    if isinstance(node.slice, ast.Tuple):
        return name_of(node.value) in ROW | ROWS and is_number(node.slice.elts[-1])
    return name_of(node.value) in ROW and is_number(node.slice)


def name_of(node: ast.expr) -> str:
    """Without what it belongs to."""
    return ast.unparse(node).rpartition(".")[2]


def is_number(node: ast.expr | None) -> bool:
    """Written as one, or a slice that ends or begins with one."""
    if isinstance(node, ast.Slice):
        return is_number(node.lower) or is_number(node.upper)
    if isinstance(node, ast.UnaryOp):
        return is_number(node.operand)
    return isinstance(node, ast.Constant) and isinstance(node.value, int)


def test_numbers_in_statements_come_from_their_enums() -> None:
    wrong = [
        f"{source.name}:{node.lineno} {found[0]}"
        for source in sources("storage", "actors", "api")
        if not source.name.startswith(WRITTEN_ONCE)
        for node in source.nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for found in ENUM_NUMBER.finditer(node.value)
    ]
    assert wrong == []
