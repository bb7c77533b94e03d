"""One family of the API among equals: nobody outside of it speaks its words, names its operations
and sections, or gives errors its shape.

api/simulations is a folder of its own, served beside Flux: it has words of its own and camelCase
as Flux has, is answered for by Flux's error handler, and shares api/door with it. It does not
import api/flux, nor does api/flux import it.
"""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator

from pydantic import BaseModel

from api.app import FAMILIES as ANSWERING
from api.app import WORDS
from tests.test_house_rules import ROOMS, Source, sources

FAMILIES = ("api.cryptofunk", "api.flux", "api.havencap", "api.simulations")
WIRING = "api.app"
EXCUSED = {
    "api/app.py": "describes the whole document to people who are to begin with Flux",
    "api/health.py": "is served beside Flux to machines that know Flux",
    "sim/droid/spelling.py": "has the words of requests that droids' files are written in, too",
    "actors/bench/orders.py": "is a client of Flux, for it measures what a client gets",
    "actors/bench/peers.py": "writes another simulator's settings, which have a tickSize too",
}
ROUTE = r"\b(GET|POST|PUT|PATCH|DELETE) /"
OF_FAMILIES = tuple(f"{family}." for family in FAMILIES)
QUOTED = re.compile(r'"(\w+)"')
SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def family_of(source: Source) -> str | None:
    return next((one for one in FAMILIES if f"{source.module}.".startswith(f"{one}.")), None)


def words_of(family: str) -> set[str]:
    """The names in camelCase that the family's requests and answers have."""
    modules = [importlib.import_module(one.module) for one in sources(family.replace(".", "/"))]
    models = [
        model
        for module in modules
        for _, model in inspect.getmembers(module, inspect.isclass)
        if issubclass(model, BaseModel)
    ]
    names = {field.alias or name for model in models for name, field in model.model_fields.items()}
    return {name for name in names if SNAKE.fullmatch(name) is None}


def texts_of(source: Source) -> Iterator[tuple[int, str]]:
    """Every literal text, also of docstrings and within f-strings."""
    for node in source.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def test_only_the_wiring_imports_a_family() -> None:
    wrong = [
        f"{source.name}:{line} imports {name}"
        for source in sources(*ROOMS)
        for line, name in source.imports()
        for family in FAMILIES
        if f"{name}.".startswith(f"{family}.")
        if family_of(source) != family and source.module != WIRING
    ]
    assert wrong == []


def test_no_familys_words_stand_outside_of_it() -> None:
    words = set().union(*map(words_of, FAMILIES))
    assert {"clientOrderId", "marketId", "scenarioText", "timeInForce"} <= words
    banned = re.compile(rf"\b({'|'.join(sorted(words))})\b|{ROUTE}")
    found = {
        f"{source.name}:{line}": said[0]
        for source in sources(*ROOMS)
        if family_of(source) is None
        for line, text in texts_of(source)
        if (said := banned.search(text))
    }
    assert {place: word for place, word in found.items() if file_of(place) not in EXCUSED} == {}
    assert set(map(file_of, found)) == set(EXCUSED), "an excuse that nobody needs goes"


def test_no_familys_sections_and_operations_are_named_outside_of_it() -> None:
    """Neither what clients call an operation, nor the function that it is made from."""
    said = [words for words in WORDS if f"{words.package}.".startswith(OF_FAMILIES)]
    names = {name for words in said for name in words.tags}
    names |= {name for words in said for both in words.operation_ids.items() for name in both}
    assert {"Orders", "Simulations", "Admin", "submitOrder", "post_order", "drain"} <= names
    wrong = [
        f"{source.name}:{line} names {text}"
        for source in door()
        for line, text in texts_of(source)
        if text in names
    ]
    assert wrong == []


def test_the_door_gives_errors_no_familys_shape() -> None:
    """No class, no object and no text there has the fields of a family's errors."""
    shapes = [shape for family in ANSWERING for shape in shapes_of(family.errors.model)]
    assert shapes == [{"error"}, {"code", "message"}, {"error", "code"}, {"error"}]
    wrong = [
        f"{source.name}:{line} has {sorted(shape)}"
        for source in door()
        for line, names in shapes_in(source)
        for shape in shapes
        if shape <= names
    ]
    assert wrong == []


def door() -> tuple[Source, ...]:
    """What every family shares."""
    return sources("api/door", "api/desk", "api/credentials")


def shapes_of(model: type[BaseModel]) -> Iterator[set[str]]:
    """The names that an answer of this model must have, and those of the models within it."""
    yield {field.alias or name for name, field in model.model_fields.items() if field.is_required()}
    for field in model.model_fields.values():
        if inspect.isclass(field.annotation) and issubclass(field.annotation, BaseModel):
            yield from shapes_of(field.annotation)


def shapes_in(source: Source) -> Iterator[tuple[int, set[str]]]:
    """The names that stand together: fields of a class, keys of an object, arguments of a call, and
    what stands between quotation marks in a text."""
    for node in source.nodes:
        if isinstance(node, ast.ClassDef):
            fields = [one.target for one in node.body if isinstance(one, ast.AnnAssign)]
            yield node.lineno, {ast.unparse(field) for field in fields}
        elif isinstance(node, ast.Dict):
            keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
            yield node.lineno, set(map(str, keys))
        elif isinstance(node, ast.Call):
            yield node.lineno, {argument.arg for argument in node.keywords if argument.arg}
    for line, text in texts_of(source):
        yield line, set(QUOTED.findall(text))


def file_of(place: str) -> str:
    return place.partition(":")[0]


def test_the_details_of_a_refusal_are_named_in_snake_case() -> None:
    wrong = [
        f"{source.name}:{key.lineno} {ast.unparse(key)}"
        for source in sources(*ROOMS)
        for node in source.nodes
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Refused"
        for details in node.args
        if isinstance(details, ast.Dict)
        for key in details.keys
        if isinstance(key, ast.Constant) and SNAKE.fullmatch(str(key.value)) is None
    ]
    assert wrong == []
