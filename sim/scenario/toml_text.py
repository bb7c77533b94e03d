"""TOML text of somebody: what of it is not read at all, and what reading it may raise."""

import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sim.scenario.fields import ScenarioError

DOTS_OF_A_LINE_MAX = 64
"""A key of thousands of dotted parts takes time and memory by the square of its length to read."""


def refuse_dotted_lines(text: str) -> None:
    """Raises ScenarioError."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > DOTS_OF_A_LINE_MAX:
            raise ScenarioError(
                f"found more than {DOTS_OF_A_LINE_MAX} dots in line {number}, allowed is less"
            )


@contextmanager
def toml_table(
    text: str, what: str, parse_float: Callable[[str], Any] = float
) -> Iterator[dict[str, Any]]:
    """The table of TOML text, to be read inside: what is too long or too deep for that is refused.
    Raises ScenarioError.

    what          the text is to describe, such as a scenario
    parse_float   what numbers with a point become
    """
    refuse_dotted_lines(text)
    try:
        yield tomllib.loads(text, parse_float=parse_float)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"not TOML: {error}") from error
    except ScenarioError:
        raise
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise ScenarioError(f"not {what}: a number is too long or a table too deep") from error
