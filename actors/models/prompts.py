"""Questions in words. The words lie in texts/; what was looked at goes along as data."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from actors.models.answers import shortened

TEXT_MAX = 800
"""Characters of a text within the data: a headline, a reasoning."""

FENCED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
"""So that no data ends the fence around it."""


@cache
def words(name: str) -> str:
    """One of the texts."""
    return (files("actors.models") / "texts" / f"{name}.txt").read_text("utf-8").strip()


def messages(agent: str, form: str, data: Mapping[str, Any]) -> list[Mapping[str, str]]:
    """The question of an agent, to be answered in a form."""
    system = "\n\n".join(map(words, (agent, "data", form)))
    return [said("system", system), said("user", fenced(data))]


def repairing(asked: Sequence[Mapping[str, str]], text: str, fault: str) -> list[Mapping[str, str]]:
    """The question once more, with what is wrong about the answer."""
    wrong = words("repair").format(fault=fault)
    return [*asked, said("assistant", shortened(text, TEXT_MAX)), said("user", wrong)]


def said(role: str, content: str) -> Mapping[str, str]:
    return {"role": role, "content": content}


def fenced(data: Mapping[str, Any]) -> str:
    """JSON that nothing in it can leave."""
    text = json.dumps(bounded(data), default=str)
    for mark, escaped in FENCED.items():
        text = text.replace(mark, escaped)
    return f"<data>\n{text}\n</data>"


def bounded(data: Any) -> Any:
    """The same with its texts cut, and printable."""
    if isinstance(data, Mapping):
        return {str(name): bounded(value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [bounded(one) for one in data]
    return shortened(data, TEXT_MAX) if isinstance(data, str) else data
