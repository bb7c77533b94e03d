"""On which line of a scenario's text a field is written; TOML's own reader keeps no lines.

Only text that is TOML is looked at, so what is found here is where it seems to be.
"""

import re
from collections.abc import Iterator

KEY_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\\]*"|'[^']*')"""
KEY = rf"{KEY_PART}(?:\s*\.\s*{KEY_PART})*"
HEADER = re.compile(rf"\s*(\[\[?)\s*({KEY})\s*\]")
ENTRY = re.compile(rf"\s*({KEY})\s*=(.*)", re.DOTALL)
TOKEN = re.compile(
    r'''"""(?:[^\\]|\\.)*?"""|\'\'\'.*?\'\'\'|"""|\'\'\''''
    r"""|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\#[^\n]*|[\[\]{}]""",
    re.DOTALL,
)
"""Strings, the beginning of one that goes on in the next line, comments, brackets."""

OPEN_STRINGS = ('"""', "'''")
DEPTHS = {"[": 1, "{": 1, "]": -1, "}": -1}
FIELD_CHARACTERS_MAX = 1_000
STATEMENT_LINES_MAX, STATEMENT_CHARACTERS_MAX = 200, 20_000
"""A longer value is not put together any further: nobody's field stands in it."""


def line_of(text: str, field: str) -> int | None:
    """From 1: where the field is written, else the innermost table or value that it belongs to;
    None where nothing of it is written.

    field   as in ScenarioError
    """
    wanted = list(_outwards(field))
    found: dict[str, int] = {}
    for line, path in _written(text):
        if path in wanted:
            found.setdefault(path, line)
    return next((found[path] for path in wanted if path in found), None)


def _outwards(field: str) -> Iterator[str]:
    """markets[0].price.start: itself, markets[0].price, markets[0], markets; no longer field is
    anything that there is, and one of a thousand brackets has a thousand such beginnings."""
    while 0 < len(field) <= FIELD_CHARACTERS_MAX:
        yield field
        cut = max(field.rfind("."), field.rfind("["))
        field = field[:cut] if cut > 0 else ""


def _written(text: str) -> Iterator[tuple[int, str]]:
    """Lines of all headers and entries, and what they are about."""
    table = ""
    counts: dict[str, int] = {}
    for line, statement in _statements(text):
        if header := HEADER.match(statement):
            *outer, last = _parts(header[2])
            table = ""
            for part in outer:
                table = _joined(table, part)
                table += f"[{counts[table] - 1}]" if table in counts else ""
                yield line, table
            table = _joined(table, last)
            yield line, table
            if header[1] == "[[":
                counts[table] = counts.get(table, 0) + 1
                table += f"[{counts[table] - 1}]"
                yield line, table
        elif entry := ENTRY.match(statement):
            path = table
            for part in _parts(entry[1]):
                path = _joined(path, part)
                yield line, path


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Lines, those of one value together, by the number of the first."""
    first, kept = 0, ""
    for number, line in enumerate(text.split("\n"), 1):
        first, kept = (first, kept + "\n" + line) if kept else (number, line)
        is_short = len(kept) < STATEMENT_CHARACTERS_MAX and kept.count("\n") < STATEMENT_LINES_MAX
        if is_short and _is_open(kept):
            continue
        yield first, kept
        kept = ""
    if kept:
        yield first, kept


def _is_open(statement: str) -> bool:
    """Whether the value of an entry goes on in the next line."""
    entry = ENTRY.match(statement)
    if entry is None:
        return False
    depth = 0
    for token in TOKEN.findall(entry[2]):
        if token in OPEN_STRINGS:
            return True
        depth += DEPTHS.get(token, 0)
    return depth > 0


def _parts(key: str) -> list[str]:
    return [part.strip("\"'") for part in re.findall(KEY_PART, key)]


def _joined(table: str, part: str) -> str:
    return f"{table}.{part}" if table else part
