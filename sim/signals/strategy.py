"""A strategy as people keep it: its name beside its terms, in plain dicts of text and numbers."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, cast

from sim.printable import is_plain
from sim.signals.bounds import Bound, Faults, TermsRefused, read, written
from sim.signals.terms import StrategyTerms

SCHEMA_VERSION = "1.0"
NAME_MAX, DESCRIPTION_MAX = 100, 2_000
TEXTS = {"name": NAME_MAX, "description": DESCRIPTION_MAX}
"""How many characters they may have."""

ABOUT = {
    "schema_version": "The form of this text.",
    "name": "What the strategy is called.",
    "description": "What there is to say of it.",
}
NO_VERSION = f'schema_version must be "{SCHEMA_VERSION}".'


@dataclass(frozen=True)
class Strategy:
    """A name, what there is to say of it, and what agents go by."""

    name: str = "default"
    description: str = ""
    terms: StrategyTerms = field(default_factory=StrategyTerms)


def read_strategy(given: object) -> Strategy:
    """The strategy that plain dicts describe; what is left out has its default. Raises TermsRefused
    with every fault."""
    if not isinstance(given, Mapping):
        return Strategy(terms=read(StrategyTerms, given))
    texts = {name: given[name] for name in TEXTS if name in given}
    faults = list(_text_faults(given, texts))
    try:
        terms = read(StrategyTerms, {name: given[name] for name in given if name not in ABOUT})
    except TermsRefused as refused:
        raise TermsRefused((*faults, *refused.faults)) from None
    if faults:
        raise TermsRefused(tuple(faults))
    return Strategy(**texts, terms=terms)


def written_strategy(strategy: Strategy) -> dict[str, Any]:
    """As plain dicts, which `read_strategy` takes back. What is whole is written so."""
    texts = {"name": strategy.name, "description": strategy.description}
    return {"schema_version": SCHEMA_VERSION, **texts, **_whole(written(strategy.terms))}


def merged(base: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Both as one: each value that the later one names takes the place of the other's, all others
    stay."""
    return {
        **base,
        **{
            name: merged(base[name], value)
            if isinstance(value, Mapping) and isinstance(base.get(name), Mapping)
            else value
            for name, value in later.items()
        },
    }


def strategy_schema() -> dict[str, Any]:
    """All that a strategy may be as a JSON Schema, made of the terms' own bounds."""
    texts = {
        name: {"type": "string", "maxLength": longest, "description": ABOUT[name]}
        for name, longest in TEXTS.items()
    }
    texts["name"]["minLength"] = 1
    version = {"const": SCHEMA_VERSION, "description": ABOUT["schema_version"]}
    terms = _section_schema(StrategyTerms())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Strategy",
        **terms,
        "properties": {"schema_version": version, **texts, **terms["properties"]},
    }


def _section_schema(defaults: object) -> dict[str, Any]:
    properties = {}
    for one in fields(cast(Any, defaults)):
        value = getattr(defaults, one.name)
        bound = one.metadata.get("bound")
        properties[one.name] = (
            _section_schema(value) if bound is None else _bound_schema(bound, value)
        )
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _bound_schema(bound: Bound, default: int | float) -> dict[str, Any]:
    low = "exclusiveMinimum" if bound.is_above else "minimum"
    return {
        "type": "integer" if bound.is_whole else "number",
        low: _whole(bound.low),
        "maximum": _whole(bound.high),
        "default": _whole(default),
        "description": f"{bound.about[0].upper()}{bound.about[1:]}.",
    }


def _text_faults(given: Mapping[Any, Any], texts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if given.get("schema_version", SCHEMA_VERSION) != SCHEMA_VERSION:
        yield "schema_version", NO_VERSION
    for name, text in texts.items():
        if not isinstance(text, str) or len(text) > TEXTS[name]:
            yield name, f"{name} must be a text of at most {TEXTS[name]} characters."
        elif not (text.isprintable() if name == "name" else is_plain(text)):
            yield name, f"{name} must be printable."
        elif name == "name" and not text.strip():
            yield name, f"{name} must not be empty."


def _whole(value: Any) -> Any:
    """Floats that are whole numbers as such."""
    if isinstance(value, Mapping):
        return {name: _whole(one) for name, one in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def below(path: str, faults: Iterable[tuple[str, str]]) -> Faults:
    """Faults of what lies under a path."""
    return tuple(
        (f"{path}.{name}" if name else path, f"{path}: {sentence}") for name, sentence in faults
    )
