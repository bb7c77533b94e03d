"""Who calls a function knows what it is told: few parameters, and none handed over in a bundle."""

import ast
import re

from tests.test_house_rules import ROOMS, Source, sources

PARAMETERS_MAX = 7
MANY_BY_NATURE = re.compile(r"(cached_kernel|inlined|rule|called)\b|app\.command\(")
"""Kernels, which cannot be given objects, and commands, whose parameters are their options."""
EXCUSED = {
    "tests/sim/naive_book.py": {"say": "an event of the slow book, each column by its name"},
}


def is_excused(source: Source, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    decorators = map(ast.unparse, function.decorator_list)
    by_nature = any(map(MANY_BY_NATURE.match, decorators))
    return by_nature or function.name in EXCUSED.get(source.name, {})


def parameters_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    told = function.args
    names = [one.arg for one in (*told.posonlyargs, *told.args, *told.kwonlyargs)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def test_a_function_has_seven_parameters_at_most() -> None:
    wrong = [
        f"{source.name}:{function.lineno} {function.name} has {len(parameters_of(function))}"
        for source in sources(*ROOMS, "tests")
        for function in source.functions()
        if len(parameters_of(function)) > PARAMETERS_MAX and not is_excused(source, function)
    ]
    assert wrong == []


def test_no_argument_is_a_tuple_made_for_the_call() -> None:
    wrong = [
        f"{source.name}:{call.lineno} {ast.unparse(argument)}"
        for source in sources(*ROOMS, "tests")
        for call in source.nodes
        if isinstance(call, ast.Call)
        for argument in call.args
        if isinstance(argument, ast.Starred) and isinstance(argument.value, ast.Tuple | ast.List)
    ]
    assert wrong == []
