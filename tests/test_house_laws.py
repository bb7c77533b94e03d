"""The house rules about what tests may do, and about code that nobody needs."""

import ast
from collections.abc import Iterator

from tests.test_house_rules import ROOMS, Source, sources

OPEN_IN_SPITE_OF_ITS_NAME = {"os._exit"}
"""The standard library documents it for everybody."""


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def private_things(source: Source) -> Iterator[tuple[int, str]]:
    """Attributes of others that begin with an underscore: read, set, replaced or imported."""
    for node in ast.walk(source.tree):
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
