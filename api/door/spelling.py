"""Refusals carry names that are nobody's; each family spells them as its clients do."""

import re
from collections.abc import Callable
from typing import Any

from sim.refusals import Name, Refused

NAMES = re.compile(
    "|".join([*(re.escape(name) for name in Name), r"\{/[a-z0-9/-]+\}", r"\{@\d+\}"])
)
"""In braces: a Name, the route of sim.refusals.request_to, or the milliseconds of `instant`."""

BRIEF = "brief"
"""The key of the few words that one family has for a refusal beside its sentence."""

Spell = Callable[[str], str]
"""From a name without its braces to a family's word or route, from @ and a time to its text."""


def spelled(refused: Refused, spell: Spell) -> tuple[str, dict[str, Any]]:
    """A refusal's sentence and details as a family words them; camelCase from an older memory of
    a request stays what it is."""
    details: dict[str, Any] = {
        spell(name): value for name, value in refused.details.items() if name != BRIEF
    }
    if isinstance(details.get("field"), str):
        details["field"] = in_words(details["field"], spell)
    return in_words(refused.message, spell), details


def in_words(text: str, spell: Spell) -> str:
    """A sentence with every name spelled."""
    return NAMES.sub(lambda found: spell(found[0].strip("{}")), text)
