"""Nothing stands in the four rooms that nobody needs, and nothing that only tests need.

By names: a definition is needed where its name is read elsewhere in the rooms, whatever of that
name it is.
"""

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.test_house_rules import ROOMS, Source, sources

WRITTEN_FOR_OTHERS = {
    "storage/migrations/versions/": "alembic reads revisions and what they do by name",
    "storage/tables/": "the schema as it should be: alembic compares it, statements are by hand",
}
CALLED_BY_OTHERS = {
    "_numba_type_": "numba asks for the type of what it is given",
}
REGISTERED = re.compile(r"(router|app|bench|chain|db)\.\w+\(|(model|field)_validator\(")
"""Decorators that hand a function to who calls it: routes, commands, validators."""
IDENTIFIERS = re.compile(r"[A-Za-z_]\w*([.:][A-Za-z_]\w*)*")

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Defined:
    """A name and the lines in which it is defined."""

    source: Source
    name: str
    first_line: int
    last_line: int
    owner: str | None
    decorators: str

    def __str__(self) -> str:
        return f"{self.source.name}:{self.first_line} {self.name}"

    @property
    def is_excused(self) -> bool:
        if self.name.startswith("__") or self.name in CALLED_BY_OTHERS:
            return True
        if self.source.name.startswith(tuple(WRITTEN_FOR_OTHERS)):
            return True
        return bool(REGISTERED.search(self.decorators)) or self.overrides_a_library

    @property
    def overrides_a_library(self) -> bool:
        if self.owner is None:
            return False
        owner = getattr(importlib.import_module(self.source.module), self.owner)
        foreign = [one for one in owner.__mro__ if one.__module__.split(".")[0] not in ROOMS]
        return any(self.name in vars(one) for one in foreign)


def definitions(source: Source) -> Iterator[Defined]:
    """Functions, classes and constants of the module, methods and properties of its classes."""
    for node in source.tree.body:
        yield from defined(source, node, None)
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, Definition):
                    yield from defined(source, inner, node.name)


def defined(source: Source, node: ast.stmt, owner: str | None) -> Iterator[Defined]:
    last_line = node.end_lineno or node.lineno
    if isinstance(node, Definition):
        decorators = " ".join(map(ast.unparse, node.decorator_list))
        yield Defined(source, node.name, node.lineno, last_line, owner, decorators)
    targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
    for target in targets:  # of several at once each has its place, needed or not
        if isinstance(target, ast.Name):
            yield Defined(source, target.id, node.lineno, last_line, owner, "")


@cache
def reads() -> dict[str, list[tuple[Source, int]]]:
    """Where each name is read in the rooms: as a name, of an object, or written out in a text."""
    found = defaultdict(list)
    for source in sources(*ROOMS):
        for node in source.nodes:
            if isinstance(node, ast.expr):
                for name in names_read(node):
                    found[name].append((source, node.lineno))
    return found


def names_read(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Name | ast.Attribute):
        name = node.id if isinstance(node, ast.Name) else node.attr
        return [name] if isinstance(node.ctx, ast.Load) else []
    if isinstance(node, ast.Constant) and IDENTIFIERS.fullmatch(str(node.value)):
        return re.split("[.:]", str(node.value))
    return []


def is_needed(one: Defined) -> bool:
    return any(
        source is not one.source or not one.first_line <= line <= one.last_line
        for source, line in reads().get(one.name, [])
    )


def test_whatever_is_defined_is_needed_by_more_than_tests() -> None:
    unneeded = [
        str(one)
        for source in sources(*ROOMS)
        for one in definitions(source)
        if not is_needed(one) and not one.is_excused
    ]
    assert unneeded == []


def test_an_excuse_that_nobody_needs_goes() -> None:
    unneeded = [one for name in ROOMS for source in sources(name) for one in definitions(source)]
    unneeded = [one for one in unneeded if not is_needed(one)]
    assert set(CALLED_BY_OTHERS) <= {one.name for one in unneeded}
    assert all(
        any(one.source.name.startswith(place) for one in unneeded) for place in WRITTEN_FOR_OTHERS
    )
