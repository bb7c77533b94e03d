"""Strategies as text: YAML or JSON to plain values and back.

YAML is read twice: first as a stream of events, which are counted and bounded before anything is
built of them, so that no text grows when it is read.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, ClassVar

import yaml
from starlette.requests import Request

from api.cryptofunk.uploads import FORM, YAML, uploaded
from api.door.content_type import JSON, called, fault_of
from api.exact_json import ExactNumber, NotJson, read_json, written_out
from sim.refusals import Refusal, Refused

YAML_NAMES = (YAML, "application/x-yaml", "text/yaml", "text/x-yaml")
TEXT_NAMES = (JSON, *YAML_NAMES, FORM)
TEXT_BYTES_MIN, TEXT_BYTES_MAX = 50, 10_000_000
DEPTH_MAX = 6
"""Of lists and mappings within each other; a strategy has three."""

NODES_MAX = 4_000
"""A strategy has a few hundred names and values."""

CHARACTERS_MAX = 2_000
"""Of one name or value; the longest is a description."""

NO_BODY = "The body is missing: it must be a strategy as YAML or JSON"
TOO_SMALL = f"A strategy's text has at least {TEXT_BYTES_MIN} bytes"
NOT_UTF_8 = "The text is not UTF-8"
NO_ALIASES = "Anchors and aliases (& and *) are not taken here: write each value out"
NO_TAGS = "Tags (!) are not taken here: a strategy has texts and numbers only"
TOO_DEEP = f"The text is nested more than {DEPTH_MAX} levels deep"
TOO_MANY = f"The text has more than {NODES_MAX} names and values"
TOO_LONG = f"A name or value has more than {CHARACTERS_MAX} characters"
TWICE = "The text names a key twice"


class NotStrategyText(ValueError):
    """The text is no YAML or JSON as we accept it; the message says why."""


class DistinctLoader(yaml.CSafeLoader):
    """The library's safe loader, which refuses what stands twice. Plain words are numbers, truth or
    nothing where JSON has them so, else texts: YAML 1.1 reads 1:30 as 90, 010 as 8 and << as a wish
    to merge."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As the library does, after a look at the names."""
        names = [(key.tag, key.value) for key, _ in node.value if isinstance(key.value, str)]
        if len(names) != len(node.value) or len(set(names)) != len(names):
            raise NotStrategyText(TWICE if len(names) == len(node.value) else NO_NAME)
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found


class BothWaysDumper(yaml.SafeDumper):
    """The library's, which quotes what YAML 1.1 or our loader would not read as a text."""


for kind, pattern, firsts in (
    ("null", r"null|~|", ["n", "~", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"-?(0|[1-9][0-9]*)", [*"-0123456789"]),
    ("float", r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", [*"-0123456789"]),
):
    for either in (DistinctLoader, BothWaysDumper):
        either.add_implicit_resolver(
            f"tag:yaml.org,2002:{kind}", re.compile(rf"(?:{pattern})\Z", re.ASCII), firsts
        )

NO_NAME = "A name must be a text"


async def text_values(request: Request) -> Any:
    """What a body says. Raises Refused where it is called neither, and NotStrategyText."""
    body = await request.body()
    if not body:
        raise Refused(Refusal.INVALID_REQUEST, NO_BODY)
    headers = request.scope["headers"]
    fault = fault_of(headers, TEXT_NAMES)
    if fault is not None:
        raise Refused(Refusal.UNSUPPORTED_MEDIA_TYPE, fault)
    kind = called(headers)
    if kind == FORM:
        kind, body = await uploaded(request, body)
    return from_json(body) if kind == JSON else from_yaml(body)


def from_json(body: bytes) -> Any:
    """JSON to plain values, numbers exact. Raises NotStrategyText."""
    try:
        return plain(read_json(body))
    except NotJson as error:
        raise NotStrategyText(str(error)) from None


def from_yaml(body: bytes) -> Any:
    """YAML to plain values. Raises NotStrategyText."""
    try:
        text = body.decode()
        for fault in yaml_faults(text):
            raise NotStrategyText(fault)
        return yaml.load(text, Loader=DistinctLoader)
    except UnicodeDecodeError:
        raise NotStrategyText(NOT_UTF_8) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, NotStrategyText):
            raise
        raise NotStrategyText(f"The text is not YAML{place_of(error)}") from None


def yaml_faults(text: str) -> Iterator[str]:
    """What is too much, at the first event that is."""
    depth = nodes = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if not isinstance(event, yaml.NodeEvent):
            continue
        nodes += 1
        if event.anchor is not None:
            yield NO_ALIASES
        if getattr(event, "tag", None) is not None:
            yield NO_TAGS
        if nodes > NODES_MAX:
            yield TOO_MANY
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEPTH_MAX:
                yield TOO_DEEP
        elif len(getattr(event, "value", "")) > CHARACTERS_MAX:
            yield TOO_LONG


def place_of(error: Exception) -> str:
    """Where a text goes wrong, where that is known."""
    mark = getattr(error, "problem_mark", None)
    return "" if mark is None else f": it goes wrong at line {mark.line + 1}"


def plain(value: Any) -> Any:
    """Values of a JSON body with Decimals for its numbers. Raises NotStrategyText."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if not isinstance(value, ExactNumber):
        return value
    try:
        return Decimal(written_out(value.text))
    except ValueError as error:
        raise NotStrategyText(f"A number {error}") from None


def yaml_text(values: dict[str, Any]) -> str:
    """As a person writes it, in the order of the values."""
    text: str = yaml.dump(
        values, Dumper=BothWaysDumper, sort_keys=False, allow_unicode=True, width=100
    )
    return text
